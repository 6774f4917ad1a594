// SQL of harvesting: sources with their lease, jobs, and the hash of each record.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { StoredRecord } from './harvest-plan.ts';
import { jsonParameter } from './store-datasets.ts';

/** The source with this location, made when it is new. */
export async function ensureSource(
  tx: Tx,
  source: { id: string; location: string },
  at: Date,
): Promise<string> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`with made as (
        insert into catalogue.harvest_sources (id, location, created_at)
        values (${source.id}, ${source.location}, ${at.toISOString()})
        on conflict (location) do nothing returning id)
      select id from made union all
      select id from catalogue.harvest_sources where location = ${source.location} limit 1`,
  );
  return rows[0]?.id ?? source.id;
}

/**
 * Takes or renews the lease of a source for a job, by the database's clock; false when another job
 * holds it. Renewed in every batch's transaction, so a job that lost it can write nothing more.
 */
export async function leaseSource(
  tx: Tx,
  sourceId: string,
  jobId: string,
  seconds: number,
): Promise<boolean> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`update catalogue.harvest_sources
      set leased_by = ${jobId}, leased_until = platform.now() + ${`${seconds} seconds`}::interval
      where id = ${sourceId}
        and (leased_by is null or leased_by = ${jobId} or leased_until < platform.now())
      returning id`,
  );
  return rows.length > 0;
}

/** Gives the lease back, if this job still has it. */
export async function releaseSource(tx: Tx, sourceId: string, jobId: string): Promise<void> {
  await tx.execute(sql`
    update catalogue.harvest_sources set leased_by = null, leased_until = null
    where id = ${sourceId} and leased_by = ${jobId}`);
}

/** All records of a source, those that are gone too. */
export async function readRecords(tx: Tx, sourceId: string): Promise<StoredRecord[]> {
  return selectRows<StoredRecord>(
    tx,
    sql`select key, ordinal, dataset_id as "datasetId", hash, is_deleted as "isDeleted"
      from catalogue.harvest_records where source_id = ${sourceId} order by key, ordinal`,
  );
}

export interface RecordRow {
  key: string;
  ordinal: number;
  datasetId: string;
  hash: string;
}

/** Stores what was taken of these records. */
export async function writeRecords(tx: Tx, sourceId: string, records: RecordRow[]): Promise<void> {
  await tx.execute(sql`
    insert into catalogue.harvest_records as r (
      source_id, key, ordinal, dataset_id, hash, is_deleted)
    select ${sourceId}, key, ordinal, "datasetId", hash, false
    from jsonb_to_recordset(${jsonParameter(records)}) as i(
      key text, ordinal integer, "datasetId" uuid, hash text)
    on conflict (source_id, key, ordinal) do update set
      hash = excluded.hash, is_deleted = false`);
}

/** Withdraws the datasets of records that are gone. */
export async function withdrawRecords(tx: Tx, datasetIds: string[], at: Date): Promise<void> {
  await tx.execute(sql`
    with gone as (
      select value::uuid as id from jsonb_array_elements_text(${jsonParameter(datasetIds)})
    ), marked as (
      update catalogue.harvest_records r set is_deleted = true
      from gone where r.dataset_id = gone.id)
    update catalogue.datasets d set state = 'withdrawn', changed_at = ${at.toISOString()}
    from gone where d.id = gone.id`);
}

export interface JobRow {
  id: string;
  state: 'applying' | 'done' | 'partial' | 'held' | 'failed';
  added: number;
  changed: number;
  unchanged: number;
  deleted: number;
  duplicates: number;
  errors: unknown[];
}

/** Records that a job began. */
export async function insertJob(
  tx: Tx,
  job: { id: string; sourceId: string; format: string },
  at: Date,
): Promise<void> {
  await tx.execute(sql`
    insert into catalogue.harvest_jobs (
      id, source_id, state, format, started_at, added, changed, unchanged, deleted, duplicates,
      errors)
    values (${job.id}, ${job.sourceId}, 'applying', ${job.format}, ${at.toISOString()},
      0, 0, 0, 0, 0, '[]')`);
}

/** Records how a job ended. */
export async function endJob(tx: Tx, job: JobRow, at: Date): Promise<void> {
  await tx.execute(sql`
    update catalogue.harvest_jobs
    set state = ${job.state}, ended_at = ${at.toISOString()}, added = ${job.added},
      changed = ${job.changed}, unchanged = ${job.unchanged}, deleted = ${job.deleted},
      duplicates = ${job.duplicates}, errors = ${jsonParameter(job.errors)}
    where id = ${job.id}`);
}
