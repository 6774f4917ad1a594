// SQL over what happened to licences. Events are added, never changed.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { LicenceStatus } from './licence.ts';
import { isoTime } from './store-pieces.ts';

/** Something that happened to a licence. */
export interface LicenceEvent {
  number: string;
  id: string;
  act: string;
  status: LicenceStatus;
  organisationId: string | null;
  legalBasis: string | null;
  /** The other version: what a new one supersedes, what an old one is superseded by. */
  related: string | null;
  reasonSealed: Buffer | null;
}

export async function insertEvents(
  tx: Tx,
  events: readonly LicenceEvent[],
  at: Date,
): Promise<void> {
  const input = events.map((event) => ({
    ...event,
    reasonSealed: event.reasonSealed?.toString('hex') ?? null,
  }));
  await tx.execute(
    sql`insert into registry.licence_events
        (number, id, act, status, at, organisation_id, legal_basis, related, reason_sealed)
      select number, id, act, status, ${at.toISOString()}::timestamptz, "organisationId",
        "legalBasis", related, decode("reasonSealed", 'hex')
      from jsonb_to_recordset(${JSON.stringify(input)}::text::jsonb) as i(
        number text, id uuid, act text, status text, "organisationId" text, "legalBasis" text,
        related text, "reasonSealed" text)`,
  );
}

/** What happened to all versions of a licence, oldest first, with who issued each version. */
export function listEvents(
  tx: Tx,
  lineage: string,
): Promise<(LicenceEvent & { at: string; version: number; issuerId: string })[]> {
  return selectRows(
    tx,
    sql`select e.number, e.id, e.act, e.status, ${isoTime(sql`e.at`)} as at,
        e.organisation_id as "organisationId", e.legal_basis as "legalBasis", e.related,
        e.reason_sealed as "reasonSealed", l.version::int as version, l.issuer_id as "issuerId"
      from registry.licence_keys k
        join registry.licences l on l.number = k.number
        join registry.licence_events e on e.number = k.number
      where k.lineage = ${lineage}
      order by e.at, l.version, e.id`,
  );
}
