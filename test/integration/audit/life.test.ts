// The life of a log: a new epoch after a restore that lost entries, and another key under the same name.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { signCheckpoint } from '../../../audit/checkpoint.ts';
import {
  type Audit,
  type AuditDeps,
  followKeys,
  keyListOf,
  openCheckpoint,
  openOfLife,
  openStatement,
  parseVkey,
  statementDigest,
} from '../../../audit/index.ts';
import { verify, verifyTlogProof } from '../../../verifier/index.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { aDraft, aLog, aSigner, origin, signer, write } from './a-log.ts';
import { putBack } from './put-back.ts';

const { database, logDatabase, ownerSql } = withDatabase();
const nextSigner = aSigner();
const reason = 'The disk of 3 March failed; the backup of that night was restored.';
const operators: [string, string] = ['pseudonym-a', 'pseudonym-b'];
let folder: string;
let headFile: string;
let audit: Audit;
/** The key of the log as outsiders have pinned it. */
const pinned = aLog({ database }).vkey;

function aLivingLog(deps: Partial<AuditDeps> = {}): Audit {
  const laterSigner = (key: Buffer) => (key.equals(nextSigner.publicKey) ? nextSigner : undefined);
  audit = aLog({ database, logDatabase, headFile, laterSigner, ...deps });
  return audit;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yihao-life-'));
  headFile = join(folder, 'head');
});
afterEach(() => audit.stop());
afterAll(() => rm(folder, { recursive: true }));

const published = (size: number) =>
  eventually(async () => {
    const note = await audit.checkpoint();
    const head = note === null ? undefined : openOfLife(note, await audit.life());
    return head && head.size >= size ? { ...head, note: note ?? '' } : null;
  });

/** A log that lost its last entries, with a receipt of each kind from before. */
async function aLoss() {
  const log = aLivingLog();
  await log.startSequencer();
  const [kept = -1] = await write(log, database, [aDraft(), aDraft()]);
  await published(kept + 2);
  const older = await log.head();
  const [lost = -1] = await write(log, database, [aDraft(), aDraft(), aDraft()]);
  await published(lost + 3);
  const receipts = { kept: await log.receipt(kept), lost: await log.receipt(lost) };
  const vkey = log.vkey;
  await log.stop();
  await putBack(ownerSql, older);
  return { older, kept, lost, receipts, vkey };
}

test('while nothing is lost, or somebody leads, there is no new epoch', async () => {
  const log = aLivingLog();
  await log.startSequencer();
  await write(log, database, [aDraft()]);
  const confirm = `${origin}/2`;
  const other = aLog({ database, logDatabase, headFile });
  await expect(other.newEpoch().begin({ reason, operators, confirm })).rejects.toMatchObject({
    code: 'audit.log_is_led',
  });
  await log.stop();
  await expect(log.newEpoch().begin({ reason, operators, confirm })).rejects.toMatchObject({
    code: 'audit.epoch_not_needed',
  });
  expect((await log.life()).epochs).toHaveLength(1);
});

test('a new epoch states the loss, goes on from what is left, and old receipts keep verifying', async () => {
  const { older, kept, lost, receipts, vkey } = await aLoss();
  const log = aLivingLog();
  await expect(log.startSequencer()).rejects.toMatchObject({
    code: 'audit.head_mismatch',
    detail: expect.stringContaining('yihao audit new-epoch'),
  });
  // Something was staged and not yet sequenced when the backup was made.
  await database.transaction((tx) => log.append(tx, aDraft({ type: 'verification.asked' })));
  const epochs = log.newEpoch();
  expect(await epochs.examine()).toMatchObject({
    origin: `${origin}/2`,
    restored: { size: older.size },
    lost: { from: older.size, to: lost + 2 },
    lastKnown: { size: lost + 3, where: headFile },
  });
  const wrong = { reason, operators, confirm: origin };
  await expect(epochs.begin(wrong)).rejects.toMatchObject({ code: 'audit.epoch_not_needed' });
  const statement = await epochs.begin({ reason, operators, confirm: `${origin}/2` });
  // Twice, and after a kill: nothing is left to state, and the head file still tells of the old tree.
  const again = { reason, operators, confirm: `${origin}/3` };
  await expect(epochs.begin(again)).rejects.toMatchObject({ code: 'audit.epoch_not_needed' });
  expect(await readFile(headFile, 'utf8')).toBe(statement.lastKnown.note);

  const next = aLivingLog();
  await next.startSequencer();
  const head = await published(older.size + 2);
  expect(head.epoch).toMatchObject({ number: 2, origin: `${origin}/2` });
  const life = await next.life();
  const [note = ''] = life.notes;
  expect(openStatement(note)).toEqual(statement);
  // The first entry of the new epoch commits to the statement, before what had waited.
  const [row] = await ownerSql<{ leaf: Buffer }[]>`
    select leaf from audit.entries where idx = ${older.size}`;
  expect(JSON.parse(String(row?.leaf))).toMatchObject({
    type: 'log.epoch_begun',
    statement: statementDigest(note),
  });
  const [index = -1] = await write(next, database, [aDraft()]);
  expect(index).toBe(older.size + 2);
  await published(index + 1);
  // Old receipts under the old key, of what is left and of what is lost; new ones of both times under the new.
  expect(next.vkey).not.toBe(vkey);
  for (const receipt of Object.values(receipts)) {
    expect(await verifyTlogProof(receipt, vkey)).toMatchObject({ valid: true });
  }
  for (const at of [kept, index]) {
    expect(await verifyTlogProof(await next.receipt(at), next.vkey)).toMatchObject({ valid: true });
  }
  // The old tree stays served as far as it is kept.
  const old = (await next.checkpointOf(1)) ?? '';
  expect(openCheckpoint(old, parseVkey(vkey)).size).toBeLessThanOrEqual(older.size);
  expect((await next.tileOf(1, { level: 0, n: 0, width: older.size }))?.length).toBe(
    32 * older.size,
  );
  expect(await next.tileOf(1, { level: 0, n: 0, width: older.size + 1 })).toBeNull();
  expect(await next.tileOf(2, { level: 0, n: 0, width: older.size + 1 })).not.toBeNull();
  expect((await next.verify()).faults).toEqual([]);
  // Whoever pinned the first key is led to the new one.
  const followed = followKeys(pinned, JSON.stringify(keyListOf(life)));
  expect(followed.current.origin).toBe(`${origin}/2`);
  const stranger = aLog({ database, signer: aSigner() }).vkey;
  expect(() => followKeys(stranger, JSON.stringify(keyListOf(life)))).toThrow('audit.note_invalid');
  const list = JSON.stringify(keyListOf(life));
  expect(await verify(note, pinned)).toMatchObject({ valid: true, facts: { statement } });
  expect(await verify(note, stranger)).toMatchObject({ valid: false });
  expect(await verify(receipts.lost, pinned, undefined, undefined, list)).toMatchObject({
    valid: true,
    facts: { isStatedLost: true },
  });
  expect(
    (await verify(receipts.kept, pinned, undefined, undefined, list)).facts.isStatedLost,
  ).toBeUndefined();
  // A restart is quiet.
  await next.stop();
  await next.startSequencer();
});

test('a larger loss that shows later is refused until it is stated too', async () => {
  const log = aLivingLog();
  const before = await log.life();
  const kept = (await log.head()).size;
  // Somebody still had a checkpoint under the first name over more than was stated.
  const larger = { size: kept + 500, root: Buffer.alloc(32, 7) };
  await writeFile(headFile, signCheckpoint(origin, larger, signer));
  await expect(log.startSequencer()).rejects.toMatchObject({ code: 'audit.head_mismatch' });
  const name = `${origin}/${before.current.number + 1}`;
  const statement = await log.newEpoch().begin({ reason, operators, confirm: name });
  expect(statement).toMatchObject({ lost: { from: kept, to: kept + 499 }, epoch: 3 });
  await log.startSequencer();
  expect((await published(kept + 1)).epoch.origin).toBe(name);
  expect((await log.verify()).faults).toEqual([]);
});

test('another key signs beside the old one, then alone; receipts of all times verify', async () => {
  const log = aLivingLog();
  await log.startSequencer();
  const [before = -1] = await write(log, database, [aDraft()]);
  await published(before + 1);
  const oldKey = log.vkey;
  const oldReceipt = await log.receipt(before);
  const rotation = log.keyRotation();
  await rotation.announce(nextSigner.publicKey, 'pseudonym-a');
  await rotation.announce(nextSigner.publicKey, 'pseudonym-a');
  expect((await log.life()).current.keys).toHaveLength(2);
  const newKey = log.vkey;
  expect(newKey).not.toBe(oldKey);
  const [during = -1] = await write(log, database, [aDraft()]);
  const both = await published(during + 1);
  for (const key of [oldKey, newKey]) {
    expect(openCheckpoint(both.note, parseVkey(key)).size).toBe(both.size);
    expect(await verifyTlogProof(await log.receipt(during), key)).toMatchObject({ valid: true });
  }
  await expect(rotation.announce(aSigner().publicKey, 'a')).rejects.toMatchObject({
    code: 'audit.rotation_state',
  });
  expect(await rotation.retire('pseudonym-a')).toEqual(signer.publicKey);
  expect(await rotation.retire('pseudonym-a')).toBeUndefined();
  const [after = -1] = await write(log, database, [aDraft()]);
  const alone = await eventually(async () => {
    const head = await published(after + 1);
    return head.size > after ? head : null;
  });
  expect(() => openCheckpoint(alone.note, parseVkey(oldKey))).toThrow('audit.note_invalid');
  const receipt = await log.receipt(after);
  expect(await verify(receipt, oldKey)).toMatchObject({ valid: false });
  expect(await verifyTlogProof(oldReceipt, oldKey)).toMatchObject({ valid: true });
  const list = JSON.stringify(keyListOf(await log.life()));
  // Whoever pinned one of the keys can check receipts of both, with the list.
  for (const key of [pinned, oldKey, newKey]) {
    for (const text of [oldReceipt, receipt]) {
      expect(await verify(text, key, undefined, undefined, list)).toMatchObject({ valid: true });
    }
  }
  expect((await log.verify()).faults).toEqual([]);
  const types = await ownerSql`
    select type from audit.lookups where type like 'log.key%' order by idx`;
  expect(types.map(({ type }) => type)).toEqual(['log.key_announced', 'log.key_retired']);
  // The old key's private half may go: the next start signs with the new one alone.
  await log.stop();
  const gone = {
    ...signer,
    sign: () => {
      throw new Error('It is gone.');
    },
  };
  await aLivingLog({ signer: gone }).startSequencer();
});

test('a process without the private half of a key in use does not lead', async () => {
  const log = aLivingLog({ laterSigner: () => undefined });
  await expect(log.startSequencer()).rejects.toThrow('KEYS_DIR');
});
