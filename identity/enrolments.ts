// The first way in of an officer who has none: a link used once, at which she makes a passkey. Whoever
// holds the link is taken for her, so it is shown once, to who hands it over, and kept as a digest.
import type { Database, Ids, Tx } from '../platform/index.ts';
import type { Access } from './access.ts';
import { identityErrors } from './errors.ts';
import type { SignInPlace } from './local-sign-in.ts';
import { digestOf, type PasskeyMaking } from './passkey-making.ts';
import type { OpenedSession, Sessions } from './sessions.ts';
import { findEnrolment, putEnrolment, takeEnrolment, waysInOf } from './store-enrolments.ts';

/** A link to hand over; its address is told this once. */
export interface Enrolment {
  /** The code stands after the #, so that no server or proxy on the way writes it down. */
  url: string;
  expiresAt: string;
}

const CODE_BYTES = 32;
const LASTS_SECONDS = 60 * 60;

export type Enrolments = ReturnType<typeof createEnrolments>;

/** Enrolments of one house. */
export function createEnrolments(deps: {
  database: Database;
  ids: Ids;
  making: PasskeyMaking;
  sessions: Pick<Sessions, 'openSession'>;
  access: Pick<Access, 'recordAccess'>;
  publicUrl: string;
  isLocalSignInAllowed: boolean;
  /** Whether a provider elsewhere signs officers in, by their user names. */
  areOfficersKnownElsewhere: boolean;
}) {
  const { database, ids, making, sessions, access, publicUrl, areOfficersKnownElsewhere } = deps;

  return {
    /** A new link for an officer, which ends her older one; null for who has another way in. */
    async makeEnrolment(tx: Tx, officerId: string): Promise<Enrolment | null> {
      if (areOfficersKnownElsewhere || !making.hasPasskeys) return null;
      const { hasPasskey, hasSecret } = await waysInOf(tx, officerId);
      if (hasPasskey || (hasSecret && deps.isLocalSignInAllowed)) return null;
      const code = ids.token(CODE_BYTES);
      const row = { officerId, digest: digestOf(code) };
      const expiresAt = await putEnrolment(tx, row, LASTS_SECONDS);
      return { url: `${publicUrl}/enrol#${code}`, expiresAt: new Date(expiresAt).toISOString() };
    },

    /** What the browser is to make the first passkey by, for who has the code of a link that holds. */
    async startEnrolment(code: string) {
      making.requireParty();
      const officer = await findEnrolment(database.db, digestOf(code));
      if (!officer) throw ended();
      return making.offerPasskey(officer, [], bindingOf(code));
    },

    /** Uses the link up: keeps the passkey the browser made and opens a session of assurance high. */
    async endEnrolment(
      code: string,
      written: unknown,
      { label, place }: { label: string; place: SignInPlace },
    ): Promise<OpenedSession> {
      const made = await making.verifyMade(written, label, bindingOf(code));
      return database.transaction(async (tx) => {
        const officerId = await takeEnrolment(tx, digestOf(code));
        if (officerId === null) throw ended();
        await making.keepPasskey(tx, officerId, made);
        const opened = await sessions.openSession(
          tx,
          { kind: 'officer', id: officerId },
          { ...place, assurance: 'high', method: 'passkey' },
        );
        await access.recordAccess(tx, opened.actor, { type: 'officer.enrolled', outcome: 'ok' });
        return opened;
      });
    },
  };
}

function bindingOf(code: string): Buffer {
  return digestOf(`enrolment|${code}`);
}

function ended() {
  return identityErrors.enrolment_ended(
    'This link has been used, is older than an hour, or never was one. Ask an operator for another.',
  );
}
