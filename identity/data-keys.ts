// The data key of each person: made with her row, wrapped by the key-encryption key, held unwrapped
// for a moment. Whoever destroys the wrapped key has erased all that was sealed under it.
import type { Clock, Ids, Tx } from '../platform/index.ts';
import { deriveKey, KEY_BYTES, open, seal } from './sealing.ts';
import { findById, type PersonRow } from './store-people.ts';

export const KEK_VERSION = 1;

// 5,000 keys are under 1 MB. A key destroyed by another process is forgotten here within a minute,
// at once when her row is read.
const CACHED_KEYS = 5_000;
const CACHED_MILLISECONDS = 60_000;

/** What a person's row gives to whoever seals for her or logs a look at her. */
export interface PersonKey {
  key: Buffer;
  subjectTag: Buffer;
}

/** Keeps the unwrapped keys of one process. */
export function createDataKeys({ kek, ids, clock }: { kek: Buffer; ids: Ids; clock: Clock }) {
  const held = new Map<string, PersonKey & { until: number }>();

  const context = (personId: string) => `identity.data_keys|${personId}|wrapped|${KEK_VERSION}`;

  function hold(row: Pick<PersonRow, 'id' | 'auditTag' | 'wrapped'>): PersonKey | null {
    if (!row.wrapped) {
      held.delete(row.id);
      return null;
    }
    const found = held.get(row.id);
    const key = found?.key ?? open(kek, row.wrapped, context(row.id));
    const until = clock.now().getTime() + CACHED_MILLISECONDS;
    held.delete(row.id);
    held.set(row.id, { key, subjectTag: row.auditTag, until });
    const [oldest] = held.keys();
    if (held.size > CACHED_KEYS && oldest !== undefined) held.delete(oldest);
    return { key, subjectTag: row.auditTag };
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
    /** Seals what belongs to nobody in particular. */
    platformKey: deriveKey(kek, 'platform-data'),
    /** A new person's key, and its wrapped form for the row. */
    make(personId: string): { key: Buffer; wrapped: Buffer } {
      const key = ids.bytes(KEY_BYTES);
      return { key, wrapped: seal(ids, kek, key, context(personId)) };
    },
    hold,
    load,
  };
}

export type DataKeys = ReturnType<typeof createDataKeys>;
