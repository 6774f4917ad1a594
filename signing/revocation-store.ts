// SQL of revoked certificates and their published lists.
import { asc, count, desc, sql } from 'drizzle-orm';
import type { Tx } from '../platform/index.ts';
import type { RevokedCertificate } from './crl.ts';
import { revocationLists, revokedCertificates } from './schema.ts';

export type PublishedList = typeof revocationLists.$inferSelect;

/** Revokes once; a second time changes nothing. */
export async function insertRevoked(tx: Tx, revoked: RevokedCertificate): Promise<void> {
  await tx.insert(revokedCertificates).values(revoked).onConflictDoNothing();
}

export function listRevoked(tx: Tx): Promise<RevokedCertificate[]> {
  return tx.select().from(revokedCertificates).orderBy(asc(revokedCertificates.serial));
}

export async function countRevoked(tx: Tx): Promise<number> {
  const [row] = await tx.select({ entries: count() }).from(revokedCertificates);
  return row?.entries ?? 0;
}

export async function findLatestList(tx: Tx): Promise<PublishedList | null> {
  const newestFirst = desc(revocationLists.number);
  const [latest] = await tx.select().from(revocationLists).orderBy(newestFirst).limit(1);
  return latest ?? null;
}

/** Held to the end of the transaction: two signers must not give out one number twice. */
export async function lockLists(tx: Tx): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended('signing.crl', 0))`);
}

export async function insertPublishedList(tx: Tx, list: PublishedList): Promise<void> {
  await tx.insert(revocationLists).values(list);
}
