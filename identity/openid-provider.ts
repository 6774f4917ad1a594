// Our provider of sign-ins (OpenID Connect Core): authorization code with PKCE for registered relying
// parties. It has an issuer, addresses and clients of its own, so that nothing set here can loosen the
// token endpoint of departments' systems (docs/adr/0007). Who is signed in is for the house's session to
// say, at every request: the library's account is that session, and its own memory goes with it.
import type { KeyObject } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Interaction, KoaContextWithOIDC } from 'oidc-provider';
import { base, Check } from 'oidc-provider/lib/helpers/interaction_policy/index.js';
import { Provider } from 'oidc-provider/lib/provider.js';
import { z } from 'zod';
import type { Clock, Database, Logger } from '../platform/index.ts';
import type { Actor } from './actor.ts';
import { ASSURANCES } from './assurance.ts';
import { createAssertionCheck } from './client-assertion.ts';
import { AHEAD_SECONDS } from './dpop-proof.ts';
import { openIdAdapter } from './openid-adapter.ts';
import { partySubject } from './party-subject.ts';
import { OPENID_SCOPES } from './relying-party.ts';
import type { HouseCookie } from './session-cookie.ts';
import { deleteSession, findSessionHolder, type SessionHolder } from './store-sessions.ts';
import type { Vault } from './vault.ts';

/** Below PUBLIC_URL: the issuer's path, and where all of it is served. */
export const OPENID_PATH = '/openid';

const PATHS = {
  '/.well-known/openid-configuration': ['GET', 'HEAD'],
  '/authorize': ['GET'],
  '/token': ['POST'],
  '/jwks': ['GET', 'HEAD'],
  '/end-session': ['GET'],
  '/end-session/confirm': ['POST'],
  '/end-session/success': ['GET'],
} as const satisfies Record<string, readonly string[]>;
const CONFIRM = `${OPENID_PATH}/end-session/confirm`;
const RESUME = /^\/authorize\/[\w-]+$/;
const INTERACTION = /^\/interaction\/([\w-]+)(\/cancel)?$/;

/** As long as a session of the house at most, with which it goes. */
const SESSION_SECONDS = 12 * 60 * 60;
/** Long enough to sign in; a code is exchanged at once. */
const INTERACTION_SECONDS = 10 * 60;
const CODE_SECONDS = 60;

/** What a browser is shown on the way, as whole documents. */
export interface OpenIdPages {
  /** Asks whether to sign out; the form posts `xsrf` and `logout` to `action`. */
  signOut(form: { action: string; xsrf: string }): Promise<string>;
  signedOut(): Promise<string>;
  /** `error`: a code of OAuth's. */
  failed(error: string): Promise<string>;
}

/** Who comes, and how pages look to her. */
export interface OpenIdVisit {
  actor: Actor;
  pages: OpenIdPages;
}

const Xsrf = z.string().regex(/^[\w-]+$/);

/** The methods that an address below OPENID_PATH takes; none of one that is nothing. */
export function openIdMethods(address: string): readonly string[] {
  const path = address.slice(OPENID_PATH.length);
  if (INTERACTION.test(path) || RESUME.test(path)) return ['GET'];
  return new Map(Object.entries<readonly string[]>(PATHS)).get(path) ?? [];
}

/** A node handler for the addresses and methods of `openIdMethods`. */
export function createOpenIdProvider(deps: {
  database: Database;
  clock: Clock;
  logger: Logger;
  publicUrl: string;
  tokenKey: KeyObject;
  /** Of subjects, which must never change. */
  subjectKey: Buffer;
  sessionCookie: HouseCookie;
  vault: Pick<Vault, 'sealFor' | 'openFor'>;
}): (req: IncomingMessage, res: ServerResponse, visit: OpenIdVisit) => void {
  const { database, clock, logger, publicUrl, subjectKey, sessionCookie, vault } = deps;
  const issuer = `${publicUrl}${OPENID_PATH}`;
  const isSecure = publicUrl.startsWith('https:');
  const visits = new WeakMap<IncomingMessage, OpenIdVisit>();
  const visitOf = (req: IncomingMessage): OpenIdVisit => {
    const visit = visits.get(req);
    if (!visit) throw new TypeError('Every request is handed over with its visitor.');
    return visit;
  };
  const holderOf = (sessionId: string) => findSessionHolder(database.db, sessionId);

  const policy = base();
  const login = policy.get('login');
  if (!login) throw new TypeError('The library asks people to sign in.');
  login.checks.add(
    new Check('house_session', 'this browser is not signed in', 'login_required', (ctx) => {
      const known = ctx.oidc.session?.accountId;
      const isSame = known === undefined || known === visitOf(ctx.req).actor.sessionId;
      return isSame ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT;
    }),
  );

  const prefix = isSecure ? '__Secure-' : '';
  const cookie = { httpOnly: true, sameSite: 'lax', secure: isSecure } as const;
  const provider = new Provider(issuer, {
    adapter: (model) => openIdAdapter(model, { database, vault }),
    jwks: { keys: [{ ...deps.tokenKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
    routes: {
      authorization: '/authorize',
      token: '/token',
      jwks: '/jwks',
      end_session: '/end-session',
    },
    scopes: [...OPENID_SCOPES],
    claims: {
      openid: ['sub', 'kind', 'acr', 'amr', 'auth_time'],
      officer: ['organisation', 'roles'],
    },
    acrValues: [...ASSURANCES],
    responseTypes: ['code'],
    subjectTypes: ['pairwise'],
    pkce: { required: () => true },
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: {
      clientAuthSigningAlgValues: ['ES256'],
      idTokenSigningAlgValues: ['ES256'],
    },
    clockTolerance: AHEAD_SECONDS,
    assertJwtClientAuthClaimsAndHeader: createAssertionCheck({ database, clock, issuer }),
    clientBasedCORS: () => false,
    // There is no userinfo endpoint; what there is to say stands in the ID token.
    conformIdTokenClaims: false,
    cookies: {
      names: {
        session: `${isSecure ? '__Host-' : ''}yihao_openid`,
        interaction: `${prefix}yihao_openid_interaction`,
        resume: `${prefix}yihao_openid_resume`,
      },
      long: { ...cookie, path: '/', signed: false },
      short: { ...cookie, signed: false },
    },
    ttl: {
      AccessToken: 5 * 60,
      AuthorizationCode: CODE_SECONDS,
      IdToken: 5 * 60,
      Interaction: INTERACTION_SECONDS,
      Grant: SESSION_SECONDS,
      Session: SESSION_SECONDS,
    },
    interactions: { policy, url: (_ctx, { uid }) => `${OPENID_PATH}/interaction/${uid}` },
    async findAccount(_ctx, sessionId) {
      const holder = await holderOf(sessionId);
      if (!holder) return undefined;
      const { kind } = holder.account;
      const officer = { organisation: holder.organisationId, roles: holder.roles };
      return {
        accountId: sessionId,
        claims: async () => ({
          sub: sessionId,
          kind: kind === 'person' ? 'citizen' : 'officer',
          ...(kind === 'officer' ? officer : {}),
        }),
      };
    },
    async pairwiseIdentifier(_ctx, sessionId, client) {
      const holder = await holderOf(sessionId);
      // Of a session that ended under our hands: a subject nobody else has.
      const { sectorIdentifier: sector } = client;
      return holder
        ? partySubject(
            subjectKey,
            holder.account,
            typeof sector === 'string' ? sector : client.clientId,
          )
        : sessionId;
    },
    /** Relying parties are the city's own: whoever is signed in has agreed to be. */
    async loadExistingGrant(ctx) {
      const { client, session } = ctx.oidc;
      if (!client || !session?.accountId) return undefined;
      const known = session.grantIdFor(client.clientId);
      const existing = typeof known === 'string' ? await provider.Grant.find(known) : undefined;
      if (existing && existing.accountId === session.accountId) return existing;
      const grant = new provider.Grant({
        clientId: client.clientId,
        accountId: session.accountId,
      });
      grant.addOIDCScope(OPENID_SCOPES.join(' '));
      grant.addOIDCClaims(['kind', 'organisation', 'roles']);
      await grant.save();
      return grant;
    },
    fetch: () => Promise.reject(new TypeError('Nothing is fetched: keys are pinned.')),
    async renderError(ctx, out) {
      ctx.type = 'html';
      ctx.body = await visitOf(ctx.req).pages.failed(out.error);
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      claimsParameter: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        async logoutSource(ctx, form) {
          const [, secret] = /name="xsrf" value="([^"]*)"/.exec(form) ?? [];
          allowFormTarget(ctx);
          ctx.body = await visitOf(ctx.req).pages.signOut({
            action: CONFIRM,
            xsrf: Xsrf.parse(secret),
          });
        },
        async postLogoutSuccessSource(ctx) {
          ctx.type = 'html';
          ctx.body = await visitOf(ctx.req).pages.signedOut();
        },
      },
    },
  });

  const log = (error: unknown) => logger.error({ err: error }, 'The provider of sign-ins failed');
  provider.on('server_error', (_ctx, error) => log(error));
  provider.onerror = log;

  // The library would tell those it remembers once, at one of the ways a session ends. The session's row
  // tells all of them when it goes, until they have heard it (sign-out-notices.ts).
  Object.defineProperty(provider.Client.prototype, 'backchannelLogout', { value: async () => {} });

  // What Host and the connection say is anybody's; the house knows its address.
  Object.defineProperty(provider.request, 'href', { get: () => `${issuer}/` });
  Object.defineProperty(provider.request, 'protocol', {
    get: () => (isSecure ? 'https' : 'http'),
  });

  // Signing out at a relying party is signing out here; before the answer leaves.
  provider.use(async (ctx: KoaContextWithOIDC, next) => {
    await next();
    const { route, session, params } = ctx.oidc ?? {};
    if (route === 'end_session' && ctx.status === 200 && session?.accountId === undefined) {
      // The library would answer who isn't signed in with a form that a script sends.
      const { secret } = z.object({ secret: Xsrf }).parse(session?.state);
      allowFormTarget(ctx);
      ctx.body = await visitOf(ctx.req).pages.signOut({ action: CONFIRM, xsrf: secret });
    }
    const hasSignedOut = route === 'end_session_confirm' && ctx.status === 303 && params?.logout;
    if (!hasSignedOut || !session) return;
    if (session.accountId !== undefined) await deleteSession(database.db, session.accountId);
    ctx.append('Set-Cookie', sessionCookie.clear());
  });
  const answer = provider.callback();

  /**
   * Lets the library remember the session this browser has here before it looks, so that who is signed
   * in is asked nothing, not even by a redirect. What it remembers of another session goes.
   */
  async function remember(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { sessionId } = visitOf(req).actor;
    const holder = sessionId === undefined ? null : await holderOf(sessionId);
    if (sessionId === undefined || !holder) return;
    const known = await provider.Session.get(provider.createContext(req, res));
    if (known.accountId === sessionId) return;
    if (known.accountId !== undefined) await known.destroy();
    const session = new provider.Session();
    const { ts: loginTs, ...login } = loginOf(sessionId, holder);
    session.loginAccount({ ...login, loginTs });
    await session.save(SESSION_SECONDS);
    const name = provider.cookieName('session');
    const others = (req.headers.cookie ?? '').split(/; */).filter((one) => !one.startsWith(name));
    req.headers.cookie = [...others, `${name}=${session.jti}`].filter(Boolean).join('; ');
  }

  /** Answers an authorization request by the session of this browser, or has its holder sign in. */
  async function interact(
    req: IncomingMessage,
    res: ServerResponse,
    uid: string,
    isCancel: boolean,
  ) {
    const interaction = await provider.Interaction.find(uid);
    if (!interaction) return failed(req, res, 'invalid_request');
    const { sessionId } = visitOf(req).actor;
    const holder = sessionId === undefined ? null : await holderOf(sessionId);
    await leaveOtherSession(interaction, sessionId);
    if (isCancel) {
      const error = { error: 'access_denied', error_description: 'the person turned back' };
      return provider.interactionFinished(req, res, error);
    }
    if (sessionId === undefined || !holder || !isEnough(interaction, sessionId, holder)) {
      const next = encodeURIComponent(`${OPENID_PATH}/interaction/${uid}`);
      return void res.writeHead(303, { Location: `/sign-in?next=${next}` }).end();
    }
    return provider.interactionFinished(req, res, {
      login: loginOf(sessionId, holder),
      consent: {},
    });
  }

  /** What the library remembers of another session doesn't stand in the way of this one. */
  async function leaveOtherSession(interaction: Interaction, sessionId: string | undefined) {
    const remembered = interaction.session;
    if (!remembered || remembered.accountId === sessionId) return;
    const other = await provider.Session.findByUid(remembered.uid);
    await other?.destroy();
    delete interaction.session;
    await interaction.persist();
  }

  async function failed(req: IncomingMessage, res: ServerResponse, error: string): Promise<void> {
    const page = await visitOf(req).pages.failed(error);
    res.writeHead(400, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
  }

  return function openId(req, res, visit) {
    const { url = '' } = req;
    const rest = url.slice(OPENID_PATH.length);
    const path = rest.split('?', 1)[0] ?? '';
    const [, uid, cancel] = INTERACTION.exec(path) ?? [];
    if (!openIdMethods(`${OPENID_PATH}${path}`).includes(req.method ?? '')) {
      throw new TypeError('Other addresses and methods are refused before.');
    }
    visits.set(req, visit);
    // As a framework would mount the library below a path.
    Object.assign(req, { originalUrl: url, url: rest });
    const act = async () => {
      if (uid !== undefined) return interact(req, res, uid, cancel !== undefined);
      if (path === '/authorize') await remember(req, res);
      return answer(req, res);
    };
    act().catch((error: unknown) => {
      log(error);
      if (!res.headersSent) res.writeHead(500);
      res.end();
    });
  };
}

/** RFC 8176. */
const AMR = { secret: 'pwd', passkey: 'hwk', provider: 'fed' } as const satisfies Record<
  SessionHolder['method'],
  string
>;

/** A session as the library takes it in. */
function loginOf(accountId: string, { assurance, method, createdAt }: SessionHolder) {
  return { accountId, acr: assurance, amr: [AMR[method]], ts: Math.floor(createdAt) };
}

/** Whether a session answers an authorization request as it is, or its holder must sign in anew. */
function isEnough(interaction: Interaction, sessionId: string, holder: SessionHolder): boolean {
  const { prompt, params, iat, lastSubmission } = interaction;
  const { max_age: maxAge } = z.object({ max_age: z.coerce.number().optional() }).parse(params);
  // The library remembers the session that was there when the request came.
  const isOld = interaction.session?.accountId === sessionId;
  if (prompt.reasons.includes('login_prompt') && isOld) return false;
  if (maxAge !== undefined && holder.createdAt + maxAge < (iat ?? 0)) return false;
  // It has been offered before and was not what is asked for: another level, or somebody else.
  const isSame = lastSubmission?.login?.accountId === sessionId;
  return !isSame || prompt.name !== 'login';
}

/** The form leads on to the relying party, and browsers hold redirects to form-action too. */
function allowFormTarget(ctx: KoaContextWithOIDC): void {
  const target = ctx.oidc.params?.post_logout_redirect_uri;
  const known = ctx.response.get('Content-Security-Policy');
  if (typeof target !== 'string' || known === '') return;
  ctx.set(
    'Content-Security-Policy',
    known.replace("form-action 'self'", `form-action 'self' ${new URL(target).origin}`),
  );
}
