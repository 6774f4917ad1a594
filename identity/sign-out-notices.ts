// What relying parties are told when a session of the house ends (OpenID Connect Back-Channel Logout 1.0):
// a trigger writes an event for each one the session was known at, and here it becomes a notice.
// Sent by the role that signs ID tokens: whoever could sign notices could sign people in (docs/adr/0015).
import { createPublicKey, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { z } from 'zod';
import {
  type Clock,
  type Database,
  type Ids,
  type Outbox,
  type OutboxEvent,
  postForm,
  type Tx,
} from '../platform/index.ts';
import type { AccessEntry } from './access.ts';
import type { Actor } from './actor.ts';
import { identityErrors } from './errors.ts';
import { jwkThumbprint } from './jwk-thumbprint.ts';
import { partySubject } from './party-subject.ts';
import { hostOf } from './relying-party-change.ts';
import { requireRole } from './roles.ts';
import { findRelyingParty } from './store-relying-parties.ts';

/** As the outbox knows them: its topic, and the lasting name of who takes it. */
export const SESSION_ENDED = 'identity.session_ended';
export const NOTICE_SUBSCRIBER = 'identity.sign-out-notices';

const Ended = z.object({
  client: z.string(),
  sid: z.string(),
  kind: z.enum(['person', 'officer']),
  account: z.uuid(),
});

/** Notices of one relying party that were not taken, as operators see them. */
export interface SignOutNotices {
  waiting: number;
  /** Given up after all attempts, about an hour and a half. */
  dead: number;
  oldestDeadAt: string | null;
  lastError: string | null;
}

/** What the specification's section 2.4 recommends at most. */
const TOKEN_SECONDS = 120;
const PATIENCE_MS = 5_000;

const LOGOUT = 'http://schemas.openid.net/event/backchannel-logout';

/**
 * What tells one relying party of one end; throws when it doesn't take it, and is then called again. A new
 * token each time: a party that remembers a jti refuses it twice.
 */
export function createNoticeSender(deps: {
  database: Database;
  clock: Clock;
  ids: Ids;
  issuer: string;
  tokenKey: KeyObject;
  subjectKey: Buffer;
}) {
  const { database, clock, ids, issuer, tokenKey, subjectKey } = deps;
  const kid = jwkThumbprint(PublicJwk.parse(createPublicKey(tokenKey).export({ format: 'jwk' })));

  return async function sendSignOutNotice({
    payload,
  }: Pick<OutboxEvent, 'payload'>): Promise<void> {
    const { client, sid, kind, account } = Ended.parse(payload);
    const party = await findRelyingParty(database.db, client);
    // Suspended parties are told too: nobody stays signed in there longer for that.
    if (!party?.backchannelLogoutUri) return;
    const sub = partySubject(subjectKey, { kind, id: account }, hostOf(party.redirectUris));
    const now = Math.floor(clock.now().getTime() / 1000);
    const token = await new SignJWT({ sid, events: { [LOGOUT]: {} } })
      .setProtectedHeader({ alg: 'ES256', typ: 'logout+jwt', kid })
      .setIssuer(issuer)
      .setAudience(client)
      .setSubject(sub)
      .setIssuedAt(now)
      .setExpirationTime(now + TOKEN_SECONDS)
      .setJti(ids.uuid())
      .sign(tokenKey);
    const form = { logout_token: token };
    const status = await postForm(party.backchannelLogoutUri, form, PATIENCE_MS);
    if (status !== 200 && status !== 204) throw new NoticeRefused(status);
  };
}

/** What operators see of notices, and do about them. */
export function createSignOutNotices(deps: {
  database: Database;
  outbox: Pick<Outbox, 'backlog' | 'reviveKeys'>;
  recordAccess: (tx: Tx, actor: Actor, entry: AccessEntry) => Promise<unknown>;
}) {
  const { database, outbox, recordAccess } = deps;

  return {
    /** What a relying party has not heard yet, and what was given up. */
    async getSignOutNotices(actor: Actor, client: string): Promise<SignOutNotices> {
      requireRole(actor, 'operator');
      const { oldestDeadAt, ...backlog } = await outbox.backlog(NOTICE_SUBSCRIBER, keysOf(client));
      return { ...backlog, oldestDeadAt: oldestDeadAt?.toISOString() ?? null };
    },

    /** Gives what was given up another round of attempts; how many there were. */
    async resendSignOutNotices(actor: Actor, client: string): Promise<{ resent: number }> {
      requireRole(actor, 'operator');
      return database.transaction(async (tx) => {
        if (!(await findRelyingParty(tx, client))) {
          throw identityErrors.relying_party_not_found('There is no such relying party.');
        }
        const resent = await outbox.reviveKeys(tx, NOTICE_SUBSCRIBER, keysOf(client));
        await recordAccess(tx, actor, {
          type: 'client.notices_resent',
          outcome: 'ok',
          question: `${client} ${resent}`,
          answerKind: 'none',
        });
        return { resent };
      });
    },
  };
}

/** As the trigger writes the keys of its events. */
const keysOf = (client: string) => `${client}/`;

const PublicJwk = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
});

/** The relying party's answer was no yes. */
class NoticeRefused extends Error {
  readonly code: string;
  constructor(status: number) {
    super(`The relying party answered ${status}.`);
    this.name = 'NoticeRefused';
    this.code = String(status);
  }
}
