// Signing in at an identity provider elsewhere: begun here, answered once, in the browser it began in.
// The citizen ID it tells us is a person's reference before anything else happens to it.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  AppError,
  type Clock,
  type Database,
  type IdentityProviderSetting,
  type Ids,
  type Logger,
  type Tx,
} from '../platform/index.ts';
import type { Actor } from './actor.ts';
import type { Assurance } from './assurance.ts';
import { identityErrors } from './errors.ts';
import type { People } from './people.ts';
import { createProviderClient, ProviderFault } from './provider-client.ts';
import type { OpenedSession, Sessions } from './sessions.ts';
import { insertFlow, takeFlow } from './store-provider-flows.ts';
import { type Account, findOfficerByUsername } from './store-sessions.ts';
import type { Vault } from './vault.ts';

/** A provider as the sign-in page lists it. */
export interface ListedProvider {
  id: string;
  label: { zh: string; en: string };
  signsIn: 'people' | 'officers';
}

/** Time to find one's phone; OpenID providers' own pages live no longer. */
const FLOW_SECONDS = 10 * 60;
const SECRET_BYTES = 32;

const Flow = z.strictObject({
  nonce: z.string(),
  codeVerifier: z.string(),
  next: z.string(),
});

const contextOf = (stateDigest: Buffer) =>
  `identity.provider_flows|${stateDigest.toString('hex')}|sealed`;

/** Sign-in at the providers of one house. */
export function createProviderSignIn(deps: {
  database: Database;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  publicUrl: string;
  providers: readonly IdentityProviderSetting[];
  people: Pick<People, 'ensurePerson'>;
  sessions: Pick<Sessions, 'openSession'>;
  vault: Pick<Vault, 'sealFor' | 'openFor'>;
}) {
  const { database, clock, ids, logger, publicUrl, people, sessions, vault } = deps;
  const now = () => clock.now().getTime();
  const providers = new Map(
    deps.providers.map((setting) => {
      const redirectUri = `${publicUrl}/sign-in/from/${setting.id}`;
      return [setting.id, { setting, client: createProviderClient(setting, { redirectUri, now }) }];
    }),
  );

  function getProvider(id: string) {
    const provider = providers.get(id);
    if (provider) return provider;
    throw identityErrors.provider_not_found('There is no such identity provider here.');
  }

  /** Turns what the client threw into a refusal; the provider's words stay out of log and page. */
  function refusalOf(provider: string, error: unknown): AppError {
    if (!(error instanceof ProviderFault)) throw error;
    logger.warn({ provider, reason: error.message }, 'A sign-in elsewhere failed');
    return error.reason === 'refused'
      ? identityErrors.provider_refused('The identity provider did not sign you in.')
      : identityErrors.provider_unavailable(
          'The identity provider can’t be used at the moment. Try again in a while.',
        );
  }

  /** The account behind the claim; whoever it names must be somebody this house can know. */
  async function accountOf(
    tx: Tx,
    { signsIn }: IdentityProviderSetting,
    subject: unknown,
  ): Promise<Account> {
    if (typeof subject === 'string') {
      if (signsIn === 'officers') {
        const officer = await findOfficerByUsername(tx, subject);
        if (officer) return { kind: 'officer', id: officer.id };
      } else {
        const person = { scheme: 'cn-id', value: subject } as const;
        const id = await people.ensurePerson(tx, person).catch((error: unknown) => {
          if (error instanceof AppError) return null;
          throw error;
        });
        if (id !== null) return { kind: 'person', id };
      }
    }
    throw identityErrors.provider_person_unknown(
      'The identity provider signed in somebody who has no account here.',
    );
  }

  return {
    /** What the sign-in page offers, in the order of the configuration. */
    identityProviders: deps.providers.map(
      ({ id, label, signsIn }): ListedProvider => ({ id, label, signsIn }),
    ),

    /**
     * Begins a sign-in: where to send this browser. `browser` is the value of the cookie that binds the
     * answer to it; the one given when it has one.
     */
    async beginProviderSignIn(
      id: string,
      { browser = ids.token(SECRET_BYTES), next }: { browser?: string | undefined; next: string },
    ): Promise<{ url: string; browser: string }> {
      const { client } = getProvider(id);
      const secret = () => ids.token(SECRET_BYTES);
      const secrets = { state: secret(), nonce: secret(), codeVerifier: secret() };
      const { nonce, codeVerifier } = secrets;
      const url = await client.authorizationUrl(secrets).catch((error) => {
        throw refusalOf(id, error);
      });
      const stateDigest = digestOf(secrets.state);
      const plaintext = Buffer.from(JSON.stringify({ nonce, codeVerifier, next }));
      await database.transaction(async (tx) => {
        const sealed = await vault.sealFor(tx, null, plaintext, contextOf(stateDigest));
        const flow = { stateDigest, browserDigest: digestOf(browser), provider: id, sealed };
        await insertFlow(tx, flow, FLOW_SECONDS);
      });
      return { url, browser };
    },

    /** Ends it: opens a session for whoever the provider signed in, and says where she wanted to go. */
    async endProviderSignIn(
      id: string,
      how: {
        query: string;
        browser: string | undefined;
        requestId: string;
        userAgent: string | undefined;
        before: Actor;
      },
    ): Promise<OpenedSession & { next: string }> {
      const { setting, client } = getProvider(id);
      const state = new URLSearchParams(how.query).get('state') ?? '';
      const stateDigest = digestOf(state);
      const browserDigest = digestOf(how.browser ?? '');
      // 1. Take the flow out. 2. Ask the provider, in no transaction. 3. Open the session.
      const sealed = await takeFlow(database.db, { stateDigest, browserDigest, provider: id });
      if (sealed === null) {
        throw identityErrors.provider_flow_invalid(
          'This sign-in is too old, was used before, or began in another browser. Sign in again.',
        );
      }
      const plaintext = await vault.openFor(database.db, null, sealed, contextOf(stateDigest));
      const { next, ...secrets } = Flow.parse(JSON.parse(plaintext.toString('utf8')));
      const answer = await client.answer(how.query, { ...secrets, state }).catch((error) => {
        throw refusalOf(id, error);
      });
      const assurance: Assurance = setting.acr[answer.acr ?? ''] ?? 'low';
      const opened = await database.transaction(async (tx) => {
        const account = await accountOf(tx, setting, answer.subject);
        return sessions.openSession(tx, account, { ...how, assurance, method: 'provider' });
      });
      return { ...opened, next };
    },
  };
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
