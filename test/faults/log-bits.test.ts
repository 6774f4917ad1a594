// One bit flipped in each place where the log keeps something: the verifier names the index, and a process that is
// to lead tells of it too: loudly where an entry is spoilt, refusing where the tree is.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemIds } from '../../platform/index.ts';
import { withDatabase } from '../support/database.ts';
import { type LogProcess, launchLog, roundsOr, startLog } from './log-process.ts';

const { ownerSql, appUrl, logUrl } = withDatabase();
const rounds = roundsOr(1);
let folder: string;
let keyFile: string;
let size: number;
let sizes: number[];

const settings = () => ({ appUrl, logUrl, keyFile, origin: 'faults.example/bits' });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yihao-bits-'));
  keyFile = join(folder, 'key.pem');
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeFile(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const log: LogProcess = await startLog(settings());
  log.call(16);
  // More than a full tile, and an edge beside it.
  await log.more(100);
  await log.stop();
  const [head] = await ownerSql<{ size: number }[]>`select size::float8 as size from audit.head`;
  size = head?.size ?? 0;
  expect(size).toBeGreaterThan(256);
  const rows = await ownerSql<{ size: number }[]>`
    select size::float8 as size from audit.checkpoints order by size`;
  sizes = rows.map((row) => row.size);
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

const flipped = (column: string, bit: number) =>
  `${column} = set_bit(${column}, ${bit}, 1 - get_bit(${column}, ${bit}))`;

interface Place {
  what: string;
  /** Hashes or heads: what every proof stands on. */
  isOfTree?: boolean;
  /** The statement that flips a bit, and flips it back; and the index that is to be named. */
  damage(): { act: string; index?: number };
}

const anIndex = () => systemIds.int(size);
const aCheckpoint = () => sizes[systemIds.int(sizes.length)] ?? size;

const places: Place[] = [
  {
    what: 'an entry',
    damage: () => {
      const index = anIndex();
      return {
        act: `update audit.entries set ${flipped('leaf', 100 + systemIds.int(2000))} where idx = ${index}`,
        index,
      };
    },
  },
  {
    what: 'a leaf hash',
    damage: () => {
      const index = anIndex();
      return {
        act: `update audit.entries set ${flipped('leaf_hash', systemIds.int(256))} where idx = ${index}`,
        index,
      };
    },
  },
  {
    what: 'a tile',
    isOfTree: true,
    damage: () => {
      const index = systemIds.int(256);
      const bit = index * 256 + systemIds.int(256);
      return {
        act: `update audit.tiles set ${flipped('hashes', bit)} where level = 0 and n = 0`,
        index,
      };
    },
  },
  {
    what: 'the head',
    isOfTree: true,
    damage: () => ({ act: `update audit.head set ${flipped('root', systemIds.int(256))}` }),
  },
  {
    what: 'a checkpoint',
    isOfTree: true,
    damage: () => {
      const at = aCheckpoint();
      return {
        act: `update audit.checkpoints set ${flipped('root', systemIds.int(256))} where size = ${at}`,
        // The first checkpoint is over no entry.
        ...(at > 0 && { index: at - 1 }),
      };
    },
  },
  {
    what: 'a salt',
    damage: () => {
      const index = anIndex();
      return {
        act: `update audit.lookups set ${flipped('sealed', systemIds.int(2400))} where idx = ${index}`,
        index,
      };
    },
  },
];

/** Behind the back of all guards, as only a disk or the owner can. */
async function secretly(act: string): Promise<void> {
  const tables = ['entries', 'entries_0', 'tiles', 'checkpoints', 'head'];
  await ownerSql.begin(async (sql) => {
    for (const table of tables) await sql.unsafe(`alter table audit.${table} disable trigger user`);
    await sql.unsafe(act);
    for (const table of tables) await sql.unsafe(`alter table audit.${table} enable trigger user`);
  });
}

/** A process that checks the log and then tries to lead it. */
async function checked(): Promise<LogProcess> {
  const log = launchLog({ ...settings(), mode: 'verify' });
  await log.ended;
  return log;
}

test(
  `a bit flipped in each place is named: ${rounds} rounds`,
  async () => {
    for (let round = 1; round <= rounds; round += 1) {
      for (const { what, isOfTree = false, damage } of places) {
        const { act, index } = damage();
        await secretly(act);
        const { lines } = await checked();
        await secretly(act);
        const report = lines.find((line) => line.report)?.report;
        const context = `${what}: ${act}`;
        expect([context, report?.ok]).toEqual([context, false]);
        if (index !== undefined) {
          expect([context, report?.faults.map((fault) => fault.index)]).toEqual([
            context,
            expect.arrayContaining([index]),
          ]);
        }
        // At a start a spoilt entry is told of; on a spoilt tree nothing is built.
        const refused = lines.find((line) => line.refused !== undefined)?.refused ?? '';
        const told = [refused, ...lines.map((line) => line.log ?? '')].join(' ');
        if (isOfTree) {
          expect([context, refused]).toEqual([context, expect.stringContaining('head_mismatch')]);
        }
        if (index !== undefined) {
          expect([context, told]).toEqual([context, expect.stringMatching(`\\b${index}\\b`)]);
        }
      }
      const { lines } = await checked();
      expect(lines.find((line) => line.report)?.report).toMatchObject({ ok: true, faults: [] });
      expect(lines.some(({ refused }) => refused !== undefined)).toBe(false);
    }
  },
  60_000 + rounds * 120_000,
);
