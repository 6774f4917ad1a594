// `monitor`: follows a log from outside, proves each checkpoint to be a continuation of the last, and
// writes down what convicts the log when one is not. Needs the log's public key and its public address.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  auditErrors,
  compareCheckpoints,
  Evidence,
  growsFrom,
  judgeEvidence,
  type LogEpoch,
  openOfEpoch,
  originHash,
  parsePolicy,
  parseVkey,
  type ReadTile,
  tilePath,
} from '../audit/index.ts';
import { readIfThere, replaceFile, systemClock } from '../platform/index.ts';
import { type Command, readArgs, UsageError } from './command.ts';
import { type FollowedLog, followLog, openFollowed, verifiersOfLog } from './followed-log.ts';
import { readVkey } from './vkey-argument.ts';

/** A cache may serve the checkpoint of a moment ago; older than this it is none. */
const staleSeconds = 10;
const patienceMs = 10_000;

interface Watch {
  vkey: string;
  /** The log as it was when last followed. */
  log: FollowedLog;
  /** Where checkpoint and tiles are. */
  url: string;
  /** Where witnesses show the checkpoint they signed last. */
  witnesses: { name: string; url: string }[];
  dir: string;
}

export const monitorCommand: Command = {
  name: 'monitor',
  summary: 'Follow a log from outside, and write down what convicts it',
  help: `monitor --log VKEY [--url URL] [--policy FILE] [--dir DIR] [--every S] [--once]
monitor --evidence FILE --log VKEY

Fetches the log's checkpoint, proves with its tiles that it continues the one known before, and prints
a line whenever it has grown. Also compares it with what the witnesses of a policy have signed. When
the log signed two histories, or shows fewer entries than it signed, it writes a file that anyone can
check with the log's key alone, and exits with 1. Where the log has stated another key or a new epoch
after a restore (/log/vkeys), it follows, and says what was stated as lost.

  --log VKEY       the log's key (from /log/vkey, once, by a way you trust) or a file that holds it
  --url URL        where the log is (default http://HOST:PORT/log of this machine's settings)
  --policy FILE    witnesses with addresses (C2SP tlog-policy)
  --dir DIR        what is known of the log, and evidence (default .monitor)
  --every S        seconds between two looks (default 10); --once looks once and exits with 0
  --evidence FILE  says what a file of evidence shows, offline; exits with 0 when it convicts`,
  async run(args) {
    const { values } = readArgs(args, {
      log: { type: 'string' },
      url: { type: 'string', default: 'http://127.0.0.1:4100/log' },
      policy: { type: 'string' },
      dir: { type: 'string', default: '.monitor' },
      every: { type: 'string', default: '10' },
      once: { type: 'boolean', default: false },
      evidence: { type: 'string' },
    });
    if (!values.log) throw new UsageError('Say whose --log to follow.');
    const everySeconds = Number(values.every);
    if (!(everySeconds >= 1)) throw new UsageError('--every takes seconds, 1 or more.');
    const vkey = await readVkey(values.log);
    parseVkey(vkey); // refused before anything is made
    if (values.evidence !== undefined) return judge(values.evidence, vkey);
    const policy = values.policy === undefined ? '' : await readFile(values.policy, 'utf8');
    const watch: Omit<Watch, 'log'> = {
      vkey,
      url: values.url.replace(/\/$/, ''),
      witnesses:
        policy === ''
          ? []
          : parsePolicy(policy).witnesses.flatMap(({ name, url }) => (url ? [{ name, url }] : [])),
      dir: values.dir,
    };
    await mkdir(watch.dir, { recursive: true, mode: 0o700 });
    for (;;) {
      const isConvicted = await lookOnce(watch);
      if (isConvicted) return 1;
      if (values.once) return 0;
      await pause(everySeconds * 1000);
    }
  },
};

/** One look at the log and at its witnesses; true when evidence was written. */
async function lookOnce(watched: Omit<Watch, 'log'>): Promise<boolean> {
  try {
    const watch: Watch = { ...watched, log: await followLog(watched.vkey, watched.url) };
    if (await takeUpEpochs(watch)) return true;
    const seen = await fetchText(`${watch.url}/checkpoint`);
    if (await compareWithKnown(watch, seen)) return true;
    for (const { name, url } of watch.witnesses) {
      const signed = await fetchText(
        `${url}/${originHash(watch.log.epoch.origin)}/checkpoint`,
      ).catch(() => {
        console.log(`The witness ${name} does not answer.`);
        return undefined;
      });
      if (signed !== undefined && (await compareWithWitness(watch, signed, seen, name)))
        return true;
    }
  } catch (error) {
    // A log that can't be reached is no evidence; it is looked at again.
    console.log(`Not seen this time: ${error instanceof Error ? error.message : String(error)}`);
  }
  return false;
}

const knownPath = ({ dir }: Pick<Watch, 'dir'>, { origin }: LogEpoch) =>
  join(dir, `${originHash(origin)}.checkpoint`);

const trustOf = ({ log, vkey }: Watch) => ({ log: verifiersOfLog(log), vkey, keys: log.keys });

/**
 * Takes note of each new epoch: says what it states as lost, holds that against what was known, and proves
 * that the new tree goes on from what it says it does. True when the statement hides a loss.
 */
async function takeUpEpochs(watch: Watch): Promise<boolean> {
  for (const epoch of watch.log.epochs) {
    const { statement } = epoch;
    if (!statement || (await readIfThere(knownPath(watch, epoch))) !== undefined) continue;
    const before = watch.log.epochs.find(({ number }) => number === epoch.number - 1);
    const known = before && (await readIfThere(knownPath(watch, before)));
    const { lastKnown, restored, lost, reason, at } = statement;
    console.log(
      lost
        ? `At ${at} the log stated that a restore lost entries ${lost.from} to ${lost.to}; it is ${epoch.origin} from then on. Its reason: ${reason}`
        : `At ${at} the log stated that its restored tree of ${restored.size} entries is another than the one of ${lastKnown.size} it had signed; it is ${epoch.origin} from then on. Its reason: ${reason}`,
    );
    if (before && known !== undefined) {
      const { size } = openOfEpoch(known, before);
      if (size > restored.size && size > lastKnown.size) {
        const shownAt = systemClock.now().toISOString();
        const what = 'yihao log evidence v1' as const;
        const { vkey: log, log: followed } = watch;
        return convict(watch, {
          ...{ what, kind: 'rollback' as const, log, keys: followed.keys, known, shownAt },
          shown: lastKnown.note,
        });
      }
    }
    if (epoch !== watch.log.epoch) continue;
    const shown = await fetchText(`${watch.url}/checkpoint`);
    const head = openFollowed(shown, watch.log);
    const tree = { size: head.size, readTile: tilesAt(watch.url) };
    const left = { size: restored.size, root: Buffer.from(restored.root, 'base64') };
    const isKept = await growsFrom(left, head.root, tree);
    const kept = before && known !== undefined ? openOfEpoch(known, before) : undefined;
    const isKnownKept =
      !kept || kept.size > restored.size || (await growsFrom(kept, head.root, tree));
    if (!isKept || !isKnownKept) {
      throw auditErrors.proof_invalid('its new epoch does not go on from what it says it does');
    }
    console.log(`The ${restored.size} entries that were left are unchanged in it.`);
  }
  return false;
}

/** What the log shows against what is known of it; what has grown becomes what is known. */
async function compareWithKnown(watch: Watch, shown: string): Promise<boolean> {
  const path = knownPath(watch, watch.log.epoch);
  const known = await readIfThere(path);
  const { size } = openFollowed(shown, watch.log);
  if (known === undefined) {
    await replaceFile(path, shown);
    const { origin } = watch.log.epoch;
    console.log(`First look: ${origin} has ${size} entries. It is trusted from here on.`);
    return false;
  }
  const outcome = await compareFresh(watch, known, shown);
  if (outcome.kind === 'evidence') return convict(watch, outcome.evidence);
  if (outcome.kind === 'unproved')
    throw auditErrors.proof_invalid('its tiles do not fit its checkpoint');
  if (outcome.kind === 'grown') {
    await replaceFile(path, outcome.shown);
    const { size: grownTo } = openFollowed(outcome.shown, watch.log);
    const from = openFollowed(known, watch.log).size;
    console.log(`Grown from ${from} to ${grownTo} entries, and nothing before changed.`);
  }
  return false;
}

/** The same, giving a cache time to forget: fewer entries once are no evidence yet. */
async function compareFresh(watch: Watch, known: string, first: string) {
  let shown = first;
  for (let waited = 0; ; waited += 1) {
    const at = systemClock.now();
    const outcome = await compareCheckpoints(
      { known, shown, ...trustOf(watch), at },
      tilesAt(watch.url),
    );
    const isRollback = outcome.kind === 'evidence' && outcome.evidence.kind === 'rollback';
    if (!isRollback || waited === staleSeconds) return { ...outcome, shown };
    await pause(1000);
    shown = await fetchText(`${watch.url}/checkpoint`);
  }
}

/** What a witness signed against what the log shows. */
async function compareWithWitness(watch: Watch, signed: string, shown: string, name: string) {
  const outcome = await compareFresh(watch, signed, shown);
  if (outcome.kind === 'evidence') return convict(watch, outcome.evidence);
  if (outcome.kind === 'unproved') {
    console.log(`The log can't prove what the witness ${name} has signed; it is looked at again.`);
  }
  return false;
}

async function convict(watch: Watch, evidence: Evidence): Promise<true> {
  const stamp = evidence.shownAt.replaceAll(/[:.]/g, '-');
  const path = join(watch.dir, `evidence-${evidence.kind}-${stamp}.json`);
  await replaceFile(path, `${JSON.stringify(evidence, undefined, 2)}\n`);
  console.log(judgeEvidence(evidence, watch.vkey));
  console.log(`Written to ${path}: keep it, and show it to the auditors and to the witnesses.`);
  return true;
}

async function judge(path: string, vkey: string): Promise<number> {
  const parsed = Evidence.safeParse(JSON.parse(await readFile(path, 'utf8')));
  const says = parsed.success ? judgeEvidence(parsed.data, vkey) : undefined;
  console.log(says ?? 'This file shows nothing against the log.');
  return says === undefined ? 1 : 0;
}

function tilesAt(url: string): ReadTile {
  return async (address) => {
    const reply = await get(`${url}/tile/${tilePath(address)}`);
    return Buffer.from(await reply.arrayBuffer());
  };
}

async function fetchText(url: string): Promise<string> {
  return (await get(url)).text();
}

async function get(url: string): Promise<Response> {
  const reply = await fetch(url, { signal: AbortSignal.timeout(patienceMs), redirect: 'error' });
  if (!reply.ok) throw new Error(`${url} answers ${reply.status}`);
  return reply;
}
