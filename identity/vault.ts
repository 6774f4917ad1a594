// Sealing for a person or for the platform: what other rooms store about someone, they store sealed
// here under her data key, so that erasing her erases it everywhere (spec/trust.md 2.6).
import type { Ids, Tx } from '../platform/index.ts';
import type { DataKeys } from './data-keys.ts';
import { identityErrors } from './errors.ts';
import { open, seal } from './sealing.ts';

/** Plain bytes, whose they are (null: the platform's), and where they will stand: 'table|row|column'. */
export interface ToSeal {
  personId: string | null;
  plaintext: Uint8Array;
  context: string;
}

/** Sealed bytes with what was said when they were sealed. */
export interface ToOpen {
  personId: string | null;
  sealed: Uint8Array;
  context: string;
}

const aad = (personId: string | null, context: string) =>
  personId === null ? `platform|${context}` : `person|${personId}|${context}`;

/** Sealing and opening under the keys of one house. */
export function createVault({ dataKeys, ids }: { dataKeys: DataKeys; ids: Ids }) {
  async function keysFor(tx: Tx, items: readonly { personId: string | null }[]) {
    const people = items.flatMap(({ personId }) => (personId === null ? [] : [personId]));
    const keys = people.length === 0 ? new Map() : await dataKeys.load(tx, people);
    return (personId: string | null): Buffer | undefined =>
      personId === null ? dataKeys.platformKey : keys.get(personId)?.key;
  }

  /** Seals many values with one look at the keys; the order is kept. identity.erased when a key is gone. */
  async function sealMany(tx: Tx, items: readonly ToSeal[]): Promise<Buffer[]> {
    const keyOf = await keysFor(tx, items);
    return items.map(({ personId, plaintext, context }) => {
      const key = keyOf(personId);
      if (!key) throw identityErrors.erased('The data of this person has been erased.');
      return seal(ids, key, plaintext, aad(personId, context));
    });
  }

  /** Opens many values with one look at the keys, in order; null where the person was erased. */
  async function openMany(tx: Tx, items: readonly ToOpen[]): Promise<(Buffer | null)[]> {
    const keyOf = await keysFor(tx, items);
    return items.map(({ personId, sealed, context }) => {
      const key = keyOf(personId);
      return key ? open(key, sealed, aad(personId, context)) : null;
    });
  }

  return {
    sealMany,
    openMany,

    /** Seals one value under a person's data key, or the platform's; `context` says where it will stand. */
    async sealFor(
      tx: Tx,
      personId: string | null,
      plaintext: Uint8Array,
      context: string,
    ): Promise<Buffer> {
      const [sealed] = await sealMany(tx, [{ personId, plaintext, context }]);
      if (!sealed) throw new TypeError('One value in, one value out.');
      return sealed;
    },

    /** Opens one value; throws identity.erased when the person was, an Error when it was tampered with. */
    async openFor(
      tx: Tx,
      personId: string | null,
      sealed: Uint8Array,
      context: string,
    ): Promise<Buffer> {
      const [plaintext] = await openMany(tx, [{ personId, sealed, context }]);
      if (!plaintext) throw identityErrors.erased('The data of this person has been erased.');
      return plaintext;
    },
  };
}

export type Vault = ReturnType<typeof createVault>;
