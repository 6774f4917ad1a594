// New versions of the key-encryption key and of the blind index's key, while the house serves: the
// newest writes from the commit that names it, all live ones are read, and a job moves what stands
// under the old ones in small batches. Cut off anywhere, the next run goes on (docs/adr/0010).
import { setTimeout as wait } from 'node:timers/promises';
import type { Database, Tx } from '../platform/index.ts';
import type { SecretVersions } from '../signing/index.ts';
import type { Access } from './access.ts';
import type { Actor } from './actor.ts';
import type { DataKeys } from './data-keys.ts';
import { identityErrors } from './errors.ts';
import type { KeyRing } from './key-ring.ts';
import type { People } from './people.ts';
import {
  findLiveVersions,
  findRetired,
  findRotating,
  insertVersion,
  type KeyVersionRow,
  listKeyVersions,
  lockOldDataKeys,
  lockOldIndexes,
  lockVersions,
  type RotatingKey,
  retireUnused,
  updateDataKeys,
  updateIndexes,
} from './store-keys.ts';

/** Rows per transaction: a few milliseconds of work, so that nobody waits long for a locked row. */
const BATCH = 100;

/** Rotation over one database and one set of key files. */
export function createRotation(deps: {
  database: Database;
  access: Pick<Access, 'recordAccess'>;
  keys: { kek: SecretVersions; indexRegistry: SecretVersions };
  ring: KeyRing;
  people: Pick<People, 'newIndexOf'>;
  dataKeys: Pick<DataKeys, 'rewrap'>;
}) {
  const { database, access, keys, ring, people, dataKeys } = deps;
  const filesOf: Record<RotatingKey, SecretVersions> = {
    kek: keys.kek,
    'index-registry': keys.indexRegistry,
  };
  const moveBatch: Record<RotatingKey, (tx: Tx) => Promise<number>> = {
    kek: async (tx) => {
      const rows = await lockOldDataKeys(tx, BATCH);
      const moved = rows.map(({ personId, kekVersion, wrapped }) => ({
        personId,
        ...dataKeys.rewrap(personId, kekVersion, wrapped),
      }));
      if (moved.length > 0) await updateDataKeys(tx, moved);
      return moved.length;
    },
    'index-registry': async (tx) => {
      const rows = await lockOldIndexes(tx, BATCH);
      const moved = rows.map((row) => ({ id: row.id, ...people.newIndexOf(row) }));
      if (moved.length > 0) await updateIndexes(tx, moved);
      return moved.length;
    },
  };

  async function learn(): Promise<void> {
    ring.learn(await findLiveVersions(database.db));
  }

  /** The files of retired versions go last: a run that was cut off may have left some. */
  async function putAwayRetired(): Promise<void> {
    for (const { name, version } of await findRetired(database.db)) filesOf[name].retire(version);
  }

  return {
    /**
     * Makes the next version of a key, which writes from now on, and returns its number. Refused while
     * rows still stand under an older version: identity.rotation_running.
     */
    async beginRotation(actor: Actor, name: RotatingKey): Promise<number> {
      const version = await database.transaction(async (tx) => {
        const versions = await lockVersions(tx, name);
        if (versions.filter(({ isRetired }) => !isRetired).length > 1) {
          throw identityErrors.rotation_running(
            'The last rotation of this key is not finished. Wait until its old version is retired.',
          );
        }
        const next = Math.max(...versions.map((one) => one.version)) + 1;
        // The file first: a version the database names can be read by everybody.
        await filesOf[name].make(next);
        await insertVersion(tx, name, next);
        const question = `${name} v${next}`;
        await access.recordAccess(tx, actor, { type: 'keys.rotated', outcome: 'ok', question });
        return next;
      });
      await learn();
      return version;
    },

    /**
     * Moves what stands under old versions, and retires versions nothing stands under. Resting as
     * long as it works, it leaves the house its speed. Safe beside other runners. Returns the keys
     * that still have an old version: rows somebody held, or transactions older than the newest.
     */
    async rotateKeys(signal?: AbortSignal): Promise<RotatingKey[]> {
      const rotating = await findRotating(database.db);
      if (rotating.length === 0) return [];
      await learn();
      for (const name of rotating) {
        for (;;) {
          if (signal?.aborted) return rotating;
          const begun = performance.now();
          if ((await database.transaction(moveBatch[name])) === 0) break;
          await wait(performance.now() - begun);
        }
        await retireUnused(database.db, name);
      }
      await putAwayRetired();
      return findRotating(database.db);
    },

    /** Every version there ever was, and how many rows stand under it. */
    keyVersions: (): Promise<KeyVersionRow[]> => listKeyVersions(database.db),

    /** Throws signing.keys_missing when a version that rows may stand under has no file. */
    async checkVersions(): Promise<void> {
      await learn();
      await putAwayRetired();
    },
  };
}
