// The life of the log in a whole house with a witness: another key while it serves, and the way on after a restore
// from an old backup.
import { spawn } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readCheckpoint } from '../../audit/checkpoint.ts';
import { formatVkey, parseVkey } from '../../audit/index.ts';
import { isOf, splitNote } from '../../audit/signed-note.ts';
import { operatorsOf } from '../../bench/city-traffic.ts';
import { systemIds } from '../../platform/index.ts';
import { verify } from '../../verifier/index.ts';
import { eventually } from '../support/eventually.ts';
import { startWitness, type WitnessProcess } from '../support/witness-process.ts';
import { Asked, type LogCity, prepareCity } from './log-city.ts';
import { checkHistory } from './log-history.ts';
import { roundsOr } from './log-process.ts';

const rounds = roundsOr(1);
let city: LogCity;
let pinned: string;
let origin: string;
let witness: WitnessProcess;

beforeAll(async () => {
  city = await prepareCity();
  origin = `127.0.0.1:${city.ports[0]}/log`;
  const key = createPublicKey(await readFile(join(city.keysDir, 'log.key.pem'), 'utf8'));
  pinned = formatVkey(origin, key.export({ format: 'der', type: 'spki' }).subarray(-32));
  await witnessStarts();
  city.settings.LOG_POLICY = join(city.root, 'policy');
  await writeFile(city.settings.LOG_POLICY, `${witness.policyLine}\nquorum ${witness.name}\n`);
  await city.serve();
  expect(await city.text('/log/vkey')).toBe(pinned);
}, 180_000);
afterAll(async () => {
  witness?.kill('SIGKILL');
  await city?.close();
}, 60_000);

/** Starts the witness, or starts it again; at its start it looks the log's keys up, else once a minute. */
async function witnessStarts(): Promise<void> {
  const port = witness && Number(new URL(witness.policyLine.split(' ')[3] ?? '').port);
  witness?.kill('SIGKILL');
  await witness?.ended;
  witness = await startWitness({
    dir: join(city.root, 'witness'),
    keyName: 'house.example/witness',
    log: pinned,
    keys: `${city.publicUrl}/log/vkeys`,
    port,
  });
}

/** Resolves once the witness holds a note over more entries than this. */
const witnessed = (index: number) =>
  eventually(
    async () => {
      const [note] = await witness.notes(origin);
      return note !== undefined && (readCheckpoint(note)?.size ?? 0) > index && note;
    },
    { timeoutMs: 30_000 },
  );

test('the key of the log changes while the house serves, and its witness and monitor follow', async () => {
  const proofOf = async (): Promise<{ proof: string; index: number }> => {
    const { audit: indexes } = Asked.parse((await city.traffic().ask(city.somebody())).json);
    const index = indexes[1] ?? -1;
    const proof = await eventually(
      async () => {
        const reply = await city.audit().call('GET', `/v1/audit/entries/${index}/receipt`);
        return reply.status === 200 && reply.text;
      },
      { timeoutMs: 15_000 },
    );
    return { proof, index };
  };
  const before = await proofOf();
  expect(await witnessed(before.index)).toContain('house.example/witness');
  const rotated = await city.command('keys', 'rotate', 'log');
  expect([rotated.code, rotated.err]).toEqual([0, '']);
  expect((await city.command('keys', 'rotate', 'log')).code).toBe(0);
  const next = await city.text('/log/vkey');
  expect(next).not.toBe(pinned);
  await witnessStarts();
  const during = await proofOf();
  await witnessed(during.index);
  expect((await city.command('keys', 'rotate', 'log', '--retire')).code).toBe(0);
  const after = await proofOf();
  // The witness was given the first key alone, and goes on signing what the next one signs.
  const note = await witnessed(after.index);
  const { lines } = splitNote(note);
  const signedBy = (vkey: string) => lines.some((line) => isOf(line, parseVkey(vkey)));
  expect([signedBy(next), signedBy(pinned)]).toEqual([true, false]);
  const keys = await city.text('/log/vkeys');
  for (const [name, { proof }] of Object.entries({ before, during, after })) {
    for (const vkey of [pinned, next]) {
      // As a checker without network does: by one key, and the keys that the log has stated.
      const { valid, reasons } = await verify(proof, vkey, undefined, undefined, keys);
      expect([name, valid, reasons]).toEqual([name, true, []]);
    }
  }
  // The old private key is where it can be destroyed; a restart does without it.
  await rm(join(city.keysDir, 'retired', 'log.key.pem'));
  await city.house().stop();
  await city.serve();
  expect((await proofOf()).proof).not.toBe('');
  const watched = await city.command(
    ...['monitor', '--log', pinned, '--url', `${city.house().baseUrl}/log`],
    ...['--dir', join(city.root, 'monitor'), '--once'],
  );
  expect([watched.code, watched.out]).toEqual([0, expect.stringContaining('First look')]);
}, 180_000);

test('restored from an old backup, the house states its loss, and everybody is told', async () => {
  // A new epoch is a new log to a witness, which somebody decides on: here nobody has yet.
  delete city.settings.LOG_POLICY;
  await city.house().stop();
  const copy = async (from: string, to: string) => {
    await city.superSql.unsafe(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${from}'`,
    );
    await city.superSql.unsafe(`drop database if exists ${to} with (force)`);
    await city.superSql.unsafe(`create database ${to} template ${from} owner yihao`);
  };
  await copy('yihao', 'backup');
  await city.serve();
  const { audit: lostIndexes } = Asked.parse((await city.traffic().ask(city.somebody())).json);
  const proof = await eventually(
    async () => {
      const reply = await city.audit().call('GET', `/v1/audit/entries/${lostIndexes[1]}/receipt`);
      return reply.status === 200 && reply.text;
    },
    { timeoutMs: 15_000 },
  );
  const proofFile = join(city.root, 'lost.proof');
  await writeFile(proofFile, proof);
  const monitor = () =>
    city.command(
      ...['monitor', '--log', pinned, '--url', `${city.house().baseUrl}/log`],
      ...['--dir', join(city.root, 'monitor'), '--once'],
    );
  expect((await monitor()).out).toContain('nothing before changed');
  await city.house().killGroup();
  await copy('backup', 'yihao');
  await expect(city.start()).rejects.toThrow(/database is an old copy/);

  const [first, second] = await operatorsOf(city.dataDir);
  const words = [
    ...['audit', 'new-epoch', '--reason', 'The disk failed; the backup of the night was restored.'],
    ...['--operator', first?.username ?? '', '--operator', second?.username ?? ''],
    ...['--confirm', `127.0.0.1:${city.ports[0]}/log/2`],
  ];
  expect((await city.command(...words.slice(0, -2), '--confirm', 'another')).code).toBe(1);
  expect((await city.command(...words.slice(0, 6), '--operator', 'nobody')).code).toBe(1);
  // Killed at any moment it has done nothing, or all of it.
  for (let round = 1; round <= rounds; round += 1) {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', join(import.meta.dirname, '..', '..', 'cli', 'yihao.ts'), ...words],
      {
        stdio: 'ignore',
        env: { ...process.env, ...city.settings, PORT: String(city.ports[0]) },
      },
    );
    const ended = new Promise((resolve) => child.once('close', resolve));
    await wait(300 + systemIds.int(2500));
    child.kill('SIGKILL');
    await ended;
  }
  const stated = await city.command(...words);
  const again = await city.command(...words);
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('audit.epoch_not_needed')]);
  const isFirst = stated.code === 0;
  if (!isFirst) expect(stated.err).toContain('audit.epoch_not_needed');

  await city.serve();
  const statement = await city.text('/log/epochs/2');
  expect(statement).toContain('"kind":"epoch"');
  await eventually(
    async () =>
      (await city.text('/log/checkpoint')).startsWith(`127.0.0.1:${city.ports[0]}/log/2\n`),
    {
      timeoutMs: 15_000,
    },
  );
  expect(await city.text('/log/epochs/1/checkpoint')).toMatch(/^127\.0\.0\.1:\d+\/log\n/);
  for (const [lang, words] of [
    ['en', 'a restore from a backup lost entries'],
    ['zh', '恢复备份时'],
  ]) {
    expect(await city.text(`/?lang=${lang}`)).toContain(words);
  }
  const followed = await monitor();
  expect([followed.code, followed.out]).toEqual([
    0,
    expect.stringMatching(/restore lost entries \d+ to \d+[\s\S]*left are unchanged/),
  ]);
  expect((await monitor()).out).not.toContain('restore lost');
  // A loss that was stated convicts nobody.
  const known = await readdir(join(city.root, 'monitor'));
  expect(known.filter((name) => name.startsWith('evidence'))).toEqual([]);
  // The receipt of what was lost still holds, and says that it was.
  const keysFile = join(city.root, 'keys.json');
  await writeFile(keysFile, await city.text('/log/vkeys'));
  const checked = await city.command(
    'audit',
    'check',
    proofFile,
    '--vkey',
    pinned,
    '--keys',
    keysFile,
  );
  expect([checked.code, checked.out]).toEqual([0, expect.stringContaining('lost this entry')]);
  const statementFile = join(city.root, 'statement');
  await writeFile(statementFile, `${statement}\n`);
  const said = await city.command(
    'audit',
    'check',
    statementFile,
    '--vkey',
    pinned,
    '--keys',
    keysFile,
  );
  expect([said.code, said.out]).toEqual([0, expect.stringContaining('The log has stated this.')]);
  expect((await city.traffic().ask(city.somebody())).status).toBe(200);
  expect((await city.audit().call('GET', '/v1/audit/integrity')).json).toMatchObject({ ok: true });
  await checkHistory(city.sql, { processes: [], headFile: join(city.dataDir, 'log-head.json') });
}, 300_000);
