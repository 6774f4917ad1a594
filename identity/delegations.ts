// Giving, answering and ending delegations: who may act for whom, in what, from when to when.
import { z } from 'zod';
import { addDays, cityDay, type Database, dbNow, type Ids, type Tx } from '../platform/index.ts';
import type { Access } from './access.ts';
import { type Acting, delegationNotFound, personOf } from './acting.ts';
import type { Actor } from './actor.ts';
import {
  type DelegableItem,
  type DelegationDecision,
  type DelegationInput,
  type DelegationSide,
  type DelegationState,
  delegationStateOn,
  LONGEST_DELEGATION_DAYS,
  maySideDecide,
  stateAfter,
} from './delegation.ts';
import { identityErrors } from './errors.ts';
import { maskIdentifier, type PersonIdentifier } from './identifiers.ts';
import type { People, RevealedPerson } from './people.ts';
import {
  countOpen,
  type DelegationRow,
  findDelegations,
  insertDelegation,
  lockDelegation,
  lockPrincipal,
  settleExpired,
  updateDelegation,
} from './store-delegations.ts';

/** A side of a delegation as the other one sees it. */
export interface DelegationParty {
  scheme: PersonIdentifier['scheme'] | null;
  /** The identifier, masked; null once that person was erased. */
  masked: string | null;
  /** Told to a principal only after her agent has accepted: an identifier must not be turned into a name. */
  name: string | null;
}

/** A delegation as one of its sides sees it. */
export interface Delegation {
  id: string;
  /** Which side the reader is. */
  side: DelegationSide;
  principal: DelegationParty;
  agent: DelegationParty;
  items: DelegableItem[];
  validFrom: string;
  validTo: string;
  state: DelegationState;
  proposedAt: string;
  acceptedAt: string | null;
  endedAt: string | null;
}

const MOST_OPEN = 50;
const LISTED = 100;

const events = {
  accept: 'delegation.accepted',
  refuse: 'delegation.refused',
  revoke: 'delegation.revoked',
} as const satisfies Record<DelegationDecision, string>;

/** The delegations of one house. */
export function createDelegations(deps: {
  database: Database;
  ids: Ids;
  people: People;
  access: Pick<Access, 'recordAccess'>;
  acting: Pick<Acting, 'subjectOf'>;
  cityTz: string;
}) {
  const { database, ids, people, access, acting, cityTz } = deps;

  async function show(
    tx: Tx,
    rows: readonly DelegationRow[],
    sideOf: (row: DelegationRow) => DelegationSide,
  ): Promise<Delegation[]> {
    const revealed = await people.revealPeople(
      tx,
      rows.flatMap(({ principalId, agentId }) => [principalId, agentId]),
    );
    return rows.map((row) => {
      const { id, items, validFrom, validTo, proposedAt, acceptedAt, endedAt } = row;
      const side = sideOf(row);
      const agent = party(revealed.get(row.agentId));
      const isNamed = side === 'agent' || acceptedAt !== null;
      return {
        id,
        side,
        principal: party(revealed.get(row.principalId)),
        agent: isNamed ? agent : { ...agent, name: null },
        items,
        validFrom,
        validTo,
        state: delegationStateOn(cityDay(new Date(row.readAt), cityTz), row),
        proposedAt: new Date(proposedAt).toISOString(),
        acceptedAt: acceptedAt && new Date(acceptedAt).toISOString(),
        endedAt: endedAt && new Date(endedAt).toISOString(),
      };
    });
  }

  return {
    /** What the person has given and been given, newest first, at most 100 of each. */
    async listDelegations(actor: Actor): Promise<Delegation[]> {
      const personId = personOf(actor);
      const rows = await findDelegations(database.db, personId, LISTED);
      return show(database.db, rows, (row) =>
        row.principalId === personId ? 'principal' : 'agent',
      );
    },

    /** Proposes that the agent act for the person who asks; nothing holds until the agent accepts. */
    async giveDelegation(actor: Actor, input: DelegationInput): Promise<Delegation> {
      personOf(actor);
      const principalId = (await acting.subjectOf(actor, 'delegation.give')) ?? '';
      return database.transaction(async (tx) => {
        await lockPrincipal(tx, principalId);
        const today = cityDay(await dbNow(tx), cityTz);
        const { validFrom = today, validTo } = input;
        checkDays(today, validFrom, validTo);
        const [agentId = ''] = await people.ensurePeople(tx, [input.agent], () => '/agent/value');
        if (agentId === principalId) {
          throw invalid('/agent/value', 'You need nobody’s leave to act for yourself.');
        }
        await settleExpired(tx, principalId, today);
        if ((await countOpen(tx, principalId)) >= MOST_OPEN) {
          throw identityErrors.delegations_too_many(
            `At most ${MOST_OPEN} delegations are open at a time: revoke one that is not needed.`,
          );
        }
        const row = await insertDelegation(tx, {
          id: ids.uuid(),
          principalId,
          agentId,
          items: [...new Set(input.items)],
          validFrom,
          validTo,
        });
        if (!row) {
          throw identityErrors.delegation_open(
            'This agent has an open delegation from you: revoke it first.',
          );
        }
        await access.recordAccess(tx, actor, {
          type: 'delegation.given',
          outcome: 'ok',
          subject: principalId,
          role: 'holder',
          answerKind: 'none',
          delegation: row.id,
        });
        const [shown] = await show(tx, [row], () => 'principal');
        if (!shown) throw new TypeError('One delegation in, one shown.');
        return shown;
      });
    },

    /**
     * The agent accepts or refuses, either side revokes; at once, for whatever comes next in any
     * session of any process. Someone who is neither side finds nothing.
     */
    async decideDelegation(
      actor: Actor,
      id: string,
      decision: DelegationDecision,
    ): Promise<Delegation> {
      const personId = personOf(actor);
      await acting.subjectOf(actor, 'delegation.decide');
      if (!z.uuid().safeParse(id).success) throw delegationNotFound();
      return database.transaction(async (tx) => {
        const row = await lockDelegation(tx, id, personId);
        if (!row) throw delegationNotFound();
        const side = row.principalId === personId ? 'principal' : 'agent';
        if (!maySideDecide(side, decision)) {
          throw identityErrors.not_the_agent('Only the agent accepts or refuses a delegation.');
        }
        const state = delegationStateOn(cityDay(new Date(row.readAt), cityTz), row);
        const next = stateAfter(state, decision);
        if (!next) {
          throw identityErrors.delegation_decided(
            `This delegation is ${state}: it can’t be ${decision}d any more.`,
          );
        }
        const decided = await updateDelegation(tx, id, next);
        await access.recordAccess(tx, actor, {
          type: events[decision],
          outcome: 'ok',
          subject: row.principalId,
          role: side === 'agent' ? 'agent' : 'holder',
          answerKind: 'none',
          delegation: id,
        });
        const [shown] = await show(tx, [decided], () => side);
        if (!shown) throw new TypeError('One delegation in, one shown.');
        return shown;
      });
    },
  };
}

function party(person: RevealedPerson | undefined): DelegationParty {
  if (!person) return { scheme: null, masked: null, name: null };
  const { scheme, value, name } = person;
  return { scheme, masked: maskIdentifier(value), name };
}

function checkDays(today: string, validFrom: string, validTo: string): void {
  const latest = (from: string) => addDays(from, LONGEST_DELEGATION_DAYS - 1);
  if (validFrom < today) throw invalid('/validFrom', 'Begin today or later.');
  if (validFrom > latest(today)) throw invalid('/validFrom', 'Begin within a year.');
  if (validTo < validFrom) throw invalid('/validTo', 'End on the first day or later.');
  if (validTo > latest(validFrom)) {
    throw invalid('/validTo', `A delegation lasts ${LONGEST_DELEGATION_DAYS} days at most.`);
  }
}

function invalid(pointer: string, detail: string) {
  return identityErrors.delegation_invalid(detail, { fields: [{ pointer, detail }] });
}
