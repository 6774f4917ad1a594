// SQL over services, their versions, legal bases and the allowances the operator gives.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx, textArray } from '../platform/index.ts';
import type { PublishedService } from './service-definition.ts';
import { jsonText, moment } from './sql-pieces.ts';

export interface LegalBasis {
  id: string;
  citeZh: string;
  citeEn: string;
}

/** Adds legal bases, or changes how known ones are cited. */
export async function upsertLegalBases(tx: Tx, bases: readonly LegalBasis[]): Promise<void> {
  await tx.execute(sql`
    insert into exchange.legal_bases (id, cite_zh, cite_en)
    select b.id, b."citeZh", b."citeEn"
    from json_to_recordset(${jsonText(bases)}) as b(id text, "citeZh" text, "citeEn" text)
    on conflict (id) do update set cite_zh = excluded.cite_zh, cite_en = excluded.cite_en`);
}

export function listLegalBases(tx: Tx): Promise<LegalBasis[]> {
  return selectRows<LegalBasis>(
    tx,
    sql`select id, cite_zh as "citeZh", cite_en as "citeEn" from exchange.legal_bases order by id`,
  );
}

/** Records the next version of a service and makes it the current one; returns its number. */
export async function insertServiceVersion(
  tx: Tx,
  service: Omit<PublishedService, 'version'>,
  published: { at: Date; by: string },
): Promise<number> {
  // One publisher of a code at a time, so that version numbers have no gap and no rival.
  await tx.execute(
    sql`select pg_advisory_xact_lock(hashtextextended(${`exchange.service|${service.code}`}, 0))`,
  );
  const [row] = await selectRows<{ version: number }>(
    tx,
    sql`insert into exchange.service_versions
        (code, version, provider_id, legal_bases, definition, published_at, published_by)
      select ${service.code}, coalesce(max(version), 0) + 1, ${service.provider},
        ${textArray(service.legalBasis)}, ${jsonText(service)}, ${moment(published.at)},
        ${published.by}
      from exchange.service_versions where code = ${service.code}
      returning version`,
  );
  if (!row) throw new TypeError('A version was not recorded.');
  await tx.execute(sql`
    insert into exchange.services (code, version) values (${service.code}, ${row.version})
    on conflict (code) do update set version = excluded.version`);
  return row.version;
}

/** One version of a service as it was published. */
export async function findServiceVersion(
  tx: Tx,
  code: string,
  version: number,
): Promise<PublishedService | undefined> {
  const [row] = await selectRows<{ definition: Omit<PublishedService, 'version'> }>(
    tx,
    sql`select definition from exchange.service_versions
      where code = ${code} and version = ${version}`,
  );
  return row && { ...row.definition, version };
}

/** The current version of each service. */
export async function findCurrentVersions(tx: Tx): Promise<{ code: string; version: number }[]> {
  return selectRows(tx, sql`select code, version from exchange.services order by code`);
}

export async function findCurrentVersion(tx: Tx, code: string): Promise<number | undefined> {
  const [row] = await selectRows<{ version: number }>(
    tx,
    sql`select version from exchange.services where code = ${code}`,
  );
  return row?.version;
}

/** Lets a department delay the disclosure of its questions. */
export async function insertDelayAllowance(tx: Tx, organisationId: string): Promise<void> {
  await tx.execute(sql`
    insert into exchange.delay_allowances (organisation_id) values (${organisationId})
    on conflict do nothing`);
}

/** Whether the organisation may keep a question from its subject for a while. */
export async function hasDelayAllowance(tx: Tx, organisationId: string): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`select organisation_id from exchange.delay_allowances
      where organisation_id = ${organisationId}`,
  );
  return rows.length > 0;
}
