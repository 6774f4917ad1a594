// SQL over agreements, their versions and what happened to them, and the daily use of each.
import { type SQL, sql } from 'drizzle-orm';
import { type Json, selectRows, type Tx, textArray } from '../platform/index.ts';
import type { AgreementState, AgreementTerms } from './agreement.ts';
import { jsonText, milliseconds, moment } from './sql-pieces.ts';

/** An agreement as it is stored; `state` doesn't yet know that its last day has passed. */
export interface AgreementRow {
  id: string;
  version: number;
  requester: string;
  provider: string;
  service: string | null;
  licenceType: string | null;
  state: Exclude<AgreementState, 'expired'>;
  legalBases: string[];
  fields: string[];
  purposes: string[];
  quotaPerDay: number;
  validFrom: string;
  validTo: string;
  paramLimits: Record<string, Json[]> | null;
  cachesAnswers: boolean;
  signedRequests: boolean;
  hash: string;
  createdAt: number;
  /** Two accounts of the provider must approve it. */
  fourEyes: boolean;
  /** Who proposed it; null for one that the operator's loader put in force. */
  proposedBy: string | null;
  approvedBy: string | null;
}

const columns = sql`
  a.id, a.version, a.requester_id as requester, a.provider_id as provider,
  a.service_code as service, a.licence_type as "licenceType", a.state,
  a.legal_bases as "legalBases", a.fields, a.purposes, a.quota_per_day as "quotaPerDay",
  a.valid_from::text as "validFrom", a.valid_to::text as "validTo", a.param_limits as "paramLimits",
  a.caches_answers as "cachesAnswers", a.signed_requests as "signedRequests", a.hash,
  ${milliseconds(sql`a.created_at`)} as "createdAt", a.four_eyes as "fourEyes",
  a.proposed_by as "proposedBy", a.approved_by as "approvedBy"`;

/** What is needed to decide whether a department may ask: all in one look. */
export interface AskTerms {
  /** The current version of the service; null when there is no such service. */
  serviceVersion: number | null;
  mayDelay: boolean;
  now: Date;
  agreements: AgreementRow[];
}

/** Everything the database knows about this requester and this service, by its own clock. */
export async function findAskTerms(
  tx: Tx,
  requester: string,
  serviceCode: string,
): Promise<AskTerms> {
  const rows = await selectRows<
    { serviceVersion: number | null; mayDelay: boolean; now: number } & Partial<AgreementRow>
  >(
    tx,
    sql`select s.version as "serviceVersion", ${milliseconds(sql`platform.now()`)} as now,
        exists (select from exchange.delay_allowances d where d.organisation_id = ${requester})
          as "mayDelay", ${columns}
      from (select 1) as one
      left join exchange.services s on s.code = ${serviceCode}
      left join exchange.agreements a on a.requester_id = ${requester} and a.service_code = s.code
      order by a.created_at desc`,
  );
  const [first] = rows;
  if (!first) throw new TypeError('A look without a row.');
  return {
    serviceVersion: first.serviceVersion,
    mayDelay: first.mayDelay,
    now: new Date(first.now),
    agreements: rows.filter(isAgreement),
  };
}

function isAgreement<Row extends Partial<AgreementRow>>(row: Row): row is Row & AgreementRow {
  return row.id !== null && row.id !== undefined;
}

/** A requester's agreements over licence types, of these types if any are named. */
export function findTypeAgreements(
  tx: Tx,
  requester: string,
  licenceTypes?: readonly string[],
): Promise<AgreementRow[]> {
  const only =
    licenceTypes === undefined ? sql`` : sql`and a.licence_type = any(${textArray(licenceTypes)})`;
  return selectRows<AgreementRow>(
    tx,
    sql`select ${columns} from exchange.agreements a
      where a.requester_id = ${requester} and a.licence_type is not null ${only}
      order by a.created_at desc`,
  );
}

/** A requester's agreements over services. */
export function findServiceAgreements(tx: Tx, requester: string): Promise<AgreementRow[]> {
  return selectRows<AgreementRow>(
    tx,
    sql`select ${columns} from exchange.agreements a
      where a.requester_id = ${requester} and a.service_code is not null`,
  );
}

/** An agreement this department is a party of; `lock` holds it until the transaction ends. */
export async function findAgreement(
  tx: Tx,
  party: string,
  id: string,
  lock: 'no lock' | 'for update' = 'no lock',
): Promise<AgreementRow | undefined> {
  const locking = lock === 'for update' ? sql`for update` : sql``;
  const [row] = await selectRows<AgreementRow>(
    tx,
    sql`select ${columns} from exchange.agreements a
      where a.id = ${id} and ${party} in (a.requester_id, a.provider_id) ${locking}`,
  );
  return row;
}

/** A department's agreements on either side, newest first, from before `beforeId`. */
export function listAgreements(
  tx: Tx,
  party: string,
  page: { beforeId?: string | undefined; limit: number },
): Promise<AgreementRow[]> {
  const before = page.beforeId === undefined ? sql`` : sql`and a.id < ${page.beforeId}`;
  return selectRows<AgreementRow>(
    tx,
    sql`select ${columns} from exchange.agreements a
      where ${party} in (a.requester_id, a.provider_id) ${before}
      order by a.id desc limit ${page.limit}`,
  );
}

/** Records a new agreement with its first version. */
export async function insertAgreement(
  tx: Tx,
  terms: AgreementTerms,
  record: {
    state: 'proposed' | 'active';
    hash: string;
    at: Date;
    fourEyes: boolean;
    proposedBy: string | null;
  },
): Promise<void> {
  const limits: SQL = terms.paramLimits ? jsonText(terms.paramLimits) : sql`null`;
  await tx.execute(sql`
    insert into exchange.agreements
      (id, version, requester_id, provider_id, service_code, licence_type, state, legal_bases,
       fields, purposes, quota_per_day, valid_from, valid_to, param_limits, caches_answers,
       signed_requests, hash, created_at, four_eyes, proposed_by)
    values (${terms.id}, ${terms.version}, ${terms.requester}, ${terms.provider},
      ${terms.service ?? null}, ${terms.licenceType ?? null}, ${record.state},
      ${textArray(terms.legalBases)}, ${textArray(terms.fields)}, ${textArray(terms.purposes)},
      ${terms.quota.perDay}, ${terms.validFrom}, ${terms.validTo}, ${limits},
      ${terms.cacheAnswers}, ${terms.signedRequests}, ${record.hash}, ${moment(record.at)},
      ${record.fourEyes}, ${record.proposedBy})`);
  await tx.execute(sql`
    insert into exchange.agreement_versions (agreement_id, version, terms, hash)
    values (${terms.id}, ${terms.version}, ${jsonText(terms)}, ${record.hash})`);
}

export async function updateAgreementState(
  tx: Tx,
  id: string,
  state: AgreementRow['state'],
): Promise<void> {
  await tx.execute(sql`update exchange.agreements set state = ${state} where id = ${id}`);
}

/**
 * Notes who approves a proposal and for which department, then who seconds it. The table refuses the
 * account that proposed, a department that isn't the provider, and the same account twice.
 */
export async function insertApproval(
  tx: Tx,
  id: string,
  approval: { by: string; department: string },
): Promise<void> {
  await tx.execute(sql`
    update exchange.agreements set approved_by = coalesce(approved_by, ${approval.by}),
      approved_for = coalesce(approved_for, ${approval.department}),
      seconded_by = case when approved_by is not null then ${approval.by} end
    where id = ${id}`);
}

/** Something that happened to an agreement. */
export interface AgreementEvent {
  id: string;
  act: string;
  state: AgreementState;
  organisationId: string | null;
  actedBy: string;
  reason: string | null;
}

export async function insertAgreementEvent(
  tx: Tx,
  agreementId: string,
  event: AgreementEvent,
  at: Date,
): Promise<void> {
  await tx.execute(sql`
    insert into exchange.agreement_events
      (agreement_id, id, act, state, organisation_id, acted_by, reason, at)
    values (${agreementId}, ${event.id}, ${event.act}, ${event.state}, ${event.organisationId},
      ${event.actedBy}, ${event.reason}, ${moment(at)})`);
}

/** True when this requester has an agreement in force or suspended for this service. */
export async function hasAgreement(
  tx: Tx,
  requester: string,
  serviceCode: string,
): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`select from exchange.agreements
      where requester_id = ${requester} and service_code = ${serviceCode}
        and state in ('active', 'suspended') limit 1`,
  );
  return rows.length > 0;
}

/** Adds one use to a shard unless it is used up; false when it is. */
export async function takeFromShard(
  tx: Tx,
  use: { agreementId: string; day: string; shard: number; limit: number },
): Promise<boolean> {
  const rows = await selectRows<{ used: number }>(
    tx,
    sql`insert into exchange.agreement_usage as u (agreement_id, day, shard, used)
      values (${use.agreementId}, ${use.day}, ${use.shard}, 1)
      on conflict (agreement_id, day, shard)
        do update set used = u.used + 1 where u.used < ${use.limit}
      returning used`,
  );
  return rows.length > 0;
}
