// What operators do about officers: accounts, roles under four eyes, and those who leave.

import type { z } from 'zod';
import {
  cityDay,
  type Database,
  dbNow,
  type Ids,
  isUniqueViolation,
  type Tx,
} from '../platform/index.ts';
import type { AccessEntry } from './access.ts';
import { type Actor, isRole, type Role } from './actor.ts';
import type { Enrolment, Enrolments } from './enrolments.ts';
import { identityErrors } from './errors.ts';
import {
  asOperatorRequest,
  type OperatorRequest,
  pageOfRequests,
  type RequestsQuery,
  requestIdOf,
} from './operator-request.ts';
import {
  DECIDED,
  NewOfficer,
  Reason,
  type RoleDecision,
  RoleRequestInput,
} from './role-request.ts';
import { type Duty, dutyOf, requireRole } from './roles.ts';
import {
  deleteGrant,
  endOfficer,
  findOfficer,
  type GrantRow,
  insertGrant,
  insertOfficer,
  listOfficers,
  lockOfficer,
  lockOperators,
  type OfficerRow,
  type Reach,
} from './store-officers.ts';
import { findOrganisation } from './store-organisations.ts';
import {
  findRoleRequest,
  insertRoleRequest,
  listRoleRequests,
  lockRoleRequest,
  type RoleRequestRow,
  updateRoleRequest,
} from './store-role-requests.ts';

/** An officer as operators see her. */
export interface ListedOfficer {
  key: string;
  username: string;
  organisation: string;
  duty: Duty;
  hasLeft: boolean;
  roles: GrantRow[];
}

/** A wish to change an officer's roles, and what became of it. */
export interface RoleRequest extends OperatorRequest {
  act: 'grant' | 'revoke';
  role: string;
  reach: Reach;
  validFrom: string;
  validTo: string | null;
}

/** A request just decided, with the link to hand over when it gave a role to who has no way in yet. */
export interface DecidedRoleRequest extends RoleRequest {
  enrolment: Enrolment | null;
}

interface PageQuery {
  limit?: number | undefined;
  cursor?: string | undefined;
}

const EVENTS = { grant: 'role.granted', revoke: 'role.revoked' } as const;

/** The acts of operators on officers of one house; each refuses whoever isn't one. */
export function createOfficers(deps: {
  database: Database;
  ids: Ids;
  cityTz: string;
  enrolments: Pick<Enrolments, 'makeEnrolment'>;
  recordAccess: (tx: Tx, actor: Actor, entry: AccessEntry) => Promise<unknown>;
}) {
  const { database, ids, cityTz, enrolments, recordAccess } = deps;

  async function today(tx: Tx): Promise<string> {
    return cityDay(await dbNow(tx), cityTz);
  }

  /** The officer of a key who is still here, held. */
  async function take(tx: Tx, key: string): Promise<OfficerRow> {
    const officer = await lockOfficer(tx, key);
    if (!officer || officer.hasLeft) throw noOfficer();
    return officer;
  }

  /** Refuses what would leave fewer than two operators: nobody could grant anything any more. */
  async function keepTwoOperators(tx: Tx, without: string): Promise<void> {
    const operators = await lockOperators(tx, await today(tx));
    if (!operators.includes(without) || operators.length > 2) return;
    throw identityErrors.last_operators(
      'Two operators must remain, or nobody could decide anything. Grant the role to another first.',
    );
  }

  function record(tx: Tx, actor: Actor, type: string, question: string, purpose: string) {
    return recordAccess(tx, actor, { type, outcome: 'ok', question, purpose, answerKind: 'none' });
  }

  return {
    /** Officers by key, of one organisation if it is named. */
    async listOfficersAs(
      actor: Actor,
      { organisation, limit = 50, cursor }: PageQuery & { organisation?: string | undefined } = {},
    ): Promise<{ items: ListedOfficer[]; nextCursor: string | null }> {
      operatorOf(actor);
      const page = { organisationId: organisation, afterKey: cursor, limit: limit + 1 };
      const rows = await listOfficers(database.db, page);
      const items = rows.slice(0, limit).map(asListed);
      return { items, nextCursor: rows.length > limit ? (items.at(-1)?.key ?? null) : null };
    },

    async getOfficer(actor: Actor, key: string): Promise<ListedOfficer> {
      operatorOf(actor);
      const officer = await findOfficer(database.db, key);
      if (!officer) throw noOfficer();
      return asListed(officer);
    },

    /** Opens an account without any role; what it is for can't be changed afterwards. */
    async addOfficer(actor: Actor, written: NewOfficer): Promise<ListedOfficer> {
      operatorOf(actor);
      const input = readInput(NewOfficer, written, 'officer_invalid');
      const { organisation, duty = 'work', ...account } = input;
      return database.transaction(async (tx) => {
        if (!(await findOrganisation(tx, organisation))) {
          throw identityErrors.officer_invalid('This account can not be opened; see errors.', {
            fields: [{ pointer: '/organisation', detail: 'is no organisation' }],
          });
        }
        const row = { ...account, duty, id: ids.uuid(), organisationId: organisation };
        try {
          await insertOfficer(tx, row, await dbNow(tx));
        } catch (cause) {
          if (!isUniqueViolation(cause)) throw cause;
          throw identityErrors.officer_taken('Another officer has this key or username.', {
            cause,
          });
        }
        await record(tx, actor, 'officer.added', account.key, duty);
        return asListed({ ...row, hasLeft: false, grants: [] });
      });
    },

    /** Asks for a role to be granted or revoked; nothing changes until another operator approves. */
    async requestRole(actor: Actor, written: RoleRequestInput): Promise<RoleRequest> {
      const requestedBy = operatorOf(actor);
      const input = readInput(RoleRequestInput, written, 'role_request_invalid');
      const { act, role, reason } = input;
      return database.transaction(async (tx) => {
        const officer = await take(tx, input.officer);
        refuseOwn(officer.id, requestedBy);
        const day = await today(tx);
        const held = heldNow(officer, role, day);
        if ((act === 'grant') === (held !== undefined)) {
          throw identityErrors.role_not_changed(
            held ? 'The officer has this role already.' : 'The officer does not have this role.',
          );
        }
        if (dutyOf(role) !== officer.duty) throw incompatible();
        const terms = held
          ? { reach: held.reach, validFrom: held.validFrom ?? day, validTo: held.validTo }
          : {
              reach: input.reach,
              validFrom: input.validFrom ?? day,
              validTo: input.validTo ?? null,
            };
        const id = ids.uuid();
        try {
          const request = { id, act, officerId: officer.id, role, ...terms, reason, requestedBy };
          await insertRoleRequest(tx, request);
        } catch (cause) {
          if (!isUniqueViolation(cause)) throw cause;
          throw identityErrors.role_request_open(
            'A request for this role of this officer waits for a decision. Decide that one first.',
            { cause },
          );
        }
        await record(tx, actor, 'role.requested', `${act} ${role} ${officer.key}`, reason);
        return asRequest(await getRequest(tx, id));
      });
    },

    /**
     * Approves or refuses; never by who asked or by whom it is about. Effective at once. Who is given a
     * role and has no way in gets a link, told here once; approving another request makes a new one.
     */
    async decideRole(
      actor: Actor,
      id: string,
      decision: RoleDecision,
      written: { reason: string },
    ): Promise<DecidedRoleRequest> {
      const decidedBy = operatorOf(actor);
      const reason = readReason(written.reason);
      return database.transaction(async (tx) => {
        const request = await lockRoleRequest(tx, requestIdOf(id, noRequest));
        if (!request) throw noRequest();
        if (request.state !== 'open') {
          throw identityErrors.role_request_decided('This request was decided before.');
        }
        if (request.requestedBy === decidedBy) {
          throw identityErrors.own_role_request(
            'Four eyes: another operator than the one who asked must decide.',
          );
        }
        refuseOwn(request.officerId, decidedBy);
        const { act, role, officerKey, officerId } = request;
        if (decision === 'approve') {
          await take(tx, officerKey);
          if (act === 'revoke' && role === 'operator') await keepTwoOperators(tx, officerId);
        }
        await updateRoleRequest(tx, { id, state: DECIDED[decision], decidedBy });
        if (decision === 'approve') {
          // One that has run out makes room for the next.
          await deleteGrant(tx, officerId, role);
          if (act === 'grant') await insertGrant(tx, id, await dbNow(tx));
        }
        const event = decision === 'approve' ? EVENTS[act] : 'role.request_refused';
        await record(tx, actor, event, `${act} ${role} ${officerKey}`, reason);
        const isGiven = decision === 'approve' && act === 'grant';
        const enrolment = isGiven ? await enrolments.makeEnrolment(tx, officerId) : null;
        return { ...asRequest(await getRequest(tx, id)), enrolment };
      });
    },

    /** Requests, newest first, in one state if it is named. */
    async listRoleRequests(
      actor: Actor,
      query: RequestsQuery = {},
    ): Promise<{ items: RoleRequest[]; nextCursor: string | null }> {
      operatorOf(actor);
      const find = (page: Parameters<typeof listRoleRequests>[1]) =>
        listRoleRequests(database.db, page);
      return pageOfRequests(query, noRequest, find, asRequest);
    },

    /**
     * Notes that an officer has left: her roles and all her sessions end at once. One operator is
     * enough, since it takes and gives nothing; who comes back gets a new account.
     */
    async endOfficer(
      actor: Actor,
      key: string,
      written: { reason: string },
    ): Promise<ListedOfficer> {
      operatorOf(actor);
      const reason = readReason(written.reason);
      return database.transaction(async (tx) => {
        const officer = await take(tx, key);
        if (officer.duty === 'operate') await keepTwoOperators(tx, officer.id);
        await endOfficer(tx, officer.id);
        await record(tx, actor, 'officer.left', key, reason);
        return asListed({ ...officer, hasLeft: true, grants: [] });
      });
    },
  };
}

/** The officer behind an operator's act: it is always some person's. */
export function operatorOf(actor: Actor): string {
  requireRole(actor, 'operator');
  if (actor.officerId !== undefined) return actor.officerId;
  throw identityErrors.role_missing('Only a signed-in operator does this.');
}

function refuseOwn(officerId: string, operatorId: string): void {
  if (officerId !== operatorId) return;
  throw identityErrors.own_role('Nobody changes her own roles: two other operators must.');
}

function heldNow({ grants }: OfficerRow, role: Role, today: string): GrantRow | undefined {
  return grants.find((grant) => grant.role === role && (grant.validTo ?? today) >= today);
}

async function getRequest(tx: Tx, id: string): Promise<RoleRequestRow> {
  const row = await findRoleRequest(tx, id);
  if (!row) throw new TypeError('A request just written is there.');
  return row;
}

const noOfficer = () => identityErrors.officer_not_found('There is no such officer here.');
const noRequest = () => identityErrors.role_request_not_found('There is no such request.');

/** The refusal of roles that no one account holds together. */
export function incompatible() {
  return identityErrors.roles_incompatible(
    'An auditor or an operator has no other role, and no other account has theirs. Open an account of its own.',
  );
}

/** What was written, as the schema reads it; else the refusal of this code with all faults at once. */
export function readInput<S extends z.ZodType>(
  schema: S,
  written: unknown,
  code: 'officer_invalid' | 'role_request_invalid' | 'founding_invalid',
): z.output<S> {
  const result = schema.safeParse(written);
  if (result.success) return result.data;
  const fields = result.error.issues.map(({ path, message }) => ({
    pointer: path.map((step) => `/${String(step)}`).join(''),
    detail: message,
  }));
  throw identityErrors[code]('Some members are missing or wrong; see errors.', { fields });
}

/** A reason as operators write it; identity.role_request_invalid. */
export function readReason(reason: string): string {
  const result = Reason.safeParse(reason);
  if (result.success) return result.data;
  const detail = result.error.issues[0]?.message ?? '';
  const fields = [{ pointer: '/reason', detail }];
  throw identityErrors.role_request_invalid('The reason can not be used; see errors.', { fields });
}

function asListed(row: OfficerRow): ListedOfficer {
  const { key, username, organisationId: organisation, duty, hasLeft, grants } = row;
  return {
    key,
    username,
    organisation,
    duty,
    hasLeft,
    roles: grants.filter(({ role }) => isRole(role)),
  };
}

function asRequest(row: RoleRequestRow): RoleRequest {
  const { act, role, reach, validFrom, validTo } = row;
  return { ...asOperatorRequest(row), act, role, reach, validFrom, validTo };
}
