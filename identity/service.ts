// Puts the parts of identity together over one database and one set of keys.
import type { KeyObject } from 'node:crypto';
import type { Audit } from '../audit/index.ts';
import {
  type Clock,
  cityDay,
  type Database,
  type IdentityProviderSetting,
  type Ids,
  type Logger,
  type Outbox,
} from '../platform/index.ts';
import type { SecretVersions } from '../signing/index.ts';
import { createAccess } from './access.ts';
import { createActing } from './acting.ts';
import type { Actor } from './actor.ts';
import { createAuthenticate } from './authenticate.ts';
import { createClients } from './client.ts';
import { createClientChanges } from './client-changes.ts';
import { CACHED_MILLISECONDS, createDataKeys } from './data-keys.ts';
import { createDelegations } from './delegations.ts';
import { createDevices } from './device.ts';
import { createDoorkeeper } from './door-refusal.ts';
import { createEnrolments } from './enrolments.ts';
import { createFounding } from './founding.ts';
import { maskIdentifier, type PersonIdentifier } from './identifiers.ts';
import { createKeyRing } from './key-ring.ts';
import { createLocalSignIn } from './local-sign-in.ts';
import { createNamedOfficers } from './named-officer.ts';
import { createNamedOperators } from './named-operators.ts';
import { createOfficers } from './officers.ts';
import { createOpenIdProvider, OPENID_PATH } from './openid-provider.ts';
import { createOperatorRecovery } from './operator-recovery.ts';
import { createOrganisations } from './organisations.ts';
import { createPasskeyMaking } from './passkey-making.ts';
import { createPasskeyResets } from './passkey-resets.ts';
import { createPasskeys } from './passkeys.ts';
import { createPeople, type RevealedPerson } from './people.ts';
import { createPersonIndex } from './person-index.ts';
import { createMarks } from './person-marks.ts';
import { createPosts } from './posts.ts';
import { createProviderSignIn } from './provider-sign-in.ts';
import { createReferences } from './references.ts';
import { createRelyingParties } from './relying-party.ts';
import { digestsOf } from './residue.ts';
import { createRotation } from './rotation.ts';
import { deriveKey, KEY_BYTES } from './sealing.ts';
import { createSecretHash, type SecretCost } from './secret-hash.ts';
import { sessionCookie } from './session-cookie.ts';
import { createSessions } from './sessions.ts';
import { createNoticeSender, createSignOutNotices } from './sign-out-notices.ts';
import { deleteExpiredAssertions } from './store-clients.ts';
import { deleteExpiredEnrolments } from './store-enrolments.ts';
import { erasePerson, findErasedTag, forgetTag, lockPerson } from './store-erasing.ts';
import { findLiveVersions } from './store-keys.ts';
import { deleteExpiredRecords } from './store-openid.ts';
import { deleteExpiredChallenges } from './store-passkeys.ts';
import { forgetPastProofs, startRememberingProofs } from './store-proofs.ts';
import { deleteExpiredFlows } from './store-provider-flows.ts';
import { deleteExpiredSessions } from './store-sessions.ts';
import { deleteExpiredTries } from './store-tries.ts';
import { createTokenEndpoint } from './token-endpoint.ts';
import { createVault } from './vault.ts';

export interface IdentityDeps {
  database: Database;
  clock: Clock;
  ids: Ids;
  audit: Pick<Audit, 'appendMany'>;
  keys: IdentityKeys;
  publicUrl: string;
  publicUrlAliases?: readonly string[];
  logger: Logger;
  outbox: Pick<Outbox, 'backlog' | 'reviveKeys'>;
  isLocalSignInAllowed: boolean;
  /** True where a trusted proxy shows clients' TLS certificates (RFC 9440). Default: not. */
  isMutualTlsOffered?: boolean;
  /** Elsewhere; default none. */
  identityProviders?: readonly IdentityProviderSetting[];
  /** Only tests, which sign in all the time, choose a lower one. */
  secretCost?: SecretCost;
  cityTz: string;
}

/** Secrets of 32 bytes, each for one use, two of them in versions, and the ES256 key that signs access tokens. */
interface IdentityKeys {
  indexRegistry: SecretVersions;
  indexAudit: Buffer;
  kek: SecretVersions;
  pepper: Buffer;
  platformData: Buffer;
  pseudonym: Buffer;
  /** Of sessions, forms and browsers; null in a role that lets nobody in. */
  session: Buffer | null;
  /** Signs tokens; null in a role that gives none. */
  tokenKey: { readonly privateKey: KeyObject } | null;
}

/** identity over one database and one set of keys; refuses keys that can't be right. */
export function createIdentity(deps: IdentityDeps) {
  const { database, clock, ids, audit, keys, publicUrl, logger, cityTz } = deps;
  checkKeys(keys);
  const ring = createKeyRing(keys);
  const index = createPersonIndex(keys);
  const dataKeys = createDataKeys({ ring, platformKey: keys.platformData, ids, clock });
  const people = createPeople({ ring, index, dataKeys, clock, ids, cityTz });
  const secretHash = createSecretHash({ pepper: keys.pepper, ids, cost: deps.secretCost });
  const organisations = createOrganisations({ database, clock, ids, secretHash });
  const door = {
    database,
    clock,
    ids,
    logger,
    publicUrl,
    publicUrlAliases: deps.publicUrlAliases ?? [],
    isMutualTlsOffered: deps.isMutualTlsOffered ?? false,
  };
  /** What is done with the token key, or what refuses in a role that doesn't load it. */
  function withKey<Args extends unknown[], Result>(
    make: (tokenKey: KeyObject) => (...args: Args) => Result,
  ): (...args: Args) => Result {
    if (keys.tokenKey) return make(keys.tokenKey.privateKey);
    return () => {
      throw new TypeError('This role gives and takes no tokens: it does not load their key.');
    };
  }
  const access = createAccess({ database, audit, index, dataKeys, ids });
  const clients = createClients({ clock, ids });
  const relyingParties = createRelyingParties({ clock });
  /** Derived where it is needed: not in a role without a door. */
  const keyFor = (use: string) => () => derived(keys.session, use);
  const sessions = createSessions({ database, ids, formKey: keyFor('form-tokens'), cityTz });
  const localSignIn = createLocalSignIn({
    database,
    clock,
    people,
    secretHash,
    sessions,
    key: keyFor('sign-in-tries'),
    isAllowed: deps.isLocalSignInAllowed,
  });
  const acting = createActing({ database, access, cityTz });

  const vault = createVault({ dataKeys, ids });
  const providerSignIn = createProviderSignIn({
    database,
    clock,
    ids,
    logger,
    publicUrl,
    providers: deps.identityProviders ?? [],
    people,
    sessions,
    vault,
  });
  const making = createPasskeyMaking({
    database,
    ids,
    publicUrl,
    publicUrlAliases: deps.publicUrlAliases ?? [],
  });
  const enrolments = createEnrolments({
    database,
    ids,
    making,
    sessions,
    access,
    publicUrl,
    isLocalSignInAllowed: deps.isLocalSignInAllowed,
    areOfficersKnownElsewhere: (deps.identityProviders ?? []).some(
      ({ signsIn }) => signsIn === 'officers',
    ),
  });
  const subjectKey = deriveKey(keys.pseudonym, 'openid-subjects');
  const rotation = createRotation({ database, access, keys, ring, people, dataKeys });

  return {
    ...organisations,
    ...people,
    ...vault,
    ...createReferences({ people }),
    ...createMarks(index),
    ...access,
    ...clients,
    ...createClientChanges({
      database,
      clock,
      ids,
      clients,
      relyingParties,
      recordAccess: access.recordAccess,
    }),
    ...acting,
    ...createDelegations({ database, ids, people, access, acting, cityTz }),
    ...createNamedOperators({ database, cityTz, pseudonym: index.pseudonym }),
    ...createOfficers({ database, ids, cityTz, enrolments, recordAccess: access.recordAccess }),
    ...createPasskeyResets({ database, ids, enrolments, recordAccess: access.recordAccess }),
    ...createOperatorRecovery({
      database,
      ids,
      cityTz,
      enrolments,
      recordAccess: access.recordAccess,
    }),
    ...createFounding({
      database,
      clock,
      ids,
      cityTz,
      publicUrl,
      identityProviders: deps.identityProviders ?? [],
      putOrganisation: organisations.putOrganisation,
      enrolments,
      recordAccess: access.recordAccess,
    }),
    ...enrolments,
    ...createNamedOfficers({ database, cityTz }),
    ...createPosts({ database }),
    ...createDoorkeeper({ database, recordAccess: access.recordAccess }),
    ...sessions,
    ...createPasskeys({ database, making, sessions, access }),
    ...rotation,
    /** What of a person could still stand somewhere as bytes, for a residue scan. */
    async digestsOf(identifier: PersonIdentifier) {
      ring.learn(await findLiveVersions(database.db));
      return digestsOf(identifier, { index, ring, today: cityDay(clock.now(), cityTz) });
    },
    lockPerson,
    erasePerson,
    findErasedTag,
    forgetTag,
    /** How long a process may hold a person's key after it was destroyed, in milliseconds. */
    longestHeldMs: CACHED_MILLISECONDS,
    ...localSignIn,
    ...providerSignIn,
    ...relyingParties,
    ...createDevices({ key: keyFor('device-cookies'), ids }),
    caseTag: index.caseTag,
    tokenEndpoint: withKey((tokenKey) => createTokenEndpoint({ ...door, tokenKey })),
    authenticateRequest: withKey((tokenKey) => createAuthenticate({ ...door, tokenKey })),
    ...createSignOutNotices({ database, outbox: deps.outbox, recordAccess: access.recordAccess }),
    sendSignOutNotice: withKey((tokenKey) =>
      createNoticeSender({
        database,
        clock,
        ids,
        issuer: `${publicUrl}${OPENID_PATH}`,
        tokenKey,
        subjectKey,
      }),
    ),
    openId: withKey((tokenKey) =>
      createOpenIdProvider({
        database,
        clock,
        logger,
        publicUrl,
        tokenKey,
        subjectKey,
        sessionCookie: sessionCookie(publicUrl),
        vault,
      }),
    ),

    /**
     * To be awaited before the first request: from now on proofs are remembered. Throws when a key
     * version that rows stand under is not there.
     */
    async start(): Promise<void> {
      await rotation.checkVersions();
      await startRememberingProofs(database.db);
    },

    /** Forgets what has run out, from proofs to sessions. For the sweeper, every minute. */
    async purgeExpired(): Promise<void> {
      await forgetPastProofs(database.db);
      await deleteExpiredAssertions(database.db);
      await deleteExpiredSessions(database.db);
      await deleteExpiredTries(database.db);
      await deleteExpiredFlows(database.db);
      await deleteExpiredChallenges(database.db);
      await deleteExpiredEnrolments(database.db);
      await deleteExpiredRecords(database.db);
    },

    /** The name of the one somebody acts for, if anyone, and whether she still may. */
    async describePrincipal(
      actor: Actor,
    ): Promise<{ name: string; hasEnded: boolean } | undefined> {
      if (!actor.actingFor) return undefined;
      const { personId, hasEnded } = actor.actingFor;
      const person = (await people.revealPeople(database.db, [personId])).get(personId);
      return { name: person ? (person.name ?? maskIdentifier(person.value)) : '', hasEnded };
    },

    /** Who is acting, fit for the actor's own screen. */
    async describeActor(actor: Actor) {
      const organisation =
        actor.organisationId === null
          ? null
          : await organisations.getOrganisation(actor.organisationId);
      const person =
        actor.personId === undefined
          ? null
          : await people.revealPerson(database.db, actor.personId);
      const { actingFor } = actor;
      const principal = actingFor && (await people.revealPerson(database.db, actingFor.personId));
      return {
        kind: actor.kind,
        ...(organisation && {
          organisation: {
            id: organisation.id,
            nameZh: organisation.nameZh,
            nameEn: organisation.nameEn,
          },
        }),
        ...(person && {
          ...identified(person),
        }),
        ...(actingFor &&
          principal && {
            actingFor: {
              ...identified(principal),
              delegation: actingFor.delegationId,
              items: [...actingFor.items],
              hasEnded: actingFor.hasEnded,
            },
          }),
        ...(actor.officerKey !== undefined && { officer: actor.officerKey }),
        ...(actor.clientId !== undefined && { clientId: actor.clientId }),
        roles: [...actor.roles],
        scopes: [...actor.scopes],
      };
    },
  };
}

export type Identity = ReturnType<typeof createIdentity>;

function identified({ name, scheme, value }: RevealedPerson) {
  return { name, identifier: { scheme, masked: maskIdentifier(value) } };
}

function derived(secret: Buffer | null, use: string): Buffer {
  if (secret) return deriveKey(secret, use);
  throw new TypeError('This role lets nobody in: it does not load the key of sessions.');
}

function checkKeys(keys: IdentityKeys): void {
  const { indexAudit, pepper, platformData, pseudonym, session } = keys;
  const secrets = [indexAudit, pepper, platformData, pseudonym, ...(session ? [session] : [])];
  if (secrets.some((secret) => secret.length !== KEY_BYTES)) {
    throw new TypeError('Each of the secret keys has 32 bytes.');
  }
  if (new Set(secrets.map((secret) => secret.toString('hex'))).size < secrets.length) {
    throw new TypeError('Each use has a key of its own.');
  }
  const curve = keys.tokenKey?.privateKey.asymmetricKeyDetails?.namedCurve;
  if (keys.tokenKey && curve !== 'prime256v1') {
    throw new TypeError('Access tokens are signed with ES256: a P-256 key.');
  }
}
