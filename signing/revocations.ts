// Revoked certificates: setting them, asking about one, and the published list.
import type { Clock, Database, Logger, Tx } from '../platform/index.ts';
import type { TrustedLeaf } from './certificate-chain.ts';
import {
  makeCrl,
  REVOCATION_REASONS,
  type RevocationReason,
  type RevokedCertificate,
} from './crl.ts';
import { signingErrors } from './errors.ts';
import type { Keystore } from './keystore.ts';
import {
  countRevoked,
  findLatestList,
  insertPublishedList,
  insertRevoked,
  listRevoked,
  lockLists,
} from './revocation-store.ts';
import type { RemoteSigner } from './signer-client.ts';

const DAY_MS = 86_400_000;

/** A list is renewed daily and good for a week, so that a week without its signer is survived. */
const RENEW_AFTER_MS = DAY_MS;
const GOOD_FOR_MS = 7 * DAY_MS;

/** How old our knowledge of revocations may be. */
const CHECK_EVERY_MS = 5_000;

export interface RevocationsDeps {
  database: Database;
  clock: Clock;
  keystore: Keystore;
  remote?: Pick<RemoteSigner, 'crl'> | undefined;
  logger: Logger;
}

interface Known {
  checkedAt: number;
  bySerial: Map<string, RevokedCertificate>;
}

export function createRevocations(deps: RevocationsDeps) {
  const { database, clock, keystore, remote, logger } = deps;
  let known: Known | undefined;
  let publishedUntil = 0;
  let published: Buffer | undefined;

  async function revokedBySerial(): Promise<Known['bySerial']> {
    const now = clock.now().getTime();
    if (known && now - known.checkedAt < CHECK_EVERY_MS) return known.bySerial;
    const rows = await listRevoked(database.db);
    known = { checkedAt: now, bySerial: new Map(rows.map((row) => [row.serial, row])) };
    return known.bySerial;
  }

  /** The newest list if it says all there is to say, and says it recently enough. */
  async function findCurrent(tx: Tx, now: Date) {
    const latest = await findLatestList(tx);
    const isCurrent =
      latest !== null &&
      latest.entries === (await countRevoked(tx)) &&
      now.getTime() - latest.thisUpdate.getTime() < RENEW_AFTER_MS;
    return { latest, isCurrent };
  }

  function publish(now: Date): Promise<Buffer> {
    return database.transaction(async (tx) => {
      await lockLists(tx);
      const { latest, isCurrent } = await findCurrent(tx, now);
      if (latest && isCurrent) return latest.der;
      const authority = keystore.issuingAuthority;
      if (!authority) {
        if (latest && latest.nextUpdate > now) return latest.der;
        throw signingErrors.crl_unavailable(
          'There is no valid revocation list. Start a process that holds the issuing CA key ' +
            '(ROLE=worker or all).',
        );
      }
      const list = {
        number: (latest?.number ?? 0) + 1,
        thisUpdate: now,
        nextUpdate: new Date(now.getTime() + GOOD_FOR_MS),
        revoked: await listRevoked(tx),
      };
      const der = makeCrl(list, authority);
      const { revoked, ...published } = list;
      const entries = revoked.length;
      await insertPublishedList(tx, { ...published, entries, der });
      logger.info({ crlNumber: list.number, entries }, 'A certificate revocation list was signed');
      return der;
    });
  }

  return {
    /** Revokes a certificate by its serial number (hexadecimal); for good. */
    async revokeCertificate(
      tx: Tx,
      { serial, reason }: { serial: string; reason: RevocationReason },
    ): Promise<void> {
      await insertRevoked(tx, {
        serial: serial.toUpperCase(),
        reason: REVOCATION_REASONS[reason],
        revokedAt: clock.now(),
      });
    },

    /**
     * Why a leaf is not to be trusted for a signature made at `signedAt`, or null. A key that was
     * compromised could date its signatures as it liked, so all of them fall.
     */
    async leafFault(leaf: Omit<TrustedLeaf, 'publicKey'>, signedAt: Date): Promise<string | null> {
      if (signedAt < leaf.validFrom || signedAt > leaf.validTo) {
        return 'The certificate was not valid when the signature was made.';
      }
      const revocation = (await revokedBySerial()).get(leaf.serial);
      if (!revocation) return null;
      if (revocation.reason === REVOCATION_REASONS.keyCompromise) {
        return 'The certificate was revoked because its key is compromised.';
      }
      return signedAt < revocation.revokedAt
        ? null
        : 'The certificate was revoked before the signature was made.';
    },

    /** The revocation list as DER, at most 5 s behind; renewed daily by who holds the CA's key. */
    async crl(): Promise<Buffer> {
      const now = clock.now();
      if (published && now.getTime() < publishedUntil) return published;
      const { latest, isCurrent } = await findCurrent(database.db, now);
      const renew = () => (remote ? remote.crl() : publish(now));
      published = latest && isCurrent ? latest.der : await renew();
      publishedUntil = now.getTime() + CHECK_EVERY_MS;
      return published;
    },
  };
}
