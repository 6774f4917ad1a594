// The data key of each person: made with her row, wrapped by the key-encryption key, held unwrapped
// for a moment. Whoever destroys the wrapped key has erased all that was sealed under it.
import type { Clock, Ids, Tx } from '../platform/index.ts';
import type { KeyRing } from './key-ring.ts';
import { KEY_BYTES, open, seal } from './sealing.ts';
import { findById, type PersonRow } from './store-people.ts';

// 5,000 keys are under 1 MB. A key destroyed by another process is forgotten here within this time,
// at once when her row is read.
const CACHED_KEYS = 5_000;
export const CACHED_MILLISECONDS = 20_000;

/** What a person's row gives to whoever seals for her or logs a look at her. */
export interface PersonKey {
  key: Buffer;
  subjectTag: Buffer;
}

/** Keeps the unwrapped keys of one process. */
export function createDataKeys(deps: {
  ring: KeyRing;
  /** Seals what belongs to nobody in particular. */
  platformKey: Buffer;
  ids: Ids;
  clock: Clock;
}) {
  const { ring, platformKey, ids, clock } = deps;
  const held = new Map<string, PersonKey & { until: number }>();

  const context = (personId: string, kekVersion: number) =>
    `identity.data_keys|${personId}|wrapped|${kekVersion}`;

  function unwrap(personId: string, kekVersion: number, wrapped: Buffer): Buffer {
    return open(ring.kek.at(kekVersion), wrapped, context(personId, kekVersion));
  }

  function wrap(personId: string, key: Buffer): { kekVersion: number; wrapped: Buffer } {
    const kekVersion = ring.newestKek();
    const wrapped = seal(ids, ring.kek.at(kekVersion), key, context(personId, kekVersion));
    return { kekVersion, wrapped };
  }

  type Keyed = Pick<PersonRow, 'id' | 'auditTag' | 'kekVersion' | 'wrapped'>;

  function hold({ id, auditTag, kekVersion, wrapped }: Keyed): PersonKey | null {
    if (!wrapped || !auditTag || kekVersion === null) {
      held.delete(id);
      return null;
    }
    const key = held.get(id)?.key ?? unwrap(id, kekVersion, wrapped);
    const until = clock.now().getTime() + CACHED_MILLISECONDS;
    held.delete(id);
    held.set(id, { key, subjectTag: auditTag, until });
    const [oldest] = held.keys();
    if (held.size > CACHED_KEYS && oldest !== undefined) held.delete(oldest);
    return { key, subjectTag: auditTag };
  }

  /** The keys of these people; a person who doesn't exist or was erased is missing. */
  async function load(tx: Tx, personIds: readonly string[]): Promise<Map<string, PersonKey>> {
    const now = clock.now().getTime();
    const keys = new Map<string, PersonKey>();
    const missing = new Set<string>();
    for (const id of personIds) {
      const found = held.get(id);
      if (found && found.until > now) keys.set(id, found);
      else missing.add(id);
    }
    for (const id of missing) held.delete(id);
    if (missing.size > 0) {
      for (const row of await findById(tx, [...missing])) {
        const key = hold(row);
        if (key) keys.set(row.id, key);
      }
    }
    return keys;
  }

  return {
    platformKey,
    /** A new person's key, and its wrapped form for the row. */
    make(personId: string): { key: Buffer; kekVersion: number; wrapped: Buffer } {
      const key = ids.bytes(KEY_BYTES);
      return { key, ...wrap(personId, key) };
    },
    /** The same key wrapped under the newest version. */
    rewrap(personId: string, kekVersion: number, wrapped: Buffer) {
      return wrap(personId, unwrap(personId, kekVersion, wrapped));
    },
    unwrap,
    hold,
    load,
  };
}

export type DataKeys = ReturnType<typeof createDataKeys>;
