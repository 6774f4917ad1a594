// Erasing a person: one operator asks, another approves, and the approval destroys her data key in one
// transaction with its entry in the log. What is left of her elsewhere goes in steps that may be cut
// off, doubled or late. Here and not in identity, because only the rooms above identity know whether
// something still needs her, and what they keep of her.
import { createHash } from 'node:crypto';
import { type Actor, identityErrors, type PersonIdentifier } from '../identity/index.ts';
import {
  canonicalJson,
  encodeBase64url,
  isUniqueViolation,
  systemScope,
  type Tx,
} from '../platform/index.ts';
import type { ErasureDeps } from './deps.ts';
import {
  closeErasure,
  decideErasure,
  type ErasureRow,
  findErasure,
  findUnfinished,
  hasStandingHold,
  insertErasure,
  listErasures,
  lockErasure,
} from './erasure-store.ts';
import { oversightErrors } from './errors.ts';
import { exportsAbout, withdrawExports } from './export-store.ts';
import { createLegalHolds } from './legal-holds.ts';
import { forgetWatched } from './look-store.ts';
import { findSubject, isId, operatorOf, pageOfRows, readCursor, readReason } from './operator.ts';
import { forgetSavedSearches, savedSearchesAbout } from './saved-search-store.ts';
import { forgetTickets, ticketsAbout } from './ticket-store.ts';

/** An erasure as operators see it; whom it is about they are not told. */
export type Erasure = {
  id: string;
  /** destroyed: nothing can be read any more; done: no trace is left to find. */
  state: ErasureRow['state'];
  requestedBy: string;
  requestedAt: string;
  decidedBy: string | null;
  decidedAt: string | null;
  /** Entries of the log that lost their words. */
  entries: number | null;
  doneAt: string | null;
};

const SALT_BYTES = 32;
/** Beside the time a process may hold a key: a request that took it out at the last moment ends. */
const LAST_REQUEST_MS = 10_000;

/** Erasures and legal holds of one house; `jobs` are for the sweeper. */
export function createErasures(deps: ErasureDeps) {
  const { database, ids, logger, audit, identity, registry, exchange, idempotency } = deps;
  // The acts of the house itself, once two operators have decided: all rows are in sight.
  const house = database.as(systemScope);
  const settleMs = identity.longestHeldMs + LAST_REQUEST_MS;

  /** Refuses while anything still needs the person; says what, and nothing of her. */
  async function refuseWhileNeeded(tx: Tx, personId: string): Promise<void> {
    const { held, naming, applied } = await registry.standingOf(tx, personId);
    const detail = (await hasStandingHold(tx, personId))
      ? 'A legal hold stands. Two operators can lift it.'
      : held > 0
        ? 'A licence of this person is still valid. Its issuer can cancel it.'
        : naming > 0
          ? 'A valid licence of somebody else names this person.'
          : applied > 0
            ? 'An application for a licence of this person waits for approval.'
            : (await exchange.hasOpenQuestions(tx, personId))
              ? 'A question about this person has not ended.'
              : null;
    if (detail !== null) throw identityErrors.legal_hold(detail);
  }

  async function lock(tx: Tx, id: string): Promise<ErasureRow> {
    const row = isId(id) ? await lockErasure(tx, id) : null;
    if (!row) throw oversightErrors.erasure_not_found('There is no such erasure.');
    return row;
  }

  async function requestErasure(
    actor: Actor,
    input: { subject: PersonIdentifier; reason: string },
  ): Promise<Erasure> {
    const requestedBy = operatorOf(actor);
    const reason = readReason(input.reason);
    return house.transaction(async (tx) => {
      const personId = await findSubject(tx, identity, input.subject);
      await refuseWhileNeeded(tx, personId);
      const id = ids.uuid();
      const context = `oversight.erasures|${id}|reason_sealed`;
      const reasonSealed = await identity.sealFor(tx, personId, Buffer.from(reason), context);
      try {
        await insertErasure(tx, { id, personId, reasonSealed, requestedBy });
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw cause;
        throw oversightErrors.erasure_open('An erasure of this person is under way already.', {
          cause,
        });
      }
      await record(tx, actor, { id, personId }, 'requested', reason);
      return asErasure(await lock(tx, id));
    });
  }

  async function record(
    tx: Tx,
    actor: Actor,
    { id, personId }: { id: string; personId: string },
    act: 'requested' | 'refused',
    reason: string,
  ): Promise<void> {
    await identity.recordAccess(tx, actor, {
      type: `erasure.${act}`,
      outcome: 'ok',
      subject: personId,
      purpose: reason,
      caseId: id,
    });
  }

  async function refuse(actor: Actor, id: string, input: { reason: string }): Promise<Erasure> {
    const decidedBy = operatorOf(actor);
    const reason = readReason(input.reason);
    return house.transaction(async (tx) => {
      const row = await lockOpen(tx, id, decidedBy);
      await decideErasure(tx, { id, decidedBy, state: 'refused' });
      await record(tx, actor, row, 'refused', reason);
      return asErasure(await lock(tx, id));
    });
  }

  /** An erasure that waits for this officer's decision. */
  async function lockOpen(tx: Tx, id: string, officerId: string): Promise<ErasureRow> {
    const row = await lock(tx, id);
    if (row.state !== 'requested') {
      throw oversightErrors.erasure_decided('This erasure has been decided already.');
    }
    if (row.requestedBy === officerId) {
      throw oversightErrors.own_act('Four eyes: another operator than the one who asked decides.');
    }
    return row;
  }

  /**
   * Destroys the person's key and all that identity knows of her, in one transaction with the entry
   * that says so. Who approves gives the number once more: two people have then read it.
   */
  async function approve(
    actor: Actor,
    id: string,
    input: { subject: PersonIdentifier },
  ): Promise<Erasure> {
    const decidedBy = operatorOf(actor);
    const stageId = await house.transaction(async (tx) => {
      const row = await lockOpen(tx, id, decidedBy);
      if ((await identity.findPerson(tx, input.subject)) !== row.personId) {
        const detail = 'This is not the number that the erasure was asked for.';
        throw oversightErrors.other_subject(detail, {
          fields: [{ pointer: '/subject/value', detail }],
        });
      }
      const tag = await identity.lockPerson(tx, row.personId);
      if (!tag) throw identityErrors.erased('The data of this person has been erased.');
      await refuseWhileNeeded(tx, row.personId);
      const indexes = await audit.indexesAbout(tx, tag);
      const salt = ids.bytes(SALT_BYTES);
      const staged = await identity.recordAccess(tx, actor, {
        type: 'person.erased',
        outcome: 'ok',
        caseId: id,
        question: `${indexes.length} entries`,
        purpose: commitmentTo(indexes, salt),
      });
      await identity.erasePerson(tx, row.personId);
      await decideErasure(tx, { id, decidedBy, state: 'destroyed', entries: indexes.length, salt });
      return staged.stageId;
    });
    await audit.sequenced([stageId]);
    await finish(id);
    const erasure = await findErasure(database.db, id);
    if (!erasure) throw new TypeError('An erasure is never removed.');
    return asErasure(erasure);
  }

  /** Takes away what is left. Each step is a transaction of its own, and harmless when repeated. */
  async function finish(id: string): Promise<void> {
    const row = await findErasure(database.db, id);
    if (row?.state !== 'destroyed') return;
    const { personId } = row;
    await house.transaction((tx) => registry.forgetHolder(tx, personId));
    await house.transaction((tx) => exchange.forgetSubject(tx, personId));
    // Before what they speak of is gone.
    await forgetKeptResponses(personId);
    await house.transaction((tx) => withdrawExports(tx, personId));
    await house.transaction((tx) => forgetSavedSearches(tx, personId));
    await house.transaction((tx) => forgetTickets(tx, personId));
    const tag = await identity.findErasedTag(database.db, personId);
    while (tag && (await house.transaction((tx) => audit.forgetSubject(tx, tag))) > 0);
    if (tag) await house.transaction((tx) => forgetWatched(tx, tag));
    // Until then a process may still hold her key, and write once more.
    if ((row.ageMs ?? 0) < settleMs) return;
    await house.transaction(async (tx) => {
      if (await exchange.hasOpenQuestions(tx, personId)) return;
      if (tag && (await audit.forgetSubject(tx, tag)) > 0) return;
      if (tag) await forgetWatched(tx, tag);
      await identity.forgetTag(tx, personId);
      await closeErasure(tx, id, personId);
    });
  }

  /** First results kept for repeated requests: about her licences, verifications and questions, and auditors' about her. */
  async function forgetKeptResponses(personId: string): Promise<void> {
    const numbers = await house.transaction((tx) => registry.numbersOf(tx, personId));
    const hers = new Set<string>();
    const { verificationsAbout } = exchange;
    for (const about of [verificationsAbout, ticketsAbout, exportsAbout, savedSearchesAbout]) {
      for (const each of await house.transaction((tx) => about(tx, personId))) hers.add(each);
    }
    const isAboutHer = (body: string): boolean =>
      numbers.some((number) => body.includes(number)) ||
      (body.match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? []).some((id) => hers.has(id));
    await idempotency.replaceKept(isAboutHer, erasedResponse);
  }

  /** For the sweeper: goes on with what was cut off, or has to settle. */
  async function finishErasures(): Promise<void> {
    for (const id of await findUnfinished(database.db)) {
      try {
        await finish(id);
      } catch (error) {
        logger.error({ err: error, erasure: id }, 'An erasure could not go on; it is tried again.');
      }
    }
  }

  return {
    ...createLegalHolds(deps),
    /** Asks for the erasure of a person the house knows: identity.legal_hold while something needs her. */
    requestErasure,
    approveErasure: approve,
    refuseErasure: refuse,
    finishErasures,

    async getErasure(actor: Actor, id: string): Promise<Erasure> {
      operatorOf(actor);
      const row = isId(id) ? await findErasure(database.db, id) : null;
      if (!row) throw oversightErrors.erasure_not_found('There is no such erasure.');
      return asErasure(row);
    },

    /** Erasures, latest first. */
    async listErasures(
      actor: Actor,
      { limit = 50, cursor }: { limit?: number; cursor?: string | undefined } = {},
    ): Promise<{ items: Erasure[]; nextCursor: string | null }> {
      operatorOf(actor);
      const page = { beforeId: readCursor(cursor), limit: limit + 1 };
      return pageOfRows(await listErasures(database.db, page), limit, asErasure);
    },

    jobs: [{ name: 'oversight.erase', everyMs: 5_000, run: finishErasures }],
  };
}

export type Erasures = ReturnType<typeof createErasures>;

/** What a repeated request gets whose first result told of an erased person. */
const erasedResponse = {
  status: 410,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({
    type: 'urn:yihao:problem:identity.erased',
    title: 'Gone',
    status: 410,
    detail: 'The data of this person has been erased.',
    code: 'identity.erased',
  }),
};

/** SHA-256(salt ‖ the indexes as canonical JSON): who has the salt can say which entries, nobody else. */
function commitmentTo(indexes: readonly number[], salt: Buffer): string {
  const digest = createHash('sha256')
    .update(salt)
    .update(canonicalJson([...indexes]))
    .digest();
  return `sha256:${encodeBase64url(digest)}`;
}

function asErasure(row: ErasureRow): Erasure {
  return {
    id: row.id,
    state: row.state,
    requestedBy: row.requestedByKey,
    requestedAt: row.requestedAt,
    decidedBy: row.decidedByKey,
    decidedAt: row.decidedAt,
    entries: row.entries,
    doneAt: row.doneAt,
  };
}
