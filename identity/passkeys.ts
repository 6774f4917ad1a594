// Passkeys of officers: added and removed by their officer, and used to sign in with the highest
// assurance. A challenge is answered once, where it was made (WebAuthn level 3, section 13.4.3).
import { createHash } from 'node:crypto';
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { z } from 'zod';
import type { Database, Ids } from '../platform/index.ts';
import type { Access } from './access.ts';
import type { Actor } from './actor.ts';
import { requireAssurance } from './assurance.ts';
import { identityErrors } from './errors.ts';
import type { SignInPlace } from './local-sign-in.ts';
import { MadePasskey, PasskeyLabel, relyingPartyOf, UsedPasskey } from './passkey.ts';
import type { OpenedSession, Sessions } from './sessions.ts';
import {
  type ChallengeUse,
  countUse,
  deletePasskey,
  findPasskey,
  insertChallenge,
  insertPasskey,
  listPasskeys,
  lockOfficer,
  type PasskeyRow,
  takeChallenge,
} from './store-passkeys.ts';

/** A passkey as its officer sees it. */
export interface Passkey {
  id: string;
  label: string;
  /** Kept by the maker's cloud and usable on her other devices too. */
  isSynced: boolean;
  createdAt: string;
  usedAt: string | null;
}

const CHALLENGE_BYTES = 32;
const CHALLENGE_SECONDS = 300;
const MOST_PASSKEYS = 10;
// What the library offers first and every authenticator has one of: EdDSA, ES256, RS256.
const ALGORITHMS = [-8, -7, -257];
const HOUSE_NAME = '一号 Yihao';

/** Passkeys of one house. */
export function createPasskeys(deps: {
  database: Database;
  ids: Ids;
  sessions: Pick<Sessions, 'openSession'>;
  access: Pick<Access, 'recordAccess'>;
  publicUrl: string;
  publicUrlAliases: readonly string[];
}) {
  const { database, ids, sessions, access, publicUrl, publicUrlAliases } = deps;
  const party = relyingPartyOf(publicUrl, publicUrlAliases);

  function requireParty() {
    if (party) return party;
    throw identityErrors.passkeys_unavailable(
      'Browsers have passkeys only for a name with https, or for localhost: not at this address.',
    );
  }

  async function newChallenge(
    use: ChallengeUse,
    boundTo: Buffer,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const challenge = new Uint8Array(ids.bytes(CHALLENGE_BYTES));
    const text = Buffer.from(challenge).toString('base64url');
    await insertChallenge(database.db, { digest: digestOf(text), use, boundTo }, CHALLENGE_SECONDS);
    return challenge;
  }

  /** What the library asks: did this house make the challenge, for this use and browser, just now? */
  const isOurs = (use: ChallengeUse, boundTo: Buffer) => (challenge: string) =>
    takeChallenge(database.db, { digest: digestOf(challenge), use, boundTo });

  /** She who has a passkey changes passkeys only signed in with one. */
  async function requireOwner(actor: Actor): Promise<{ officerId: string; own: PasskeyRow[] }> {
    const officerId = officerOf(actor);
    const own = await listPasskeys(database.db, officerId);
    if (own.length > 0) requireAssurance(actor, 'high');
    return { officerId, own };
  }

  return {
    /** False where PUBLIC_URL is one that browsers have no passkeys for. */
    hasPasskeys: party !== null,

    /** The officer's passkeys, the oldest first. */
    async listPasskeys(actor: Actor): Promise<Passkey[]> {
      return (await listPasskeys(database.db, officerOf(actor))).map(asPasskey);
    },

    /** What the browser is to make a passkey by, for the officer who asks (PublicKeyCredentialCreationOptionsJSON). */
    async startAddingPasskey(actor: Actor) {
      const { id: rpID } = requireParty();
      const { officerId, own } = await requireOwner(actor);
      refuseTooMany(own.length);
      const officer = await database.transaction((tx) => lockOfficer(tx, officerId));
      const userName = officer?.username ?? '';
      return generateRegistrationOptions({
        rpName: HOUSE_NAME,
        rpID,
        userName,
        userDisplayName: userName,
        userID: handleOf(officerId),
        challenge: await newChallenge('add', sessionBinding(actor)),
        timeout: CHALLENGE_SECONDS * 1000,
        attestationType: 'none',
        excludeCredentials: own.map(({ credentialId }) => ({
          id: credentialId.toString('base64url'),
        })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        supportedAlgorithmIDs: ALGORITHMS,
      });
    },

    /** Keeps a passkey the browser made; `written` is its RegistrationResponseJSON. */
    async addPasskey(actor: Actor, written: unknown, name: string): Promise<Passkey> {
      const { id: rpId, origins } = requireParty();
      const { officerId } = await requireOwner(actor);
      const label = PasskeyLabel.safeParse(name);
      if (!label.success) {
        throw identityErrors.passkey_label_invalid(
          'Give the passkey a name of 1 to 60 characters.',
          {
            fields: [{ pointer: '/label', detail: 'Give it a name of 1 to 60 characters.' }],
          },
        );
      }
      const made = MadePasskey.safeParse(written);
      if (!made.success) throw unusable(made.error);
      const verified = await verifyRegistrationResponse({
        response: { ...made.data, clientExtensionResults: {} },
        expectedChallenge: isOurs('add', sessionBinding(actor)),
        expectedOrigin: origins,
        expectedRPID: rpId,
        requireUserVerification: true,
        supportedAlgorithmIDs: ALGORITHMS,
      }).catch((cause: unknown) => {
        throw unusable(cause);
      });
      if (!verified.verified) throw unusable();
      const { credential, credentialDeviceType } = verified.registrationInfo;
      return database.transaction(async (tx) => {
        await lockOfficer(tx, officerId);
        refuseTooMany((await listPasskeys(tx, officerId)).length);
        const row = await insertPasskey(tx, {
          id: ids.uuid(),
          officerId,
          credentialId: Buffer.from(credential.id, 'base64url'),
          publicKey: Buffer.from(credential.publicKey),
          counter: credential.counter,
          rpId,
          label: label.data,
          isSynced: credentialDeviceType === 'multiDevice',
        });
        if (!row) {
          throw identityErrors.passkey_taken('This passkey is registered already: use another.');
        }
        await access.recordAccess(tx, actor, { type: 'passkey.added', outcome: 'ok' });
        return asPasskey(row);
      });
    },

    /** Removes one of the officer's passkeys; another's is not found. */
    async removePasskey(actor: Actor, id: string): Promise<void> {
      const { officerId } = await requireOwner(actor);
      const isId = z.uuid().safeParse(id).success;
      await database.transaction(async (tx) => {
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
      const passkey = await findPasskey(database.db, Buffer.from(id, 'base64url'));
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
      return database.transaction(async (tx) => {
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

function unusable(cause?: unknown) {
  return identityErrors.passkey_invalid(
    'The browser’s answer is not a passkey made for this session. Start again.',
    { cause },
  );
}

function refused(cause?: unknown) {
  return identityErrors.passkey_refused(
    'The passkey was not accepted. Start again from the sign-in page.',
    { cause },
  );
}

function refuseTooMany(count: number): void {
  if (count < MOST_PASSKEYS) return;
  throw identityErrors.passkeys_too_many(
    `An officer has at most ${MOST_PASSKEYS} passkeys: remove one first.`,
  );
}

/** The officer's handle within authenticators: her id's 16 bytes, which tell nobody who she is. */
function handleOf(officerId: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(officerId.replaceAll('-', ''), 'hex'));
}

function sessionBinding({ sessionId }: Actor): Buffer {
  if (sessionId === undefined) throw new TypeError('Passkeys are added in sessions.');
  return digestOf(`session|${sessionId}`);
}

function deviceBinding(device: string): Buffer {
  return digestOf(`device|${device}`);
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
