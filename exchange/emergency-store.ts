// SQL over emergencies and the departments that may open one.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx, textArray } from '../platform/index.ts';
import type { EmergencyReview } from './emergency.ts';
import { milliseconds, moment } from './sql-pieces.ts';

export interface EmergencyRow {
  id: string;
  organisation: string;
  /** Exactly one of these two is what was opened. */
  licenceType: string | null;
  service: string | null;
  fields: string[];
  subjectId: string;
  legalBasis: string;
  requestSealed: Buffer;
  openedBy: string;
  openedAt: number;
  endsAt: number;
  reviewDue: number;
  discloseAt: number;
  looks: number;
  verdict: EmergencyReview['verdict'] | null;
  reviewedBy: string | null;
  reviewedAt: number | null;
  /** The database's clock at the moment of reading. */
  readAt: number;
}

const columns = sql`
  e.id, e.organisation_id as organisation, e.licence_type as "licenceType",
  e.service_code as service, e.fields,
  e.subject_id as "subjectId", e.legal_basis as "legalBasis", e.request_sealed as "requestSealed",
  e.opened_by as "openedBy", ${milliseconds(sql`e.opened_at`)} as "openedAt",
  ${milliseconds(sql`e.ends_at`)} as "endsAt", ${milliseconds(sql`e.review_due`)} as "reviewDue",
  ${milliseconds(sql`e.disclose_at`)} as "discloseAt", e.looks, e.verdict,
  e.reviewed_by as "reviewedBy", ${milliseconds(sql`e.reviewed_at`)} as "reviewedAt",
  ${milliseconds(sql`platform.now()`)} as "readAt"`;

export async function mayOpenEmergencies(tx: Tx, organisation: string): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`select from exchange.emergency_allowances where organisation_id = ${organisation}`,
  );
  return rows.length > 0;
}

export async function insertEmergencyAllowance(tx: Tx, organisation: string): Promise<void> {
  await tx.execute(sql`
    insert into exchange.emergency_allowances (organisation_id) values (${organisation})
    on conflict do nothing`);
}

export async function insertEmergency(
  tx: Tx,
  row: Pick<
    EmergencyRow,
    | 'id'
    | 'organisation'
    | 'licenceType'
    | 'service'
    | 'fields'
    | 'subjectId'
    | 'legalBasis'
    | 'requestSealed'
  > & { openedBy: string; at: Date; endsAt: Date; reviewDue: Date; discloseAt: Date },
): Promise<void> {
  await tx.execute(sql`
    insert into exchange.emergencies (id, organisation_id, licence_type, service_code, fields, subject_id,
      legal_basis, request_sealed, opened_by, opened_at, ends_at, review_due, disclose_at)
    values (${row.id}, ${row.organisation}, ${row.licenceType}, ${row.service}, ${textArray(row.fields)},
      ${row.subjectId}, ${row.legalBasis}, ${row.requestSealed}, ${row.openedBy}, ${moment(row.at)},
      ${moment(row.endsAt)}, ${moment(row.reviewDue)}, ${moment(row.discloseAt)})`);
}

/** A department's emergency, held until the transaction ends. */
export async function lockEmergency(
  tx: Tx,
  organisation: string,
  id: string,
): Promise<EmergencyRow | undefined> {
  const [row] = await selectRows<EmergencyRow>(
    tx,
    sql`select ${columns} from exchange.emergencies e
      where e.id = ${id} and e.organisation_id = ${organisation} for update`,
  );
  return row;
}

/** Emergencies, newest first: of one department and one account, or of all. */
export function listEmergencies(
  tx: Tx,
  page: {
    organisation?: string | undefined;
    openedBy?: string | undefined;
    beforeId?: string | undefined;
    limit: number;
  },
): Promise<EmergencyRow[]> {
  const { organisation, openedBy, beforeId, limit } = page;
  const of = organisation === undefined ? sql`` : sql`and e.organisation_id = ${organisation}`;
  const by = openedBy === undefined ? sql`` : sql`and e.opened_by = ${openedBy}`;
  const before = beforeId === undefined ? sql`` : sql`and e.id < ${beforeId}`;
  return selectRows<EmergencyRow>(
    tx,
    sql`select ${columns} from exchange.emergencies e where true ${of} ${by} ${before}
      order by e.id desc limit ${limit}`,
  );
}

/** Whether this emergency is this account's and nobody has reviewed it. */
export async function isUnreviewedOf(tx: Tx, id: string, account: string): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`select from exchange.emergencies
      where id = ${id} and opened_by = ${account} and reviewed_at is null`,
  );
  return rows.length > 0;
}

export async function countLook(tx: Tx, id: string): Promise<void> {
  await tx.execute(sql`update exchange.emergencies set looks = looks + 1 where id = ${id}`);
}

/** Reviews an emergency; the table refuses the account that opened it. */
export async function reviewEmergency(
  tx: Tx,
  review: { id: string; verdict: EmergencyReview['verdict']; by: string; noteSealed: Buffer },
): Promise<void> {
  const { id, verdict, by, noteSealed } = review;
  await tx.execute(sql`
    update exchange.emergencies set verdict = ${verdict}, reviewed_by = ${by},
      reviewed_at = platform.now(), note_sealed = ${noteSealed}
    where id = ${id} and reviewed_at is null`);
}

/** Emergencies whose review is late and of which nobody was told, now marked as told. */
export function takeOverdue(
  tx: Tx,
  limit: number,
): Promise<{ id: string; organisation: string }[]> {
  return selectRows(
    tx,
    sql`update exchange.emergencies set overdue_told = true where id in (
        select id from exchange.emergencies
        where reviewed_at is null and not overdue_told and review_due <= platform.now()
        order by review_due limit ${limit} for update skip locked)
      returning id, organisation_id as organisation`,
  );
}
