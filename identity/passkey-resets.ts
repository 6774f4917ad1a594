// What happens when an officer has lost her passkeys: one operator asks for a reset and another decides,
// neither for herself. From then on no old passkey and no session of hers is worth anything, and there is
// a link to make a new one by.
import {
  type Database,
  type Ids,
  isUniqueViolation,
  openRows,
  type Tx,
} from '../platform/index.ts';
import type { AccessEntry } from './access.ts';
import type { Actor } from './actor.ts';
import type { Enrolment, Enrolments } from './enrolments.ts';
import { identityErrors } from './errors.ts';
import { operatorOf, readReason } from './officers.ts';
import {
  asOperatorRequest,
  type OperatorRequest,
  pageOfRequests,
  type RequestsQuery,
  requestIdOf,
} from './operator-request.ts';
import { DECIDED, type RoleDecision } from './role-request.ts';
import { scopeOfAccount } from './row-scope.ts';
import { waysInOf } from './store-enrolments.ts';
import { lockOfficer, type OfficerRow } from './store-officers.ts';
import {
  findPasskeyReset,
  insertPasskeyReset,
  listPasskeyResets,
  lockPasskeyReset,
  type PasskeyResetRow,
  updatePasskeyReset,
} from './store-passkey-resets.ts';
import { deletePasskeys } from './store-passkeys.ts';
import { deleteOwnSessions } from './store-sessions.ts';

/** A wish to end an officer's passkeys, and what became of it. */
export type PasskeyReset = OperatorRequest;

/** A reset just decided, with the link to hand over; null where she has another way in, or was refused. */
export interface DecidedPasskeyReset extends PasskeyReset {
  enrolment: Enrolment | null;
}

/** The acts of operators on passkeys that are lost; each refuses whoever isn't one. */
export function createPasskeyResets(deps: {
  database: Database;
  ids: Ids;
  enrolments: Pick<Enrolments, 'makeEnrolment'>;
  recordAccess: (tx: Tx, actor: Actor, entry: AccessEntry) => Promise<unknown>;
}) {
  const { database, ids, enrolments, recordAccess } = deps;

  /** The officer of a key, held, who is still here and has a passkey. */
  async function take(tx: Tx, key: string): Promise<OfficerRow> {
    const officer = await lockOfficer(tx, key);
    if (!officer || officer.hasLeft) {
      throw identityErrors.officer_not_found('There is no such officer here.');
    }
    if (!(await waysInOf(tx, officer.id)).hasPasskey) {
      throw identityErrors.passkey_reset_not_needed('This officer has no passkey to end.');
    }
    return officer;
  }

  function record(tx: Tx, actor: Actor, type: string, question: string, purpose: string) {
    return recordAccess(tx, actor, { type, outcome: 'ok', question, purpose, answerKind: 'none' });
  }

  return {
    /** Asks for all passkeys of an officer to be ended; nothing changes until another operator approves. */
    async requestPasskeyReset(
      actor: Actor,
      written: { officer: string; reason: string },
    ): Promise<PasskeyReset> {
      const requestedBy = operatorOf(actor);
      const reason = readReason(written.reason);
      return database.transaction(async (tx) => {
        const { id: officerId, key } = await take(tx, written.officer);
        refuseOwn(officerId, requestedBy);
        const id = ids.uuid();
        try {
          await insertPasskeyReset(tx, { id, officerId, reason, requestedBy });
        } catch (cause) {
          if (!isUniqueViolation(cause)) throw cause;
          throw identityErrors.passkey_reset_open(
            'A reset of this officer’s passkeys waits for a decision. Decide that one first.',
            { cause },
          );
        }
        await record(tx, actor, 'passkeys.reset_requested', key, reason);
        return asOperatorRequest(await getReset(tx, id));
      });
    },

    /** Approves or refuses; never by who asked or by whom it is about. The link is told here once. */
    async decidePasskeyReset(
      actor: Actor,
      id: string,
      decision: RoleDecision,
      written: { reason: string },
    ): Promise<DecidedPasskeyReset> {
      const decidedBy = operatorOf(actor);
      const reason = readReason(written.reason);
      return database.transaction(async (tx) => {
        const reset = await lockPasskeyReset(tx, requestIdOf(id, noReset));
        if (!reset) throw noReset();
        if (reset.state !== 'open') {
          throw identityErrors.passkey_reset_decided('This request was decided before.');
        }
        if (reset.requestedBy === decidedBy) throw own();
        refuseOwn(reset.officerId, decidedBy);
        const { officerId, officerKey } = reset;
        if (decision === 'approve') {
          await take(tx, officerKey);
          await endPasskeys(tx, officerId);
        }
        await updatePasskeyReset(tx, { id, state: DECIDED[decision], decidedBy });
        const event = decision === 'approve' ? 'passkeys.reset' : 'passkeys.reset_refused';
        await record(tx, actor, event, officerKey, reason);
        const enrolment =
          decision === 'approve' ? await enrolments.makeEnrolment(tx, officerId) : null;
        return { ...asOperatorRequest(await getReset(tx, id)), enrolment };
      });
    },

    /** Requests, newest first, in one state if it is named. */
    async listPasskeyResets(
      actor: Actor,
      query: RequestsQuery = {},
    ): Promise<{ items: PasskeyReset[]; nextCursor: string | null }> {
      operatorOf(actor);
      const find = (page: Parameters<typeof listPasskeyResets>[1]) =>
        listPasskeyResets(database.db, page);
      return pageOfRequests(query, noReset, find, asOperatorRequest);
    },
  };
}

/**
 * Ends an officer's passkeys and sessions; she is held. Whoever uses or adds a passkey at this moment holds
 * its row or hers: she was before this, and what she made ends with it, or comes after and finds nothing.
 */
export async function endPasskeys(tx: Tx, officerId: string): Promise<void> {
  await openRows(tx, scopeOfAccount(officerId));
  await deletePasskeys(tx, officerId);
  await deleteOwnSessions(tx, { kind: 'officer', id: officerId }, null);
}

async function getReset(tx: Tx, id: string): Promise<PasskeyResetRow> {
  const row = await findPasskeyReset(tx, id);
  if (!row) throw new TypeError('A request just written is there.');
  return row;
}

function refuseOwn(officerId: string, operatorId: string): void {
  if (officerId === operatorId) throw own();
}

const noReset = () => identityErrors.passkey_reset_not_found('There is no such request.');
const own = () =>
  identityErrors.own_passkey_reset(
    'Four eyes: two operators reset passkeys, and neither her own. Another must decide.',
  );
