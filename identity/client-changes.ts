// What operators do with clients and relying parties: one proposes, another decides, and the decision and its effect are
// one transaction. A hold works at once, and lifts itself unless another confirms it.
import {
  type Clock,
  type Database,
  type Ids,
  isUniqueViolation,
  type Tx,
} from '../platform/index.ts';
import type { AccessEntry } from './access.ts';
import type { Actor } from './actor.ts';
import type { Client, Clients } from './client.ts';
import {
  type ClientDecision,
  type ClientProposal,
  HOLD_HOURS,
  HOLD_PAUSE_DAYS,
  isHoldKind,
} from './client-change.ts';
import { createClientChangeEffects } from './client-change-effects.ts';
import { ClientKeys } from './client-keys.ts';
import { identityErrors } from './errors.ts';
import { containsCitizenId } from './identifiers.ts';
import { jwkThumbprint } from './jwk-thumbprint.ts';
import type { RelyingParties, RelyingParty } from './relying-party.ts';
import { requireRole } from './roles.ts';
import {
  type ClientChangePage,
  type ClientChangeRow,
  decideClientChange,
  findClientChange,
  hasVainHold,
  insertClientChange,
  lapseHolds,
  listClientChanges,
  lockClientChange,
} from './store-client-changes.ts';

/** A change as operators see it. */
export interface ClientChange {
  id: string;
  client: string;
  organisation: string;
  kind: ClientProposal['kind'];
  /** What is to be: keys, scopes, the end of old keys. */
  content: ClientChangeRow['content'];
  /** The new keys by their thumbprints (RFC 7638), to compare with the department by telephone. */
  newKeys: { kid: string; thumbprint: string }[];
  reason: string;
  state: ClientChangeRow['state'];
  holdsUntil: string | null;
  proposedBy: string;
  proposedAt: string;
  decidedBy: string | null;
  decidedAt: string | null;
  decisionReason: string | null;
}

interface ClientChangesDeps {
  database: Database;
  clock: Clock;
  ids: Ids;
  clients: Clients;
  relyingParties: RelyingParties;
  recordAccess: (tx: Tx, actor: Actor, entry: AccessEntry) => Promise<unknown>;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The operators' acts; each refuses whoever is not an officer with the role operator. */
export function createClientChanges(deps: ClientChangesDeps) {
  const { database, clock, ids, clients, relyingParties, recordAccess } = deps;

  const { check, apply, hold } = createClientChangeEffects({ clock, clients, relyingParties });

  async function record(
    tx: Tx,
    actor: Actor,
    act: string,
    change: ClientChangeRow,
    reason: string,
  ) {
    await recordAccess(tx, actor, {
      type: `client.change_${act}`,
      outcome: 'ok',
      question: `${change.kind} ${change.clientId}`,
      purpose: reason,
      caseId: change.id,
    });
  }

  return {
    /** All clients by id. */
    async listClientsAs(
      actor: Actor,
      { limit = 50, cursor }: { limit?: number; cursor?: string | undefined } = {},
    ): Promise<{ items: Client[]; nextCursor: string | null }> {
      operatorOf(actor);
      const found = await clients.listClients(database.db, { afterId: cursor, limit: limit + 1 });
      return pageOf(found, limit);
    },

    async getClient(actor: Actor, id: string): Promise<Client> {
      operatorOf(actor);
      const client = await clients.findClient(database.db, id);
      if (!client) throw identityErrors.client_not_found('There is no such client.');
      return client;
    },

    /** All relying parties by id. */
    async listRelyingPartiesAs(
      actor: Actor,
      { limit = 50, cursor }: { limit?: number; cursor?: string | undefined } = {},
    ): Promise<{ items: RelyingParty[]; nextCursor: string | null }> {
      operatorOf(actor);
      const page = { afterId: cursor, limit: limit + 1 };
      return pageOf(await relyingParties.listRelyingParties(database.db, page), limit);
    },

    async getRelyingParty(actor: Actor, id: string): Promise<RelyingParty> {
      operatorOf(actor);
      const party = await relyingParties.findRelyingParty(database.db, id);
      if (!party) throw identityErrors.relying_party_not_found('There is no such relying party.');
      return party;
    },

    /** Changes, latest first; with `open` those that wait for a decision. */
    async listClientChanges(
      actor: Actor,
      query: {
        open?: boolean;
        client?: string | undefined;
        limit?: number;
        cursor?: string | undefined;
      },
    ): Promise<{ items: ClientChange[]; nextCursor: string | null }> {
      operatorOf(actor);
      const { open, client, limit = 50, cursor } = query;
      const page: ClientChangePage = { isOpen: open, clientId: client, limit: limit + 1 };
      if (cursor !== undefined) page.beforeId = changeId(cursor);
      return pageOf((await listClientChanges(database.db, page)).map(asChange), limit);
    },

    async getClientChange(actor: Actor, id: string): Promise<ClientChange> {
      operatorOf(actor);
      const change = await findClientChange(database.db, changeId(id));
      if (!change) throw noChange();
      return asChange(change);
    },

    /**
     * Proposes a change; another operator decides about it. At most one is open for a client. A hold
     * works from now on, for 24 hours unless it is confirmed.
     */
    async proposeClientChange(actor: Actor, proposal: ClientProposal): Promise<ClientChange> {
      const officerId = operatorOf(actor);
      checkWords(proposal.reason);
      const { kind, client: clientId, reason, ...content } = proposal;
      const id = ids.uuid();
      return database.transaction(async (tx) => {
        const { organisationId } = await check(tx, proposal);
        if (isHoldKind(kind)) await checkHold(tx, officerId, clientId);
        const row = { id, clientId, organisationId, kind, content, reason, proposedBy: officerId };
        try {
          await insertClientChange(tx, row, clock.now(), HOLD_HOURS);
        } catch (cause) {
          if (!isUniqueViolation(cause)) throw cause;
          throw identityErrors.client_change_open(
            'Another change of this client or relying party waits for a decision. Decide about that one first.',
            { cause },
          );
        }
        if (isHoldKind(kind)) await hold(tx, kind, clientId, id);
        const change = await getChange(tx, id);
        await record(tx, actor, 'proposed', change, reason);
        return asChange(change);
      });
    },

    /** Applies an open change, or refuses it; never the operator who proposed it. */
    async decideClientChange(
      actor: Actor,
      id: string,
      decision: 'approve' | 'refuse',
      { reason }: ClientDecision,
    ): Promise<ClientChange> {
      const officerId = operatorOf(actor);
      checkWords(reason);
      return database.transaction(async (tx) => {
        const change = await lockClientChange(tx, changeId(id));
        if (!change) throw noChange();
        if (change.state !== 'proposed') {
          throw identityErrors.client_change_decided(
            change.state === 'lapsed'
              ? 'This hold has lifted itself: nobody confirmed it in time.'
              : `This change has been ${change.state} already.`,
          );
        }
        if (change.proposedBy === officerId) {
          throw identityErrors.own_client_change(
            'Four eyes: another operator than the one who proposed must decide.',
          );
        }
        if (decision === 'approve') await apply(tx, change);
        else if (isHoldKind(change.kind)) await hold(tx, change.kind, change.clientId, null);
        const state = decision === 'approve' ? 'applied' : 'refused';
        await decideClientChange(
          tx,
          { id: change.id, state, decidedBy: officerId, reason },
          clock.now(),
        );
        await record(tx, actor, state, change, reason);
        return asChange(await getChange(tx, change.id));
      });
    },
  };
}

/** One operator alone must not keep a client or relying party out by holding it day after day. */
async function checkHold(tx: Tx, officerId: string, clientId: string): Promise<void> {
  await lapseHolds(tx, clientId);
  if (!(await hasVainHold(tx, officerId, clientId, HOLD_PAUSE_DAYS))) return;
  throw identityErrors.client_hold_repeated(
    `Nobody confirmed your last hold of it. For ${HOLD_PAUSE_DAYS} days another operator must hold it.`,
  );
}

async function getChange(tx: Tx, id: string): Promise<ClientChangeRow> {
  const change = await findClientChange(tx, id);
  if (!change) throw new TypeError('A change just written is there.');
  return change;
}

/** The officer behind the act: a change is always some person's. */
function operatorOf(actor: Actor): string {
  requireRole(actor, 'operator');
  if (actor.officerId !== undefined) return actor.officerId;
  throw identityErrors.role_missing('Only a signed-in operator changes clients.');
}

function checkWords(reason: string): void {
  const detail =
    reason === '' || reason.length > 500
      ? 'Give a reason of at most 500 characters.'
      : containsCitizenId(reason) && 'Name no person by a citizen ID.';
  if (!detail) return;
  throw identityErrors.client_invalid(detail, { fields: [{ pointer: '/reason', detail }] });
}

const noChange = () => identityErrors.client_change_not_found('There is no such change.');

function changeId(text: string): string {
  if (!uuid.test(text)) throw noChange();
  return text;
}

function pageOf<Item extends { id: string }>(found: Item[], limit: number) {
  const items = found.slice(0, limit);
  return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null };
}

const time = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();

function newKeysOf({ content }: ClientChangeRow): ClientChange['newKeys'] {
  if (content.keys === undefined) return [];
  return ClientKeys.parse(content.keys).map((key) => ({
    kid: key.kid,
    thumbprint: jwkThumbprint(key),
  }));
}

function asChange(row: ClientChangeRow): ClientChange {
  return {
    id: row.id,
    client: row.clientId,
    organisation: row.organisationId,
    kind: row.kind,
    content: row.content,
    newKeys: newKeysOf(row),
    reason: row.reason,
    state: row.state,
    holdsUntil: time(row.holdsUntil),
    proposedBy: row.proposedByKey,
    proposedAt: new Date(row.proposedAt).toISOString(),
    decidedBy: row.decidedByKey,
    decidedAt: time(row.decidedAt),
    decisionReason: row.decisionReason,
  };
}
