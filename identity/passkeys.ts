// Passkeys of officers: added and removed by their officer, and used to sign in with the highest
// assurance. A challenge is answered once, where it was made (WebAuthn level 3, section 13.4.3).
import {
  generateAuthenticationOptions,
  verifyAuthenticationResponse,
} from '@simplewebauthn/server';
import { z } from 'zod';
import type { Database } from '../platform/index.ts';
import type { Access } from './access.ts';
import type { Actor } from './actor.ts';
import { requireAssurance } from './assurance.ts';
import { identityErrors } from './errors.ts';
import type { SignInPlace } from './local-sign-in.ts';
import { UsedPasskey } from './passkey.ts';
import { CHALLENGE_SECONDS, digestOf, handleOf, type PasskeyMaking } from './passkey-making.ts';
import { scopeOfAccount, scopeOfCredential } from './row-scope.ts';
import type { OpenedSession, Sessions } from './sessions.ts';
import {
  countUse,
  deletePasskey,
  findPasskey,
  listPasskeys,
  lockOfficer,
  type PasskeyRow,
} from './store-passkeys.ts';
import { findSessionHolder } from './store-sessions.ts';

/** A passkey as its officer sees it. */
export interface Passkey {
  id: string;
  label: string;
  /** Kept by the maker's cloud and usable on her other devices too. */
  isSynced: boolean;
  createdAt: string;
  usedAt: string | null;
}

/** Passkeys of one house. */
export function createPasskeys(deps: {
  database: Database;
  making: PasskeyMaking;
  sessions: Pick<Sessions, 'openSession'>;
  access: Pick<Access, 'recordAccess'>;
}) {
  const { database, making, sessions, access } = deps;
  const { requireParty, newChallenge, isOurs } = making;

  const list = (officerId: string) =>
    database.as(scopeOfAccount(officerId)).transaction((tx) => listPasskeys(tx, officerId));

  /** She who has a passkey changes passkeys only signed in with one. */
  async function requireOwner(actor: Actor): Promise<{ officerId: string; own: PasskeyRow[] }> {
    const officerId = officerOf(actor);
    const own = await list(officerId);
    if (own.length > 0) requireAssurance(actor, 'high');
    return { officerId, own };
  }

  return {
    /** False where PUBLIC_URL is one that browsers have no passkeys for. */
    hasPasskeys: making.hasPasskeys,

    /** The officer's passkeys, the oldest first. */
    async listPasskeys(actor: Actor): Promise<Passkey[]> {
      return (await list(officerOf(actor))).map(asPasskey);
    },

    /** What the browser is to make a passkey by, for the officer who asks (PublicKeyCredentialCreationOptionsJSON). */
    async startAddingPasskey(actor: Actor) {
      requireParty();
      const { officerId, own } = await requireOwner(actor);
      const officer = await database.transaction((tx) => lockOfficer(tx, officerId));
      const account = { id: officerId, username: officer?.username ?? '' };
      return making.offerPasskey(account, own, sessionBinding(actor));
    },

    /** Keeps a passkey the browser made; `written` is its RegistrationResponseJSON. */
    async addPasskey(actor: Actor, written: unknown, name: string): Promise<Passkey> {
      requireParty();
      const { officerId } = await requireOwner(actor);
      const made = await making.verifyMade(written, name, sessionBinding(actor));
      return database.transaction(async (tx) => {
        const row = await making.keepPasskey(tx, officerId, made);
        // She is held now: a reset that came before has ended this session, one that comes finds the passkey.
        if (!(await findSessionHolder(tx, actor.sessionId ?? ''))) {
          throw identityErrors.session_needed('This session has ended. Sign in again.');
        }
        await access.recordAccess(tx, actor, { type: 'passkey.added', outcome: 'ok' });
        return asPasskey(row);
      });
    },

    /** Removes one of the officer's passkeys; another's is not found. */
    async removePasskey(actor: Actor, id: string): Promise<void> {
      const { officerId } = await requireOwner(actor);
      const isId = z.uuid().safeParse(id).success;
      await database.as(scopeOfAccount(officerId)).transaction(async (tx) => {
        if (!isId || !(await deletePasskey(tx, officerId, id))) {
          throw identityErrors.passkey_not_found('You have no passkey of this id.');
        }
        await access.recordAccess(tx, actor, { type: 'passkey.removed', outcome: 'ok' });
      });
    },

    /**
     * What the browser is to use a passkey by (PublicKeyCredentialRequestOptionsJSON). It names no
     * account: the browser offers the passkeys it has, so nobody learns whose there are.
     */
    async startPasskeySignIn({ device }: Pick<SignInPlace, 'device'>) {
      const { id: rpID } = requireParty();
      return generateAuthenticationOptions({
        rpID,
        challenge: await newChallenge('sign_in', deviceBinding(device)),
        timeout: CHALLENGE_SECONDS * 1000,
        userVerification: 'required',
      });
    },

    /**
     * Opens a session of assurance high; `written` is the browser's AuthenticationResponseJSON. Every
     * refusal is the same to whoever tries; a try uses up its challenge.
     */
    async signInWithPasskey(written: unknown, place: SignInPlace): Promise<OpenedSession> {
      const { id: rpId, origins } = requireParty();
      const used = UsedPasskey.safeParse(written);
      if (!used.success) throw refused(used.error);
      const { id, response } = used.data;
      const credentialId = Buffer.from(id, 'base64url');
      const passkey = await database
        .as(scopeOfCredential(credentialId))
        .transaction((tx) => findPasskey(tx, credentialId));
      if (!passkey || passkey.rpId !== rpId) throw refused();
      const { officerId } = passkey;
      const { userHandle } = response;
      if (
        userHandle !== undefined &&
        !Buffer.from(userHandle, 'base64url').equals(handleOf(officerId))
      ) {
        throw refused();
      }
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response: { ...used.data, clientExtensionResults: {} },
        expectedChallenge: isOurs('sign_in', deviceBinding(place.device)),
        expectedOrigin: origins,
        expectedRPID: rpId,
        credential: {
          id,
          publicKey: new Uint8Array(passkey.publicKey),
          counter: passkey.counter,
        },
        requireUserVerification: true,
      }).catch((cause: unknown) => {
        throw refused(cause);
      });
      if (!verified) throw refused();
      return database.as(scopeOfAccount(officerId)).transaction(async (tx) => {
        if (!(await countUse(tx, passkey.id, authenticationInfo.newCounter))) throw refused();
        return sessions.openSession(
          tx,
          { kind: 'officer', id: officerId },
          { ...place, assurance: 'high', method: 'passkey' },
        );
      });
    },
  };
}

function asPasskey({ id, label, isSynced, createdAt, usedAt }: PasskeyRow): Passkey {
  return {
    id,
    label,
    isSynced,
    createdAt: new Date(createdAt).toISOString(),
    usedAt: usedAt && new Date(usedAt).toISOString(),
  };
}

function officerOf(actor: Actor): string {
  if (actor.kind === 'officer' && actor.officerId !== undefined) return actor.officerId;
  throw identityErrors.other_caller_needed('Only officers have passkeys here: sign in as one.');
}

function refused(cause?: unknown) {
  return identityErrors.passkey_refused(
    'The passkey was not accepted. Start again from the sign-in page.',
    { cause },
  );
}

function sessionBinding({ sessionId }: Actor): Buffer {
  if (sessionId === undefined) throw new TypeError('Passkeys are added in sessions.');
  return digestOf(`session|${sessionId}`);
}

function deviceBinding(device: string): Buffer {
  return digestOf(`device|${device}`);
}
