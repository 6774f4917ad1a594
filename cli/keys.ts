// `keys rotate` and `keys status`: new versions of the keys that personal data stands under, made
// while the house serves.
import { setTimeout as wait } from 'node:timers/promises';
import { keysInUse } from '../audit/index.ts';
import type { Identity } from '../identity/index.ts';
import { type Command, type ExitCode, readArgs, UsageError } from './command.ts';
import { ownerOf, withHouse } from './house.ts';

const rotating = ['kek', 'index-registry'] as const;
type RotatingKey = (typeof rotating)[number];

const pollMs = 500;

/** How many rows stand under the newest version of a key, and how many under older ones. */
async function countsOf(identity: Identity, name: RotatingKey) {
  const versions = (await identity.keyVersions()).filter((one) => one.name === name);
  const newest = Math.max(...versions.map((one) => one.version));
  const sum = (isNewest: boolean): number =>
    versions
      .filter((one) => (one.version === newest) === isNewest)
      .reduce((total, one) => total + one.uses, 0);
  return { moved: sum(true), left: sum(false) };
}

/** Works beside the house's own workers until the old version is retired, and says how far it is. */
async function finishRotation(identity: Identity, name: RotatingKey): Promise<void> {
  let isDone = false;
  const work = async (): Promise<void> => {
    while ((await identity.rotateKeys()).includes(name)) await wait(pollMs);
  };
  const report = async (): Promise<void> => {
    for (let last = ''; !isDone; await wait(pollMs)) {
      const { moved, left } = await countsOf(identity, name);
      const line =
        left > 0
          ? `${name}: ${moved} of ${moved + left} rows moved`
          : `${name}: all ${moved} rows moved; waiting for older transactions to end`;
      if (line !== last) console.log(line);
      last = line;
    }
  };
  const reporting = report();
  try {
    await work();
  } finally {
    isDone = true;
    await reporting;
  }
}

/** Announces the log's next key, or retires its old one; either twice changes nothing. */
const rotateLog = (isRetiring: boolean): Promise<ExitCode> =>
  withHouse(async ({ services: { audit, logKeys, ids } }) => {
    const rotation = audit.keyRotation();
    const actor = ownerOf(ids).kind;
    const inUse = keysInUse((await audit.life()).current);
    const newest = inUse.at(-1)?.verifier.publicKey;
    if (!newest) throw new TypeError('A log has a key in use.');
    if (!isRetiring) {
      if (inUse.length === 1) await rotation.announce(await logKeys.next(newest), actor);
      const { current } = await audit.life();
      console.log(`log: ${audit.vkey} signs beside ${current.keys.at(-2)?.vkey}`);
      console.log('Tell witnesses, monitors and gazettes; then: keys rotate log --retire');
      return 0;
    }
    await rotation.retire(actor);
    const { current } = await audit.life();
    for (const { retiredAt, verifier } of current.keys) {
      if (retiredAt !== undefined) logKeys.retire(verifier.publicKey);
    }
    console.log(`log: ${audit.vkey} signs alone`);
    return 0;
  });

export const keysRotateCommand: Command = {
  name: 'keys rotate',
  summary: 'Make a new version of the log’s key, or of one that personal data stands under',
  help: `keys rotate ${rotating.join('|')} [--no-wait]
keys rotate log [--retire]

kek              the key-encryption key: the data key of each person is wrapped anew
index-registry   the key of the blind index that finds a person: each index is computed anew

Writes the new version into KEYS_DIR/secrets, from where every running process takes it up without
a restart, and moves what stands under the old one in small batches, beside the house's workers.
Cut off at any point, the workers go on by themselves; so they do with --no-wait. When nothing uses
the old version it is moved to KEYS_DIR/retired: backups of the database made before need it. Back
KEYS_DIR up before and after. All processes of a house share KEYS_DIR.

log   another key for the log's checkpoints. It is announced by an entry and a note that both keys sign
      (/log/vkeys), and signs beside the old one from then on. Give the key that is printed to witnesses,
      monitors and gazettes; when they have it, --retire lets it sign alone and moves the old private key
      to KEYS_DIR/retired: destroy it. Receipts signed before keep verifying with the old key.

The other keys do not rotate; docs/adr/0010-key-versions-and-erasure.md says why.
Exit code: 0 when the old version is retired (with --no-wait: when the new one writes), 1 when refused.`,
  async run(args) {
    const { values, positionals } = readArgs(args, {
      'no-wait': { type: 'boolean' },
      retire: { type: 'boolean' },
    });
    if (positionals[0] === 'log' && positionals.length === 1 && !values['no-wait']) {
      return rotateLog(values.retire ?? false);
    }
    if (values.retire) throw new UsageError('Only the key of the log is retired by hand.');
    const name = rotating.find((one) => one === positionals[0]);
    if (!name || positionals.length > 1) {
      throw new UsageError(`Say which key: ${rotating.join(', ')} or log.`);
    }
    return withHouse(async ({ services: { identity, ids } }) => {
      const version = await identity.beginRotation(ownerOf(ids), name);
      console.log(`${name}: version ${version} writes from now on`);
      if (values['no-wait']) return 0;
      await finishRotation(identity, name);
      console.log(`${name}: version ${version - 1} is retired`);
      return 0;
    });
  },
};

export const keysStatusCommand: Command = {
  name: 'keys status',
  summary: 'Show the versions of the keys that rotate, and what stands under them',
  help: `keys status

One line per version: its state, and how many rows stand under it. Counts every row: on a large
database this takes a while.
Exit code: 0 when each key has one version in use, 1 while a rotation is not finished.`,
  async run(args) {
    readArgs(args, {});
    return withHouse(async ({ services: { identity } }) => {
      const versions = await identity.keyVersions();
      for (const { name, version, isRetired, uses } of versions) {
        const newest = Math.max(
          ...versions.filter((one) => one.name === name).map((one) => one.version),
        );
        const state = isRetired ? 'retired' : version === newest ? 'writes' : 'being left';
        console.log(`${name} v${version}  ${state}  ${uses} rows`);
      }
      const live = versions.filter(({ isRetired }) => !isRetired);
      return live.length === rotating.length ? 0 : 1;
    });
  },
};
