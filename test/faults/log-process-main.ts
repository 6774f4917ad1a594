// A process that carries the log and nothing else, for the fault tests to kill, stop and start: reads its settings
// as JSON from its first word, writes a journal of what it was told on standard output, one JSON line each.
// Its failpoints stand here, around what it hands to audit/: the house itself has none.
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { createAudit, parsePolicy } from '../../audit/index.ts';
import {
  type Clock,
  connectDatabase,
  createLogger,
  type Database,
  systemClock,
  systemIds,
} from '../../platform/index.ts';
import { aDraft } from '../integration/audit/a-log.ts';
import { LogSettings } from './log-process.ts';

const settings = LogSettings.parse(JSON.parse(process.argv[2] ?? ''));
const { origin, headFile, failpoint } = settings;
const privateKey = createPrivateKey(readFileSync(settings.keyFile, 'utf8'));
const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);

/** Synchronous, so that a line is out before a kill. */
const say = (line: object): void => {
  writeSync(1, `${JSON.stringify(line)}\n`);
};

const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('Killed.');
};

/** Whether a statement's text holds these words; drizzle's and the driver's own forms alike. */
const speaksOf = (query: unknown, words: string): boolean =>
  JSON.stringify(query)
    ?.replaceAll(/\s+|\\n/g, ' ')
    .includes(words) ?? false;

/** The database, dying before or after the statement that the failpoint names. */
function failing(database: Database): Database {
  const points = {
    'before keeping': { words: 'insert into audit.checkpoints', isAfter: false },
    'after keeping': { words: 'insert into audit.checkpoints', isAfter: true },
    'before publishing': { words: 'update audit.checkpoints set published_at', isAfter: false },
    'after publishing': { words: 'update audit.checkpoints set published_at', isAfter: true },
  };
  const point = Object.entries(points).find(([name]) => name === failpoint)?.[1];
  if (!point) return database;
  const execute = async (query: Parameters<Database['db']['execute']>[0]) => {
    const isIt = speaksOf(query, point.words);
    if (isIt && !point.isAfter) die();
    const rows = await database.db.execute(query);
    if (isIt) die();
    return rows;
  };
  const db = new Proxy(database.db, {
    get: (target, name) => (name === 'execute' ? execute : Reflect.get(target, name)),
  });
  return { ...database, db };
}

/** Without libfaketime a test moves this process's clock by a file that holds seconds. */
const { clockFile } = settings;
const clock: Clock =
  clockFile === undefined
    ? systemClock
    : {
        now: () =>
          new Date(systemClock.now().getTime() + 1000 * Number(readFileSync(clockFile, 'utf8'))),
      };

const database = connectDatabase({ url: settings.appUrl, max: 8, applicationName: 'fault-app' });
const logDatabase = connectDatabase({ url: settings.logUrl, max: 3, applicationName: 'fault-log' });
const audit = createAudit({
  database,
  logDatabase: failing(logDatabase),
  clock,
  ids: systemIds,
  logger: createLogger({
    level: 'warn',
    destination: { write: (line) => say({ log: line }) },
  }),
  signer: {
    publicKey,
    sign: (bytes) => {
      const text = bytes.toString();
      if (failpoint === 'before signing' && text.includes('\n')) die();
      const signature = sign(null, bytes, privateKey);
      // What was signed counts, kept or not: a tree of that size and root exists for whoever got hold of it.
      if (text.includes('\n')) say({ signed: text });
      return signature;
    },
  },
  origin,
  headFile,
  policy: settings.policy === undefined ? undefined : parsePolicy(settings.policy),
});

/** Writes three entries at a time, all of one act: all are there, or none. */
async function call(): Promise<void> {
  for (;;) {
    const group = systemIds.uuid();
    try {
      const draft = () => aDraft({ verification: group });
      const staged = await database.transaction((tx) =>
        audit.appendMany(tx, [draft(), draft(), draft()]),
      );
      const indexes = await audit.sequenced(staged.map(({ stageId }) => stageId));
      say({ group, indexes, at: clock.now().toISOString() });
    } catch {
      await wait(50);
    }
  }
}

async function showCheckpoints(): Promise<void> {
  for (let last: string | null = null; ; await wait(100)) {
    const note: string | null = await audit.checkpoint().catch(() => last);
    if (note !== null && note !== last) say({ checkpoint: note });
    last = note;
  }
}

try {
  if (settings.mode === 'verify') say({ report: await audit.verify() });
  await audit.startSequencer();
  if (settings.mode === 'verify') process.exit(0);
} catch (error) {
  say({
    refused:
      error instanceof Error ? `${error.message} ${'detail' in error ? error.detail : ''}` : '',
  });
  process.exit(1);
}
say({ ready: true });
void showCheckpoints();
for await (const line of createInterface({ input: process.stdin })) {
  const [word, count] = line.split(' ');
  if (word === 'callers') for (let at = 0; at < Number(count); at += 1) void call();
  if (word === 'stop') {
    await audit.stop();
    process.exit(0);
  }
}
