// Which versions of the rotating keys are live. The database says so with every look-up, in the same
// snapshot as the rows it finds: so no process can miss a row that another has moved to a new version.
import type { SecretVersions } from '../signing/index.ts';
import type { LiveVersions } from './store-keys.ts';

type VersionedKey = Pick<SecretVersions, 'at'>;

/** What one process knows of the versions. */
export function createKeyRing(keys: { kek: VersionedKey; indexRegistry: VersionedKey }) {
  let known: LiveVersions | undefined;

  function live(): LiveVersions {
    if (!known) throw new TypeError('The key versions are learned before they are used.');
    return known;
  }

  return {
    kek: keys.kek,
    indexRegistry: keys.indexRegistry,

    isEmpty: (): boolean => known === undefined,
    /** The version that data keys are wrapped under from now on. */
    newestKek: (): number => live().newestKek,
    /** The version that new people are indexed under. */
    newestIndex: (): number => live().newestIndex,
    /** All versions a person's row may be indexed under. */
    indexVersions: (): number[] => range(live().oldestIndex, live().newestIndex),

    /**
     * Takes what a look-up said, and reads the keys that are new. True when the look-up was made
     * without the newest versions, and has to be made again.
     */
    learn(now: LiveVersions): boolean {
      const isBehind =
        !known || now.newestIndex > known.newestIndex || now.newestKek > known.newestKek;
      // All at once: later the file of one that is retired may be gone.
      if (isBehind) {
        for (const version of range(now.oldestIndex, now.newestIndex))
          keys.indexRegistry.at(version);
        for (const version of range(now.oldestKek, now.newestKek)) keys.kek.at(version);
      }
      // An answer that is older than what is known tells nothing new.
      const isOlder = known && sumOf(now) < sumOf(known);
      if (!isOlder) known = now;
      return isBehind;
    },
  };
}

export type KeyRing = ReturnType<typeof createKeyRing>;

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at);

/** Each of the numbers only ever grows. */
const sumOf = ({ oldestIndex, newestIndex, oldestKek, newestKek }: LiveVersions): number =>
  oldestIndex + newestIndex + oldestKek + newestKek;
