// The local identity provider: signing in with a PIN or a password (contract section 5). It serves the
// sample city and can't be switched on in production (platform/config.ts).
import { createHmac } from 'node:crypto';
import { AppError, type Clock, type Database, openRows } from '../platform/index.ts';
import type { Actor } from './actor.ts';
import { identityErrors } from './errors.ts';
import { foldIdentifier, isCitizenId, isUscc, type PersonIdentifier } from './identifiers.ts';
import { type Counter, countersOf, LOCKED_SECONDS } from './lockout.ts';
import type { People } from './people.ts';
import { scopeOfAccount } from './row-scope.ts';
import type { SecretHash } from './secret-hash.ts';
import type { OpenedSession, Sessions } from './sessions.ts';
import { type Account, findOfficerByUsername, findSecret, putSecret } from './store-sessions.ts';
import { countTries, isDeviceKnown, putKnownDevice, settleTries } from './store-tries.ts';

/** What somebody signs in with. */
export type Credentials =
  | { scheme: PersonIdentifier['scheme']; value: string; pin: string }
  | { username: string; password: string };

/** Where somebody signs in from. */
export interface SignInPlace {
  requestId: string;
  /** Of the peer, as callers without a name are counted by; used in a keyed digest alone. */
  address: string;
  /** The value deviceCookie gave for this browser. */
  device: string;
  userAgent?: string | undefined;
  /** Who was signed in here before: that session ends. */
  before?: Actor | undefined;
}

// Long enough for who renews one licence a year, if the browser keeps cookies for so long.
const KNOWN_DEVICE_SECONDS = 400 * 24 * 60 * 60;
/** The id of no account. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** Local sign-in of one house. */
export function createLocalSignIn(deps: {
  database: Database;
  clock: Clock;
  people: Pick<People, 'findPerson'>;
  secretHash: SecretHash;
  sessions: Pick<Sessions, 'openSession'>;
  /** Of the digests in counters. */
  key: () => Buffer;
  isAllowed: boolean;
}) {
  const { database, clock, people, secretHash, sessions, key, isAllowed } = deps;

  async function findAccount(
    credentials: Credentials,
  ): Promise<{ account: Account; hash: string } | null> {
    if ('username' in credentials) {
      const officer = await findOfficerByUsername(database.db, credentials.username.trim());
      return withSecret('officer', officer?.id);
    }
    const { scheme } = credentials;
    const value = foldIdentifier(credentials.value);
    if (!(scheme === 'cn-id' ? isCitizenId(value) : isUscc(value))) return null;
    const personId = await people.findPerson(database.db, { scheme, value }).catch((error) => {
      // Born tomorrow: no such account, and no other words for it.
      if (error instanceof AppError) return null;
      throw error;
    });
    return withSecret('person', personId ?? undefined);
  }

  /** The account with its secret; one that isn't there is looked for too, so that it takes no less time. */
  async function withSecret(kind: Account['kind'], id = NOBODY) {
    const account = { kind, id };
    const hash = await database.as(scopeOfAccount(id)).transaction((tx) => findSecret(tx, account));
    return hash === null ? null : { account, hash };
  }

  const digestOf = (text: string) => createHmac('sha256', key()).update(text, 'utf8').digest();
  const rowOf = ({ name, mostTries }: Counter) => ({ digest: digestOf(name), mostTries });

  /** Counts a try, or refuses it uncounted: what is refused moves no other count. */
  async function countTry(counters: readonly Counter[]): Promise<void> {
    await database.transaction(async (tx) => {
      const seconds = await countTries(tx, counters.map(rowOf), LOCKED_SECONDS);
      if (seconds === null) return;
      throw identityErrors.sign_in_locked('Too many wrong tries. Wait a while, then try again.', {
        retryAfterSeconds: seconds,
      });
    });
  }

  return {
    /** Whether PINs and passwords open anything here. */
    isLocalSignInAllowed: isAllowed,

    /**
     * Opens a session by a secret. Accounts that don't exist are refused in the same words and time, and
     * lock after as many tries, as those that do; identity.sign_in_locked says when to come back.
     */
    async signIn(credentials: Credentials, place: SignInPlace): Promise<OpenedSession> {
      if (!isAllowed) {
        throw identityErrors.sign_in_off('Signing in with a PIN or password is switched off here.');
      }
      // 1. Count the try. 2. Check the secret. 3. Settle the counts, know the device, open.
      const { device, address } = place;
      const account = nameOf(credentials);
      const pair = digestOf(`known|${device}|${account}`);
      const isKnownDevice = await isDeviceKnown(database.db, pair);
      const counters = countersOf({ account, device, address, isKnownDevice });
      await countTry(counters);
      const found = await findAccount(credentials);
      const secret = 'username' in credentials ? credentials.password : credentials.pin;
      const { isRight, rehashed } = await secretHash.checkSecret(secret, found?.hash ?? null);
      if (!found || !isRight) {
        throw identityErrors.sign_in_failed('The name or the secret is wrong. Check both.');
      }
      return database.transaction(async (tx) => {
        const [ended, others] = [true, false].map((isForgotten) =>
          counters.filter((counter) => counter.isForgotten === isForgotten).map(rowOf),
        );
        await settleTries(tx, ended ?? [], others ?? []);
        await putKnownDevice(tx, pair, KNOWN_DEVICE_SECONDS);
        if (rehashed !== undefined) {
          await openRows(tx, scopeOfAccount(found.account.id));
          await putSecret(tx, found.account, rehashed, clock.now());
        }
        return sessions.openSession(tx, found.account, {
          ...place,
          assurance: 'low',
          method: 'secret',
        });
      });
    },
  };
}

/** What is counted as one account, whether or not there is one. */
function nameOf(credentials: Credentials): string {
  return 'username' in credentials
    ? `officer|${credentials.username.trim()}`
    : `${credentials.scheme}|${foldIdentifier(credentials.value)}`;
}
