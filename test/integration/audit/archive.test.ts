// Old ranges leave the database as files that prove themselves; the tree and its proofs stay.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createArchiver, parseVkey, verifyArchive } from '../../../audit/index.ts';
import { auditArchiveCommand } from '../../../cli/audit-archive.ts';
import { UsageError } from '../../../cli/command.ts';
import { connectDatabase, fixedClock, systemScope } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { aDraft, aLog, write } from './a-log.ts';
import { splitFirstPartition } from './small-partitions.ts';

const { database, logDatabase, ownerSql, ownerUrl } = withDatabase();
const clock = fixedClock('2022-03-04T05:00:00Z');
const audit = aLog({ database, logDatabase, clock });
const owner = connectDatabase({ url: ownerUrl, max: 2, applicationName: 'test-owner' });
const verifier = parseVkey(audit.vkey);
const before = new Date('2023-01-01T00:00:00Z');
const recorded: { first: number; after: number }[] = [];
let folder: string;

const archiver = (change: Partial<Parameters<typeof createArchiver>[0]> = {}) =>
  createArchiver({
    owner,
    verifier,
    folder,
    retentionDays: 1096,
    record: async ({ first, after }) => {
      recorded.push({ first, after });
    },
    ...change,
  });

const writeMany = async (count: number): Promise<void> => {
  const drafts = Array.from({ length: count }, () => aDraft());
  await write(audit, database, drafts);
};
const tilesServed = async () =>
  Promise.all([
    ...[0, 1, 2, 3, 4, 5, 6, 7].map((n) => audit.tile(0, n, 256)),
    audit.tile(0, 2, 17),
    audit.tile(1, 0, 8),
  ]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yihao-archive-'));
  await splitFirstPartition(ownerSql, [1024, 2048]);
  await audit.startSequencer();
  await writeMany(1500);
  clock.advance(2 * 365 * 86_400_000);
  await writeMany(700);
  await eventually(async () => (await audit.checkpoint())?.includes('\n2200\n'));
});

afterAll(async () => {
  await audit.stop();
  await owner.close();
  await rm(folder, { recursive: true, force: true });
});

test('nothing is archived that the law wants kept', async () => {
  await expect(archiver().archive(new Date())).rejects.toMatchObject({
    code: 'audit.retention_runs',
    kind: 'conflict',
  });
  expect(await archiver().archive(new Date('2021-01-01T00:00:00Z'))).toEqual([]);
  expect(await readdir(folder)).toEqual([]);
  expect(await audit.archives()).toEqual([]);
});

test('a spoilt range is not archived', async () => {
  const flip = 'leaf = set_bit(leaf, 800, 1 - get_bit(leaf, 800))';
  await ownerSql.begin(async (sql) => {
    await sql.unsafe('alter table audit.entries disable trigger user');
    await sql.unsafe(`update audit.entries set ${flip} where idx = 77`);
  });
  await expect(archiver().archive(before)).rejects.toMatchObject({
    code: 'audit.head_mismatch',
    detail: expect.stringContaining('entry 77: The leaf does not have the hash in its tile.'),
  });
  await ownerSql.begin(async (sql) => {
    await sql.unsafe(`update audit.entries set ${flip} where idx = 77`);
    await sql.unsafe('alter table audit.entries enable trigger user');
  });
  expect(await audit.archives()).toEqual([]);
  expect(await audit.verify()).toMatchObject({ ok: true, archived: 0, checked: 2200 });
});

test('cut off before it notes the file, or before it drops, the next run goes on', async () => {
  const cutOff = new Error('killed');
  const dies = archiver({ record: () => Promise.reject(cutOff) });
  await expect(dies.archive(before)).rejects.toBe(cutOff);
  expect(await audit.archives()).toEqual([]);
  const dropDies = archiver({
    owner: { ...owner, transaction: () => Promise.reject(cutOff) },
  });
  await expect(dropDies.archive(before)).rejects.toBe(cutOff);
  expect(await audit.archives()).toMatchObject([{ first: 0, after: 1024, droppedAt: null }]);
  expect(await audit.as(systemScope).getEntry(3)).toMatchObject({ index: 3 });
});

test('a range of old entries moves into a file, once, whoever does it at the same time', async () => {
  const leaf = (await audit.as(systemScope).getEntry(700)).leaf;
  const served = await tilesServed();
  const root = (await audit.head()).root;
  const [done, again] = await Promise.all([archiver().archive(before), archiver().archive(before)]);
  // Whichever begins when all is done has nothing left to do.
  expect(Math.max(done.length, again.length)).toBe(1);
  expect(await archiver().archive(before)).toEqual([]);
  expect(recorded).toContainEqual({ first: 0, after: 1024 });
  const [archive, ...others] = await audit.archives();
  expect(others).toEqual([]);
  expect(archive).toMatchObject({ first: 0, after: 1024, droppedAt: expect.any(Date) });

  expect(await readdir(folder)).toEqual(['log-0-1024.archive']);
  const file = join(folder, 'log-0-1024.archive');
  expect(await verifyArchive(file, verifier)).toMatchObject({
    ok: true,
    first: 0,
    after: 1024,
    root: archive?.root.toString('base64'),
    sha256: archive?.sha256.toString('hex'),
    faults: [],
  });
  expect((await readFile(file)).includes(leaf)).toBe(true);
  const [left] = await ownerSql`
    select (select count(*)::int from audit.entries where idx < 1024) as entries,
      (select count(*)::int from audit.lookups where idx < 1024) as lookups`;
  expect(left).toEqual({ entries: 0, lookups: 0 });

  // A process that has nothing of it in memory.
  const fresh = aLog({ database });
  expect(await Promise.all([fresh.tile(0, 2, 256), fresh.tile(0, 2, 17)])).toEqual([
    served[2],
    served[8],
  ]);
  expect(await tilesServed()).toEqual(served);
  expect((await audit.head()).root).toEqual(root);
});

test('what was archived is refused with where it lies; the rest is proved as before', async () => {
  const where = {
    code: 'audit.archived',
    kind: 'gone',
    detail: expect.stringContaining('log-0-1024.archive'),
  };
  await expect(audit.receipt(1023)).rejects.toMatchObject(where);
  await expect(audit.as(systemScope).getEntry(0)).rejects.toMatchObject(where);
  await expect(audit.entryBundle(3, 256)).rejects.toMatchObject(where);
  await expect(audit.receipt(9999)).rejects.toMatchObject({ code: 'audit.unknown_entry' });
  expect(await audit.receipt(1024)).toContain('index 1024');
  expect((await audit.entryBundle(4, 256))?.length).toBeGreaterThan(256);
});

test('the log is whole across an archived range, after a restart too, and grows on', async () => {
  expect(await audit.verify()).toMatchObject({ ok: true, archived: 1024, checked: 2200 });
  expect(await audit.verify({ from: 512, to: 1400 })).toMatchObject({ ok: true, archived: 512 });
  await audit.stop();
  const next = aLog({ database, logDatabase, clock });
  await next.startSequencer();
  const [index] = await write(next, database, [aDraft()]);
  expect(index).toBe(2200);
  expect(await next.verify()).toMatchObject({ ok: true, archived: 1024, checked: 2201 });
  await next.stop();
});

test('a tile over an archived range that was spoilt is found', async () => {
  const flip = async () => {
    await ownerSql.begin(async (sql) => {
      await sql.unsafe('alter table audit.tiles disable trigger user');
      await sql.unsafe(
        'update audit.tiles set hashes = set_bit(hashes, 300, 1 - get_bit(hashes, 300)) where level = 0 and n = 1',
      );
      await sql.unsafe('alter table audit.tiles enable trigger user');
    });
  };
  await flip();
  const { ok, faults } = await aLog({ database }).verify();
  await flip();
  expect(ok).toBe(false);
  expect(faults).toContainEqual({
    index: 256,
    what: 'The root beside tile 0/1 is not that of its hashes.',
  });
});

test('of a spoilt file the bad entry is named, and what is no archive is refused', async () => {
  const file = join(folder, 'log-0-1024.archive');
  const bytes = await readFile(file);
  const spoilt = join(folder, 'spoilt.archive');
  const faultsAt = async (change: (copy: Buffer) => Buffer) => {
    await writeFile(spoilt, change(Buffer.from(bytes)));
    const { ok, faults } = await verifyArchive(spoilt, verifier);
    expect(ok).toBe(false);
    return faults;
  };
  const leafAt = bytes.indexOf('"actor":"pseudonym-1"', bytes.indexOf('"v":1'));
  const flipped = await faultsAt((copy) => {
    copy.writeUInt8(copy.readUInt8(leafAt + 12) ^ 1, leafAt + 12);
    return copy;
  });
  expect(flipped).toEqual([
    { index: 1, what: 'The leaf does not have the hash in its tile.' },
    { what: 'The sum at the end is not that of the file.' },
  ]);
  expect(await faultsAt((copy) => copy.subarray(0, -40))).toEqual([
    { what: 'The file ends too early.' },
  ]);
  expect(await faultsAt((copy) => Buffer.concat([copy, Buffer.of(0)]))).toEqual([
    { what: 'Something follows the end.' },
  ]);
  expect(await faultsAt(() => Buffer.from('PK'.repeat(40)))).toEqual([
    { what: 'This is no archive of a log.' },
  ]);
  const tool = async (...words: string[]) => auditArchiveCommand.run(['verify', ...words]);
  expect(await tool(file, '--vkey', audit.vkey)).toBe(0);
  expect(await tool(spoilt, '--vkey', audit.vkey)).toBe(1);
  await expect(tool(file)).rejects.toBeInstanceOf(UsageError);
  const stranger = { ...verifier, publicKey: Buffer.alloc(32, 7) };
  expect((await verifyArchive(file, stranger)).ok).toBe(false);
});
