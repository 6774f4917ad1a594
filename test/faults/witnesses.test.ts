// The log and its outside witnesses, each a process with a key and a disk of its own.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openCosignatures } from '../../audit/cosignature.ts';
import { type Audit, parsePolicy } from '../../audit/index.ts';
import { splitNote } from '../../audit/signed-note.ts';
import { parseTlogProof } from '../../audit/tlog-proof.ts';
import { originHash } from '../../audit/witness.ts';
import { createLogger } from '../../platform/index.ts';
import { verify } from '../../verifier/index.ts';
import { aDraft, aLog, aSigner, origin, write } from '../integration/audit/a-log.ts';
import { putBack } from '../integration/audit/put-back.ts';
import { withDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startWitness, type WitnessProcess } from '../support/witness-process.ts';

const { database, logDatabase, ownerSql, setClockOffset } = withDatabase();
const running: WitnessProcess[] = [];
const logLines: string[] = [];
let folder: string;
let audit: Audit | undefined;
let health: WitnessProcess;
let court: WitnessProcess;
let policyText: string;

const dirOf = (name: string) => join(folder, name);
const portOf = ({ policyLine }: WitnessProcess) =>
  Number(new URL(policyLine.split(' ')[3] ?? '').port);

async function aWitness(name: string, port?: number): Promise<WitnessProcess> {
  const witness = await startWitness({
    dir: dirOf(name),
    keyName: `${name}.example/witness`,
    log: aLog({ database }).vkey,
    ...(port === undefined ? {} : { port }),
  });
  running.push(witness);
  return witness;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yihao-witness-'));
  [health, court] = await Promise.all([aWitness('health'), aWitness('court')]);
  policyText = [
    `log ${aLog({ database }).vkey}`,
    health.policyLine,
    court.policyLine,
    `group both all ${health.name} ${court.name}`,
    'quorum both',
  ].join('\n');
}, 60_000);
afterEach(async () => {
  await audit?.stop();
  audit = undefined;
  logLines.length = 0;
});
afterAll(async () => {
  for (const witness of running) witness.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

function aWitnessedLog(): Audit {
  const logger = createLogger({
    level: 'warn',
    destination: { write: (line) => logLines.push(line) },
  });
  audit = aLog({ database, logDatabase, logger, policy: parsePolicy(policyText) });
  return audit;
}

const untilWitnessed = (log: Audit, size: number) =>
  eventually(
    async () => {
      const state = await log.witnessState();
      return state.isWitnessed && state.size >= size ? state : null;
    },
    { timeoutMs: 15_000 },
  );

test('a checkpoint is cosigned within seconds, and every receipt carries the cosignatures', async () => {
  const log = aWitnessedLog();
  await log.startSequencer();
  const [index = -1] = await write(log, database, [aDraft()]);
  const state = await untilWitnessed(log, index + 1);
  expect(state).toEqual({
    isWitnessed: true,
    witnesses: ['court.example/witness', 'health.example/witness'],
    size: index + 1,
    asked: 2,
  });
  const { checkpoint } = parseTlogProof(await log.receipt(index));
  expect(checkpoint).toBe(await log.checkpoint());
  const { text, lines } = splitNote(checkpoint);
  const known = parsePolicy(policyText).witnesses.map(({ verifier }) => verifier);
  expect(
    openCosignatures(text, lines, known)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(state.witnesses);
  // And each witness has it on its own disk.
  for (const name of ['health', 'court']) {
    const kept = await readFile(join(dirOf(name), `${originHash(origin)}.checkpoint`), 'utf8');
    expect(splitNote(kept).text).toBe(text);
  }
  const verdict = await verify(await log.receipt(index), log.vkey, policyText);
  expect(verdict).toMatchObject({ valid: true, facts: { isWitnessed: true } });
});

test('with a witness missing the log goes on, unwitnessed, and is witnessed again when it is back', async () => {
  const log = aWitnessedLog();
  await log.startSequencer();
  const [first = -1] = await write(log, database, [aDraft()]);
  await untilWitnessed(log, first + 1);
  const port = portOf(court);
  court.kill('SIGKILL');
  await court.ended;
  const [second = -1] = await write(log, database, [aDraft()]);
  // What is witnessed is shown while the witness may only be slow, then what there is.
  expect((await log.witnessState()).size).toBe(first + 1);
  await setClockOffset(6000);
  const state = await eventually(async () => {
    const now = await log.witnessState();
    return now.isWitnessed || now.witnesses.length === 0 ? null : now;
  });
  expect(state).toMatchObject({ witnesses: ['health.example/witness'], size: second + 1 });
  const verdict = await verify(await log.receipt(second), log.vkey, policyText);
  expect(verdict).toMatchObject({
    valid: false,
    reasons: ['The quorum of the policy has not signed this checkpoint: 1 of 2 witnesses have.'],
  });
  court = await aWitness('court', port);
  expect((await untilWitnessed(log, second + 1)).witnesses).toHaveLength(2);
  await setClockOffset(0);
});

test('a log that was put back to an older copy is refused at the start, though its own files agree', async () => {
  const log = aWitnessedLog();
  await log.startSequencer();
  const older = await log.head();
  const [index = -1] = await write(log, database, [aDraft()]);
  await untilWitnessed(log, index + 1);
  await log.stop();
  await putBack(ownerSql, older);
  await expect(log.startSequencer()).rejects.toMatchObject({
    code: 'audit.head_mismatch',
    detail: expect.stringContaining('example/witness holds a signed checkpoint'),
  });
});

test('a log that lost an entry and goes on is refused by its witnesses, and signs nothing more', async () => {
  // They can't be reached at the start, so the log can't know.
  const ports = [health, court].map(portOf);
  for (const witness of [health, court]) {
    witness.kill('SIGKILL');
    await witness.ended;
  }
  const log = aWitnessedLog();
  await log.startSequencer();
  await write(log, database, [aDraft(), aDraft(), aDraft()]);
  await eventually(async () => (await log.witnessState()).size === (await log.head()).size);
  [health, court] = await Promise.all([aWitness('health', ports[0]), aWitness('court', ports[1])]);
  await eventually(() => logLines.some((line) => line.includes('Nothing more is signed')));
  const last = await log.checkpoint();
  await write(log, database, [aDraft()]);
  // A stop publishes what is there, of a log that may sign.
  await log.stop();
  expect(await log.checkpoint()).toBe(last);
  expect((await log.witnessState()).isWitnessed).toBe(false);
}, 60_000);

test('a policy of another log is refused', () => {
  const other = policyText.replace(
    /^log .*$/m,
    `log ${aLog({ database, signer: aSigner() }).vkey}`,
  );
  expect(() => aLog({ database, policy: parsePolicy(other) })).toThrow('audit.policy_invalid');
});

test('a witness whose folder another process holds does not start', async () => {
  await expect(aWitness('health')).rejects.toThrow('platform.already_running');
});
