// Giving, answering and ending delegations: who may act for whom, in what, from when to when.
import { z } from 'zod';
import {
  addDays,
  cityDay,
  type Database,
  dbNow,
  type Ids,
  openRows,
  type Tx,
} from '../platform/index.ts';
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
import { scopeOfAccount, scopeOfGrounds } from './row-scope.ts';
import {
  countOpen,
  type DelegationRow,
  findDelegations,
  insertDelegation,
  lockDelegation,
  lockPrincipal,
  moveUnder,
  revokeUnder,
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

  async function shown(tx: Tx, row: DelegationRow, side: DelegationSide): Promise<Delegation> {
    const [delegation] = await show(tx, [row], () => side);
    if (!delegation) throw new TypeError('One delegation in, one shown.');
    return delegation;
  }

  async function log(
    tx: Tx,
    actor: Actor,
    { id, principalId }: DelegationRow,
    entry: { type: string; role: string },
  ): Promise<void> {
    await access.recordAccess(tx, actor, {
      ...entry,
      outcome: 'ok',
      subject: principalId,
      answerKind: 'none',
      delegation: id,
    });
  }

  /**
   * Proposes that an agent act for a principal; nothing holds until the agent accepts. Who speaks for a
   * company under its licence and makes herself its agent has accepted by that. Who may ask this for
   * the principal is for the caller to have checked.
   */
  async function proposeDelegation(
    tx: Tx,
    actor: Actor,
    { principalId, underLicence = null }: { principalId: string; underLicence?: string | null },
    input: DelegationInput,
  ): Promise<Delegation> {
    await openRows(tx, scopeOfAccount(principalId));
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
    const items = [...new Set(input.items)];
    const days = { validFrom, validTo };
    const row = await insertDelegation(tx, {
      id: ids.uuid(),
      principalId,
      agentId,
      items,
      ...days,
      underLicence,
    });
    if (!row) {
      throw identityErrors.delegation_open(
        'This agent has an open delegation from you: revoke it first.',
      );
    }
    const role = underLicence === null ? 'holder' : 'representative';
    await log(tx, actor, row, { type: 'delegation.given', role });
    const isOwnAgent = underLicence !== null && agentId === actor.personId;
    return shown(
      tx,
      isOwnAgent ? await updateDelegation(tx, row.id, 'accepted') : row,
      'principal',
    );
  }

  /** Decides as one of the sides, in the role the log is told. */
  async function decide(
    tx: Tx,
    actor: Actor,
    { personId, id, decision }: { personId: string; id: string; decision: DelegationDecision },
    principalRole: 'holder' | 'representative',
  ): Promise<Delegation> {
    if (!z.uuid().safeParse(id).success) throw delegationNotFound();
    await openRows(tx, scopeOfAccount(personId));
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
    const role = side === 'agent' ? 'agent' : principalRole;
    await log(tx, actor, row, { type: events[decision], role });
    return shown(tx, decided, side);
  }

  const list = (personId: string) =>
    database
      .as(scopeOfAccount(personId))
      .transaction((tx) => findDelegations(tx, personId, LISTED));

  return {
    proposeDelegation,

    /** What the person has given and been given, newest first, at most 100 of each. */
    async listDelegations(actor: Actor): Promise<Delegation[]> {
      const personId = personOf(actor);
      const rows = await list(personId);
      return show(database.db, rows, (row) =>
        row.principalId === personId ? 'principal' : 'agent',
      );
    },

    /** What a company has given, for who speaks for it; at most 100. */
    async listDelegationsOf(principalId: string): Promise<Delegation[]> {
      const rows = await list(principalId);
      return show(
        database.db,
        rows.filter((row) => row.principalId === principalId),
        () => 'principal',
      );
    },

    /** Proposes that the agent act for the person who asks; see proposeDelegation. */
    async giveDelegation(actor: Actor, input: DelegationInput): Promise<Delegation> {
      personOf(actor);
      const principalId = (await acting.subjectOf(actor, 'delegation.give')) ?? '';
      return database.transaction((tx) => proposeDelegation(tx, actor, { principalId }, input));
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
      return database.transaction((tx) => decide(tx, actor, { personId, id, decision }, 'holder'));
    },

    /** Revokes in the name of a company, for who speaks for it; that she does is for the caller to know. */
    revokeDelegationOf: (
      tx: Tx,
      actor: Actor,
      principalId: string,
      id: string,
    ): Promise<Delegation> =>
      decide(tx, actor, { personId: principalId, id, decision: 'revoke' }, 'representative'),

    /**
     * What was given under a licence goes over to its next version, or ends where there is none that
     * names the same representative.
     */
    async settleDelegationsUnder(
      tx: Tx,
      actor: Actor,
      licence: string,
      successor: string | null,
    ): Promise<void> {
      await openRows(tx, scopeOfGrounds(licence, ...(successor === null ? [] : [successor])));
      if (successor !== null) return moveUnder(tx, licence, successor);
      for (const row of await revokeUnder(tx, licence)) {
        await log(tx, actor, row, { type: events.revoke, role: 'system' });
      }
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
