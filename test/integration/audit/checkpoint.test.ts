// Checkpoints: soon after the commit, kept before shown, never against an older one.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { signCheckpoint } from '../../../audit/checkpoint.ts';
import { type Audit, openCheckpoint, parseVkey } from '../../../audit/index.ts';
import { leafHash, verifyInclusion } from '../../../audit/merkle-tree.ts';
import { parseTlogProof } from '../../../audit/tlog-proof.ts';
import { systemScope } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { aDraft, aLog, aSigner, origin, signer, write } from './a-log.ts';
import { putBack } from './put-back.ts';

const { database, logDatabase, ownerSql } = withDatabase();
let folder: string;
let headFile: string;
let audit: Audit;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yihao-head-'));
  headFile = join(folder, 'head');
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => audit.stop());

const sizeOf = (note: string | null) => {
  return note === null ? 0 : openCheckpoint(note, parseVkey(audit.vkey)).size;
};
const covering = (size: number) =>
  eventually(
    async () => {
      const note = await audit.checkpoint();
      return sizeOf(note) >= size ? note : null;
    },
    { timeoutMs: 3000 },
  );

test('a new entry is covered by a signed checkpoint that is on disk too, and proved in it', async () => {
  audit = aLog({ database, logDatabase, headFile });
  await audit.startSequencer();
  const drafts = Array.from({ length: 300 }, () => aDraft());
  const indexes = await write(audit, database, drafts);
  const note = await covering(300);
  expect(await readFile(headFile, 'utf8')).toBe(note);
  expect(note.split('\n').slice(0, 2)).toEqual([origin, '300']);
  for (const index of [0, 44, 255, 256, 299]) {
    const { hashes, checkpoint, ...proof } = parseTlogProof(await audit.receipt(index));
    expect({ proof, checkpoint }).toEqual({ proof: { index }, checkpoint: note });
    const { size, root } = openCheckpoint(checkpoint, parseVkey(audit.vkey));
    const { leaf } = await audit.as(systemScope).getEntry(indexes[index] ?? -1);
    expect(verifyInclusion({ index, size, root, leafHash: leafHash(leaf) }, hashes)).toBe(true);
  }
});

test('before a checkpoint covers an entry its receipt has to wait', async () => {
  audit = aLog({ database, logDatabase });
  await audit.startSequencer();
  // Fill the rest between two checkpoints, so that the next one is a while away.
  await write(audit, database, [aDraft()]);
  await covering((await audit.head()).size);
  const [index = -1] = await write(audit, database, [aDraft()]);
  await expect(audit.receipt(index)).rejects.toMatchObject({
    code: 'audit.not_yet_checkpointed',
    kind: 'conflict',
    retryAfterSeconds: 1,
  });
  await covering(index + 1);
  expect(await audit.receipt(index)).toContain(`index ${index}\n`);
});

test('a checkpoint that was kept but not shown is shown after a restart, with the same bytes', async () => {
  audit = aLog({ database, logDatabase, headFile });
  await audit.startSequencer();
  await write(audit, database, [aDraft()]);
  await audit.stop();
  const last = await audit.checkpoint();
  // As after a crash between keeping and publishing.
  await ownerSql.begin(async (sql) => {
    await sql`alter table audit.checkpoints disable trigger only_publishes`;
    await sql`update audit.checkpoints set published_at = null where size = ${sizeOf(last)}`;
    await sql`alter table audit.checkpoints enable trigger only_publishes`;
  });
  expect(await audit.checkpoint()).not.toBe(last);
  await audit.startSequencer();
  expect(await covering(sizeOf(last))).toBe(last);
});

test('no size has two roots and no checkpoint is newer than the tree', async () => {
  const [row] = await ownerSql`
    select count(*)::int as notes, count(distinct root)::int as roots,
      bool_and(published_at is not null) as shown,
      max(size) <= (select size from audit.head) as within
    from audit.checkpoints`;
  expect(row).toEqual({ notes: row?.roots, roots: row?.roots, shown: true, within: true });
});

describe('a database that is not the one that was signed for is refused', () => {
  const isRefused = { code: 'audit.head_mismatch', kind: 'unavailable' };

  test('older than the head file', async () => {
    audit = aLog({ database, logDatabase, headFile });
    const { size, root } = await audit.head();
    await audit.startSequencer();
    await write(audit, database, [aDraft()]);
    await audit.stop();
    const newer = await readFile(headFile, 'utf8');
    // As a backup from before the last entry would be.
    await putBack(ownerSql, { size, root });
    await expect(audit.startSequencer()).rejects.toMatchObject(isRefused);
    expect(await readFile(headFile, 'utf8')).toBe(newer);
    // The lock was let go: with the file of the older state it starts.
    await rm(headFile);
    await audit.startSequencer();
  });

  test('a head row that the tiles do not give', async () => {
    audit = aLog({ database, logDatabase });
    const [head] = await ownerSql`select root from audit.head`;
    await ownerSql`update audit.head set root = ${Buffer.alloc(32, 7)}`;
    await expect(audit.startSequencer()).rejects.toMatchObject(isRefused);
    await ownerSql`update audit.head set root = ${head?.root}`;
    await audit.startSequencer();
  });

  test('a head file of another key, or damaged', async () => {
    for (const note of [await foreignNote(), 'not a note\n', '']) {
      await writeFile(headFile, note);
      audit = aLog({ database, logDatabase, headFile });
      await expect(audit.startSequencer()).rejects.toMatchObject(isRefused);
    }
  });

  async function foreignNote(): Promise<string> {
    return signCheckpoint(origin, await aLog({ database }).head(), aSigner());
  }
});

test('while the tree does not fit what was signed, nothing is signed', async () => {
  audit = aLog({ database, logDatabase });
  await audit.startSequencer();
  await write(audit, database, [aDraft()]);
  const note = await covering((await audit.head()).size);
  await ownerSql.begin(async (sql) => {
    await sql`alter table audit.checkpoints disable trigger user`;
    await sql`update audit.checkpoints set root = ${Buffer.alloc(32, 1)} where note = ${note}`;
    await sql`alter table audit.checkpoints enable trigger user`;
  });
  const [index = -1] = await write(audit, database, [aDraft()]);
  await audit.stop();
  expect(await audit.checkpoint()).toBe(note);
  await expect(audit.receipt(index)).rejects.toMatchObject({ code: 'audit.not_yet_checkpointed' });
  await expect(audit.startSequencer()).rejects.toMatchObject({ code: 'audit.head_mismatch' });
});

test('a factory refuses a world that cannot work', () => {
  expect(() => aLog({ database, origin: 'two words' })).toThrow(TypeError);
  expect(() => aLog({ database, signer: { ...signer, publicKey: Buffer.alloc(31) } })).toThrow(
    TypeError,
  );
  audit = aLog({ database });
  return expect(audit.startSequencer()).rejects.toThrow(TypeError);
});
