// A database put back to a backup of before its last entries: the log refuses to go on, whether its own head file
// knows better or only a witness does; the witness answers 409; and with the newest copy everything is well.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { readCheckpoint } from '../../audit/checkpoint.ts';
import { formatVkey } from '../../audit/index.ts';
import { formatWitnessRequest } from '../../audit/witness-request.ts';
import { eventually } from '../support/eventually.ts';
import { startWitness, type WitnessProcess } from '../support/witness-process.ts';
import { type CopiedDatabase, makeDatabase } from './log-copies.ts';
import { checkHistory } from './log-history.ts';
import { type LogProcess, launchLog, roundsOr, startLog } from './log-process.ts';

const rounds = roundsOr(1);
const origin = 'faults.example/backup';
const processes: LogProcess[] = [];
let running: LogProcess | undefined;
let database: CopiedDatabase;
let witness: WitnessProcess;
let folder: string;
let headFile: string;
let keyFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yihao-backup-'));
  headFile = join(folder, 'head');
  keyFile = join(folder, 'key.pem');
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  await writeFile(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  database = await makeDatabase();
  witness = await startWitness({
    dir: join(folder, 'witness'),
    keyName: 'backup.example/witness',
    log: formatVkey(origin, raw),
  });
}, 60_000);
afterEach(() => running?.kill());
afterAll(async () => {
  witness.kill('SIGKILL');
  await witness.ended;
  await database.drop();
  await rm(folder, { recursive: true });
}, 60_000);

const settings = (own = headFile) => ({
  ...{ appUrl: database.appUrl, logUrl: database.logUrl, headFile: own, keyFile, origin },
  policy: `${witness.policyLine}\nquorum ${witness.name}`,
});

async function write(acts: number): Promise<void> {
  running = await startLog(settings());
  processes.push(running);
  running.call(2);
  await running.more(acts);
  // Everything it wrote is signed, in the head file and at the witness.
  await running.stop();
}

const witnessedSize = async () => {
  const [note = ''] = await witness.notes(origin);
  return readCheckpoint(note)?.size ?? 0;
};

test(
  `a backup some entries old is refused: ${rounds} rounds`,
  async () => {
    for (let round = 1; round <= rounds; round += 1) {
      await write(3);
      const putBackOlder = await database.backUp();
      const older = await witnessedSize();
      const [oldNote = ''] = await witness.notes(origin);
      await write(1 + (round % 4));
      const putBackNewest = await database.backUp();
      const newest = await witnessedSize();
      expect(newest).toBeGreaterThan(older);

      await putBackOlder();
      for (const [own, knows] of [
        [headFile, headFile],
        [join(folder, 'lost'), 'the witness backup.example/witness'],
      ] as const) {
        const refused = launchLog(settings(own));
        await expect(refused.ready).rejects.toThrow(
          new RegExp(
            `database holds ${older} log entries, but ${knows} holds a signed checkpoint over ${newest}`,
          ),
        );
        expect(await refused.ended).toBe(1);
        expect(refused.lines.filter(({ signed }) => signed !== undefined)).toEqual([]);
      }
      // Whoever signs on all the same finds no witness: it remembers.
      const reply = await witness.post(
        formatWitnessRequest({ oldSize: 0, proof: [], note: oldNote }),
      );
      expect([reply.status, reply.contentType, reply.body]).toEqual([
        409,
        'text/x.tlog.size',
        `${newest}\n`,
      ]);
      await putBackNewest();
      await eventually(async () => (await witnessedSize()) === newest);
    }
    await write(1);
    const sql = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
    try {
      await checkHistory(sql, { processes, headFile, notes: await witness.notes(origin) });
    } finally {
      await sql.end();
    }
  },
  60_000 + rounds * 120_000,
);
