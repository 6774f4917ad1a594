// Signing in with a PIN or a password while the local identity provider is on, and the sessions of
// people and officers (contract section 5).
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { AppError, type Clock, type Database, type Ids } from '../platform/index.ts';
import type { Actor } from './actor.ts';
import { isRole } from './actor.ts';
import { identityErrors } from './errors.ts';
import { foldIdentifier, isCitizenId, isUscc, type PersonIdentifier } from './identifiers.ts';
import type { People } from './people.ts';
import { deriveKey } from './sealing.ts';
import type { SecretHash } from './secret-hash.ts';
import {
  type Account,
  countAttempt,
  deleteSession,
  findOfficerSecret,
  findPersonSecret,
  findSession,
  forgetAttempts,
  insertSession,
  putSecret,
  touchSession,
} from './store-sessions.ts';

/** What somebody signs in with. */
export type Credentials =
  | { scheme: PersonIdentifier['scheme']; value: string; pin: string }
  | { username: string; password: string };

const TRIES = 5;
const LOCKED_SECONDS = 15 * 60;
const TOKEN_BYTES = 32;
// OWASP: half an hour of silence, and never longer than a working day.
const IDLE_SECONDS = 30 * 60;
const LONGEST_SECONDS = 12 * 60 * 60;
// One write per session and minute, not one per click.
const STALE_SECONDS = 60;

/** Sign-in and sessions of one house. */
export function createSessions(deps: {
  database: Database;
  clock: Clock;
  ids: Ids;
  people: Pick<People, 'findPerson'>;
  secretHash: SecretHash;
  sessionKey: Buffer;
  isLocalSignInAllowed: boolean;
}) {
  const { database, clock, ids, people, secretHash, isLocalSignInAllowed } = deps;
  const attemptKey = deriveKey(deps.sessionKey, 'sign-in-attempts');
  const formKey = deriveKey(deps.sessionKey, 'form-tokens');

  async function findAccount(
    credentials: Credentials,
  ): Promise<{ account: Account; hash: string } | null> {
    if ('username' in credentials) {
      const row = await findOfficerSecret(database.db, credentials.username.trim());
      return row && { account: { kind: 'officer', id: row.id }, hash: row.hash };
    }
    const { scheme } = credentials;
    const value = foldIdentifier(credentials.value);
    if (!(scheme === 'cn-id' ? isCitizenId(value) : isUscc(value))) return null;
    const personId = await people.findPerson(database.db, { scheme, value }).catch((error) => {
      // Born tomorrow: no such account, and no other words for it.
      if (error instanceof AppError) return null;
      throw error;
    });
    if (personId === null) return null;
    const row = await findPersonSecret(database.db, personId);
    return row && { account: { kind: 'person', id: row.id }, hash: row.hash };
  }

  function attemptDigest(credentials: Credentials): Buffer {
    const name =
      'username' in credentials
        ? `officer|${credentials.username.trim()}`
        : `${credentials.scheme}|${foldIdentifier(credentials.value)}`;
    return createHmac('sha256', attemptKey).update(name, 'utf8').digest();
  }

  async function open(token: string, requestId: string): Promise<Actor | null> {
    const row = await findSession(database.db, digestOf(token), STALE_SECONDS);
    if (!row) return null;
    if (row.isStale) await touchSession(database.db, row.id, IDLE_SECONDS);
    const common = { requestId, sessionId: row.id, scopes: [] };
    if (row.personId !== null) {
      return {
        ...common,
        kind: 'citizen',
        organisationId: null,
        personId: row.personId,
        roles: [],
      };
    }
    return {
      ...common,
      kind: 'officer',
      organisationId: row.organisationId,
      officerId: row.officerId ?? undefined,
      officerKey: row.officerKey ?? undefined,
      roles: row.roles.filter(isRole),
    };
  }

  return {
    /**
     * Opens a session and returns the value of its cookie. Accounts that don't exist are refused in the
     * same words and time, and lock after as many tries, as those that do.
     */
    async signIn(
      credentials: Credentials,
      { requestId }: { requestId: string },
    ): Promise<{ cookie: string; actor: Actor }> {
      if (!isLocalSignInAllowed) {
        throw identityErrors.sign_in_off('Signing in with a PIN or password is switched off here.');
      }
      // 1. Count the try. 2. Check the secret. 3. Forget the tries, keep the better hash, open.
      const digest = attemptDigest(credentials);
      const attempt = await countAttempt(database.db, digest, TRIES, LOCKED_SECONDS);
      if (attempt.tries > TRIES) {
        throw identityErrors.sign_in_locked('Too many wrong tries. Wait a while, then try again.', {
          retryAfterSeconds: attempt.secondsLeft,
        });
      }
      const found = await findAccount(credentials);
      const secret = 'username' in credentials ? credentials.password : credentials.pin;
      const { isRight, rehashed } = await secretHash.checkSecret(secret, found?.hash ?? null);
      if (!found || !isRight) {
        throw identityErrors.sign_in_failed('The name or the secret is wrong. Check both.');
      }
      const token = ids.token(TOKEN_BYTES);
      await database.transaction(async (tx) => {
        await forgetAttempts(tx, digest);
        if (rehashed !== undefined) await putSecret(tx, found.account, rehashed, clock.now());
        const session = { id: ids.uuid(), tokenDigest: digestOf(token), account: found.account };
        await insertSession(tx, session, IDLE_SECONDS, LONGEST_SECONDS);
      });
      const actor = await open(token, requestId);
      if (!actor) throw new TypeError('A session just opened runs.');
      return { cookie: token, actor };
    },

    /** The actor of a session by its cookie's value; null when it has ended or never was. */
    findSession: open,

    /** Ends the actor's session; harmless when it has none. */
    async signOut(actor: Actor): Promise<void> {
      if (actor.sessionId !== undefined) await deleteSession(database.db, actor.sessionId);
    },

    /** What every form of this session carries; another session's or site's forms can't know it. */
    formToken(actor: Actor): string {
      if (actor.sessionId === undefined) throw new TypeError('Only sessions have forms.');
      return formTokenOf(actor.sessionId).toString('base64url');
    },

    /** Refuses a form that doesn't carry its session's token. */
    checkFormToken(actor: Actor, given: string | undefined): void {
      const bytes = Buffer.from(given ?? '', 'base64url');
      const expected = actor.sessionId === undefined ? null : formTokenOf(actor.sessionId);
      if (expected && bytes.length === expected.length && timingSafeEqual(bytes, expected)) return;
      throw identityErrors.form_token_invalid(
        'This form is too old or from elsewhere. Go back, reload the page and send it again.',
      );
    },
  };

  function formTokenOf(sessionId: string): Buffer {
    return createHmac('sha256', formKey).update(sessionId).digest();
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}
