// How a passkey is made: a challenge for one session, browser or enrolment, and the browser's answer
// to it, kept for one officer (WebAuthn level 3, sections 7.1 and 13.4.3).
import { createHash } from 'node:crypto';
import { generateRegistrationOptions, verifyRegistrationResponse } from '@simplewebauthn/server';
import { type Database, type Ids, openRows, type Tx } from '../platform/index.ts';
import { identityErrors } from './errors.ts';
import { MadePasskey, PasskeyLabel, relyingPartyOf } from './passkey.ts';
import { scopeOfAccount } from './row-scope.ts';
import {
  type ChallengeUse,
  insertChallenge,
  insertPasskey,
  listPasskeys,
  lockOfficer,
  type PasskeyRow,
  takeChallenge,
} from './store-passkeys.ts';

/** A passkey whose making was verified, for whoever may keep it. */
export type VerifiedPasskey = Pick<
  PasskeyRow,
  'credentialId' | 'publicKey' | 'counter' | 'rpId' | 'label' | 'isSynced'
>;

const CHALLENGE_BYTES = 32;
export const CHALLENGE_SECONDS = 300;
const MOST_PASSKEYS = 10;
// What the library offers first and every authenticator has one of: EdDSA, ES256, RS256.
const ALGORITHMS = [-8, -7, -257];
const HOUSE_NAME = '一号 Yihao';

export type PasskeyMaking = ReturnType<typeof createPasskeyMaking>;

/** The making of passkeys at one house; who may make one is for its callers to say. */
export function createPasskeyMaking(deps: {
  database: Database;
  ids: Ids;
  publicUrl: string;
  publicUrlAliases: readonly string[];
}) {
  const { database, ids, publicUrl, publicUrlAliases } = deps;
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

  return {
    /** False where PUBLIC_URL is one that browsers have no passkeys for. */
    hasPasskeys: party !== null,
    requireParty,
    newChallenge,
    isOurs,

    /** What the browser is to make a passkey by (PublicKeyCredentialCreationOptionsJSON). */
    async offerPasskey(
      officer: { id: string; username: string },
      own: readonly PasskeyRow[],
      boundTo: Buffer,
    ) {
      refuseTooMany(own.length);
      return generateRegistrationOptions({
        rpName: HOUSE_NAME,
        rpID: requireParty().id,
        userName: officer.username,
        userDisplayName: officer.username,
        userID: handleOf(officer.id),
        challenge: await newChallenge('add', boundTo),
        timeout: CHALLENGE_SECONDS * 1000,
        attestationType: 'none',
        excludeCredentials: own.map(({ credentialId }) => ({
          id: credentialId.toString('base64url'),
        })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        supportedAlgorithmIDs: ALGORITHMS,
      });
    },

    /** Checks what the browser made; `written` is its RegistrationResponseJSON. Uses its challenge up. */
    async verifyMade(written: unknown, name: string, boundTo: Buffer): Promise<VerifiedPasskey> {
      const { id: rpId, origins } = requireParty();
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
        expectedChallenge: isOurs('add', boundTo),
        expectedOrigin: origins,
        expectedRPID: rpId,
        requireUserVerification: true,
        supportedAlgorithmIDs: ALGORITHMS,
      }).catch((cause: unknown) => {
        throw unusable(cause);
      });
      if (!verified.verified) throw unusable();
      const { credential, credentialDeviceType } = verified.registrationInfo;
      return {
        credentialId: Buffer.from(credential.id, 'base64url'),
        publicKey: Buffer.from(credential.publicKey),
        counter: credential.counter,
        rpId,
        label: label.data,
        isSynced: credentialDeviceType === 'multiDevice',
      };
    },

    /** Keeps a verified passkey for an officer, one of at most ten. */
    async keepPasskey(tx: Tx, officerId: string, made: VerifiedPasskey): Promise<PasskeyRow> {
      await openRows(tx, scopeOfAccount(officerId));
      await lockOfficer(tx, officerId);
      refuseTooMany((await listPasskeys(tx, officerId)).length);
      const row = await insertPasskey(tx, { ...made, id: ids.uuid(), officerId });
      if (row) return row;
      throw identityErrors.passkey_taken('This passkey is registered already: use another.');
    },
  };
}

/** The officer's handle within authenticators: her id's 16 bytes, which tell nobody who she is. */
export function handleOf(officerId: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(officerId.replaceAll('-', ''), 'hex'));
}

/** What challenges are bound by and links are known by. */
export function digestOf(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

function unusable(cause?: unknown) {
  return identityErrors.passkey_invalid(
    'The browser’s answer is not a passkey made for this session. Start again.',
    { cause },
  );
}

function refuseTooMany(count: number): void {
  if (count < MOST_PASSKEYS) return;
  throw identityErrors.passkeys_too_many(
    `An officer has at most ${MOST_PASSKEYS} passkeys: remove one first.`,
  );
}
