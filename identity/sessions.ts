// Sessions of people and officers (contract section 5): opened by whatever proved who somebody is,
// found by their cookie, listed and ended by their owner. Each use reads the row, so an end made in one
// process holds in all of them at once.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { cityDay, type Database, type Ids, type Tx } from '../platform/index.ts';
import { type Actor, isRole } from './actor.ts';
import type { Assurance } from './assurance.ts';
import { type ActingFor, isInForce } from './delegation.ts';
import { type DeviceFamily, deviceFamily } from './device.ts';
import { identityErrors } from './errors.ts';
import {
  type Account,
  type ActingRow,
  deleteOwnSession,
  deleteOwnSessions,
  deleteSession,
  findSession,
  insertSession,
  type ListedSession,
  listSessions,
  type SignInMethod,
  touchSession,
} from './store-sessions.ts';

/** The value of a new session's cookie, and whom it makes its bearer. */
export interface OpenedSession {
  cookie: string;
  actor: Actor;
}

/** How and where somebody proved who she is. */
export interface SignedIn {
  requestId: string;
  assurance: Assurance;
  method: SignInMethod;
  userAgent?: string | undefined;
  /** Who was signed in on this browser before: that session ends. */
  before?: Actor | undefined;
}

/** A session as its owner sees it: no address, and of the browser the family alone. */
export interface OwnSession {
  id: string;
  device: DeviceFamily;
  since: string;
  lastSeen: string;
  assurance: Assurance;
  method: SignInMethod;
  isCurrent: boolean;
}

const TOKEN_BYTES = 32;
// OWASP: half an hour of silence, and never longer than a working day; by the database's clock.
const IDLE_SECONDS = 30 * 60;
const LONGEST_SECONDS = 12 * 60 * 60;
// One write per session and minute, not one per click.
const STALE_SECONDS = 60;
// More than a person can tell apart; all of them end by signing out everywhere.
const MOST_LISTED = 100;

/** Sessions of one house. */
export function createSessions(deps: {
  database: Database;
  ids: Ids;
  formKey: () => Buffer;
  cityTz: string;
}) {
  const { database, ids, formKey, cityTz } = deps;

  async function find(tx: Tx, token: string, requestId: string): Promise<Actor | null> {
    const row = await findSession(tx, digestOf(token), STALE_SECONDS, cityTz);
    if (!row) return null;
    if (row.isStale) await touchSession(tx, row.id, IDLE_SECONDS);
    const common = { requestId, sessionId: row.id, assurance: row.assurance, scopes: [] };
    if (row.personId !== null) {
      return {
        ...common,
        kind: 'citizen',
        organisationId: null,
        personId: row.personId,
        ...(row.actingBy && { actingFor: actingForOf(row.actingBy) }),
        roles: [],
      };
    }
    return {
      ...common,
      kind: 'officer',
      organisationId: row.organisationId,
      officerId: row.officerId ?? undefined,
      officerKey: row.officerKey ?? undefined,
      roles: (row.roles ?? []).filter(isRole),
    };
  }

  function actingForOf(row: ActingRow): ActingFor {
    const { id, principalId, items, readAt } = row;
    const hasEnded = !isInForce(cityDay(new Date(readAt), cityTz), row);
    return { personId: principalId, delegationId: id, items, hasEnded };
  }

  return {
    /** Opens a session of an account that has proved who it is; always under a new cookie value. */
    async openSession(tx: Tx, account: Account, how: SignedIn): Promise<OpenedSession> {
      const { requestId, assurance, method, userAgent, before } = how;
      if (before?.sessionId !== undefined) await deleteSession(tx, before.sessionId);
      const cookie = ids.token(TOKEN_BYTES);
      await insertSession(
        tx,
        {
          id: ids.uuid(),
          tokenDigest: digestOf(cookie),
          account,
          assurance,
          method,
          ...deviceFamily(userAgent),
        },
        IDLE_SECONDS,
        LONGEST_SECONDS,
      );
      const actor = await find(tx, cookie, requestId);
      if (!actor) throw new TypeError('A session just opened runs.');
      return { cookie, actor };
    },

    /** The actor of a session by its cookie's value; null when it has ended or never was. */
    findSession: (cookie: string, requestId: string) => find(database.db, cookie, requestId),

    /** The actor's running sessions, the last seen first. */
    async listSessions(actor: Actor): Promise<OwnSession[]> {
      const rows = await listSessions(database.db, accountOf(actor), MOST_LISTED);
      return rows.map((row) => asOwnSession(row, actor.sessionId));
    },

    /** Ends one of the actor's sessions; another's is not found. */
    async endSession(actor: Actor, id: string): Promise<void> {
      const isGone = UUID.test(id) && (await deleteOwnSession(database.db, accountOf(actor), id));
      if (!isGone) throw identityErrors.session_not_found('You have no session of this id.');
    },

    /** Ends all of the actor's sessions: everywhere, or everywhere but here. */
    async endSessions(actor: Actor, where: 'everywhere' | 'elsewhere'): Promise<void> {
      const kept = where === 'elsewhere' ? (actor.sessionId ?? null) : null;
      await deleteOwnSessions(database.db, accountOf(actor), kept);
    },

    /** Ends the actor's session; harmless when it has none. */
    async signOut(actor: Actor): Promise<void> {
      if (actor.sessionId !== undefined) await deleteSession(database.db, actor.sessionId);
    },

    /**
     * What every form of this session carries; another session's or site's forms can't know it, nor can
     * a page from before the session began or stopped acting for another.
     */
    formToken(actor: Actor): string {
      const token = formTokenOf(actor);
      if (!token) throw new TypeError('Only sessions have forms.');
      return token.toString('base64url');
    },

    /** Refuses a form that doesn't carry its session's token. */
    checkFormToken(actor: Actor, given: string | undefined): void {
      const bytes = Buffer.from(given ?? '', 'base64url');
      const expected = formTokenOf(actor);
      if (expected && bytes.length === expected.length && timingSafeEqual(bytes, expected)) return;
      throw identityErrors.form_token_invalid(
        'This form is too old or from elsewhere. Go back, reload the page and send it again.',
      );
    },
  };

  /** Another one for whom and for which organisation the session acts: a form from before is refused. */
  function formTokenOf({ sessionId, actingFor, organisationId }: Actor): Buffer | null {
    if (sessionId === undefined) return null;
    const forWhom = actingFor?.delegationId ?? organisationId ?? '';
    return createHmac('sha256', formKey()).update(`${sessionId}|${forWhom}`).digest();
  }
}

export type Sessions = ReturnType<typeof createSessions>;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whose sessions these are; only people and officers have any. */
function accountOf(actor: Actor): Account {
  if (actor.personId !== undefined) return { kind: 'person', id: actor.personId };
  if (actor.officerId !== undefined) return { kind: 'officer', id: actor.officerId };
  throw identityErrors.session_needed('Only people and officers have sessions: sign in first.');
}

function asOwnSession(row: ListedSession, currentId: string | undefined): OwnSession {
  const { id, browser, system, assurance, method } = row;
  return {
    id,
    device: { browser, system },
    since: new Date(row.createdAt).toISOString(),
    lastSeen: new Date(row.seenAt).toISOString(),
    assurance,
    method,
    isCurrent: id === currentId,
  };
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}
