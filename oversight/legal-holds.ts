// Legal holds: what must not be erased yet. One operator places a hold, which works at once, another
// confirms it; one asks that it be lifted, another lifts it.
import type { Actor, PersonIdentifier } from '../identity/index.ts';
import type { Tx } from '../platform/index.ts';
import type { ErasureDeps } from './deps.ts';
import {
  findHold,
  type HoldRow,
  hasStandingHold,
  insertHold,
  listHolds,
  lockHold,
  updateHold,
} from './erasure-store.ts';
import { oversightErrors } from './errors.ts';
import { findSubject, isId, operatorOf, pageOfRows, readCursor, readReason } from './operator.ts';

/** A hold as operators see it; whom it is about they are not told. */
export type LegalHold = {
  id: string;
  state: 'placed' | 'confirmed' | 'lift_asked' | 'lifted';
  placedBy: string;
  placedAt: string;
  confirmedBy: string | null;
  liftAskedBy: string | null;
  liftedBy: string | null;
  liftedAt: string | null;
};

export const HOLD_ACTS = ['confirm', 'ask_lift', 'lift'] as const;
export type HoldAct = (typeof HOLD_ACTS)[number];

/** In which states each step can be taken. */
const possibleIn: Record<HoldAct, readonly LegalHold['state'][]> = {
  confirm: ['placed'],
  ask_lift: ['placed', 'confirmed'],
  lift: ['lift_asked'],
};

export function createLegalHolds(deps: Pick<ErasureDeps, 'database' | 'ids' | 'identity'>) {
  const { database, ids, identity } = deps;

  async function record(tx: Tx, actor: Actor, hold: HoldRow, act: string, reason: string) {
    await identity.recordAccess(tx, actor, {
      type: `legal_hold.${act}`,
      outcome: 'ok',
      subject: hold.personId,
      purpose: reason,
      caseId: hold.id,
    });
  }

  async function lock(tx: Tx, id: string): Promise<HoldRow> {
    const hold = isId(id) ? await lockHold(tx, id) : null;
    if (!hold) throw noHold();
    return hold;
  }

  return {
    /** Places a hold on a person the house knows; identity.person_not_found when it knows none. */
    async placeHold(
      actor: Actor,
      input: { subject: PersonIdentifier; reason: string },
    ): Promise<LegalHold> {
      const placedBy = operatorOf(actor);
      const reason = readReason(input.reason);
      return database.transaction(async (tx) => {
        const personId = await findSubject(tx, identity, input.subject);
        const id = ids.uuid();
        const text = Buffer.from(reason, 'utf8');
        const reasonSealed = await identity.sealFor(tx, personId, text, holdContext(id));
        await insertHold(tx, { id, personId, reasonSealed, placedBy });
        const hold = await lock(tx, id);
        await record(tx, actor, hold, 'placed', reason);
        return asHold(hold);
      });
    },

    /** Takes the next step of a hold; never by the officer who took the one it answers. */
    async actOnHold(
      actor: Actor,
      id: string,
      act: HoldAct,
      input: { reason: string },
    ): Promise<LegalHold> {
      const officerId = operatorOf(actor);
      const reason = readReason(input.reason);
      return database.transaction(async (tx) => {
        const hold = await lock(tx, id);
        const { state } = asHold(hold);
        if (!possibleIn[act].includes(state)) {
          throw oversightErrors.hold_state(`This hold is ${state}: that can't be done to it now.`);
        }
        const answered = { confirm: hold.placedBy, ask_lift: null, lift: hold.liftAskedBy }[act];
        if (answered === officerId) {
          throw oversightErrors.own_act('Four eyes: another operator must do this.');
        }
        await updateHold(tx, id, act, officerId);
        const past = { confirm: 'confirmed', ask_lift: 'lift_asked', lift: 'lifted' }[act];
        await record(tx, actor, hold, past, reason);
        return asHold(await lock(tx, id));
      });
    },

    async getHold(actor: Actor, id: string): Promise<LegalHold> {
      operatorOf(actor);
      const hold = isId(id) ? await findHold(database.db, id) : null;
      if (!hold) throw noHold();
      return asHold(hold);
    },

    /** Holds, latest first. */
    async listHolds(
      actor: Actor,
      { limit = 50, cursor }: { limit?: number; cursor?: string | undefined } = {},
    ): Promise<{ items: LegalHold[]; nextCursor: string | null }> {
      operatorOf(actor);
      const rows = await listHolds(database.db, { beforeId: readCursor(cursor), limit: limit + 1 });
      return pageOfRows(rows, limit, asHold);
    },

    hasStandingHold,
  };
}

const noHold = () => oversightErrors.hold_not_found('There is no such legal hold.');

const holdContext = (id: string) => `oversight.legal_holds|${id}|reason_sealed`;

function asHold(row: HoldRow): LegalHold {
  const state =
    row.liftedByKey !== null
      ? 'lifted'
      : row.liftAskedByKey !== null
        ? 'lift_asked'
        : row.confirmedByKey !== null
          ? 'confirmed'
          : 'placed';
  return {
    id: row.id,
    state,
    placedBy: row.placedByKey,
    placedAt: row.placedAt,
    confirmedBy: row.confirmedByKey,
    liftAskedBy: row.liftAskedByKey,
    liftedBy: row.liftedByKey,
    liftedAt: row.liftedAt,
  };
}
