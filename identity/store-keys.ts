// SQL over identity.key_versions, and of the rotation: what still stands under an old version.
import { type SQL, sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';

/** The keys that rotate, by the names of their files. */
export type RotatingKey = 'kek' | 'index-registry';

/** The versions that rows may stand under, and the newest, which writes. */
export interface LiveVersions {
  oldestIndex: number;
  newestIndex: number;
  oldestKek: number;
  newestKek: number;
}

/** LiveVersions as one row, to be selected from beside whatever they are needed for. */
export const liveVersions: SQL = sql`(
  select min(version) filter (where name = 'index-registry')::int as "oldestIndex",
    max(version) filter (where name = 'index-registry')::int as "newestIndex",
    min(version) filter (where name = 'kek')::int as "oldestKek",
    max(version) filter (where name = 'kek')::int as "newestKek"
  from identity.key_versions where retired_at is null)`;

/** The newest version of a key, for a condition in a write. */
export const newestVersion = (name: RotatingKey): SQL =>
  sql`(select max(version) from identity.key_versions where name = ${name})`;

/** The live versions alone. */
export async function findLiveVersions(tx: Tx): Promise<LiveVersions> {
  const [row] = await selectRows<LiveVersions>(tx, sql`select * from ${liveVersions} as v`);
  if (!row) throw new TypeError('An aggregate has a row.');
  return row;
}

export interface KeyVersionRow {
  name: RotatingKey;
  version: number;
  isRetired: boolean;
  /** Rows that stand under it. */
  uses: number;
}

/** All versions there ever were, with what stands under them. */
export function listKeyVersions(tx: Tx): Promise<KeyVersionRow[]> {
  return selectRows<KeyVersionRow>(
    tx,
    sql`select name, version::int, retired_at is not null as "isRetired",
        case name
          when 'kek' then (select count(*)::float8 from identity.data_keys k
            where k.kek_version = v.version)
          else (select count(*)::float8 from identity.people p
            where p.index_version = v.version and p.blind_index is not null)
        end as uses
      from identity.key_versions v order by name, version`,
  );
}

/** Waits for others who begin a rotation; then the versions of this key, oldest first. */
export function lockVersions(
  tx: Tx,
  name: RotatingKey,
): Promise<{ version: number; isRetired: boolean }[]> {
  return selectRows(
    tx,
    sql`select version::int, retired_at is not null as "isRetired"
      from identity.key_versions where name = ${name} order by version for no key update`,
  );
}

/** From the commit on this version writes. */
export async function insertVersion(tx: Tx, name: RotatingKey, version: number): Promise<void> {
  await tx.execute(
    sql`insert into identity.key_versions (name, version, created_at, created_xid)
      values (${name}, ${version}, platform.now(), pg_current_xact_id())`,
  );
}

/** The keys that have more than one live version. */
export async function findRotating(tx: Tx): Promise<RotatingKey[]> {
  const rows = await selectRows<{ name: RotatingKey }>(
    tx,
    sql`select name from identity.key_versions where retired_at is null
      group by name having count(*) > 1 order by name`,
  );
  return rows.map(({ name }) => name);
}

/**
 * Retires the versions nothing stands under any more, and returns them. Not before every transaction
 * that was running when the newest came has ended: it may still be about to write under the old.
 */
export async function retireUnused(tx: Tx, name: RotatingKey): Promise<number[]> {
  const isUsed =
    name === 'kek'
      ? sql`select from identity.data_keys where kek_version = v.version`
      : sql`select from identity.people where index_version = v.version and blind_index is not null`;
  const rows = await selectRows<{ version: number }>(
    tx,
    sql`update identity.key_versions v set retired_at = platform.now()
      from (select max(version) as version from identity.key_versions where name = ${name}) newest
        join identity.key_versions n on n.name = ${name} and n.version = newest.version
      where v.name = ${name} and v.retired_at is null and v.version < n.version
        and pg_snapshot_xmin(pg_current_snapshot()) > n.created_xid
        and not exists (${isUsed})
      returning v.version::int as version`,
  );
  return rows.map(({ version }) => version);
}

/** The retired versions, whose files are to be put away. */
export async function findRetired(tx: Tx): Promise<{ name: RotatingKey; version: number }[]> {
  return selectRows(
    tx,
    sql`select name, version::int from identity.key_versions where retired_at is not null`,
  );
}

export interface WrappedKeyRow {
  personId: string;
  kekVersion: number;
  wrapped: Buffer;
}

/** Some data keys wrapped under an old version, locked; those somebody else holds are left to her. */
export function lockOldDataKeys(tx: Tx, limit: number): Promise<WrappedKeyRow[]> {
  return selectRows<WrappedKeyRow>(
    tx,
    sql`select person_id as "personId", kek_version::int as "kekVersion", wrapped
      from identity.data_keys
      where kek_version < ${newestVersion('kek')}
      limit ${limit} for no key update skip locked`,
  );
}

/** Puts rewrapped data keys in the place of the old ones. */
export async function updateDataKeys(tx: Tx, rows: readonly WrappedKeyRow[]): Promise<void> {
  const input = rows.map((row) => ({ ...row, wrapped: row.wrapped.toString('hex') }));
  await tx.execute(
    sql`update identity.data_keys k
      set kek_version = i."kekVersion", wrapped = decode(i.wrapped, 'hex')
      from jsonb_to_recordset(${JSON.stringify(input)}::text::jsonb) as i(
        "personId" uuid, "kekVersion" smallint, wrapped text)
      where k.person_id = i."personId"`,
  );
}

export interface IndexedPersonRow {
  id: string;
  scheme: 'cn-id' | 'uscc';
  valueSealed: Buffer;
  kekVersion: number;
  wrapped: Buffer;
}

/** Some people indexed under an old version, locked; erased ones have no index to renew. */
export function lockOldIndexes(tx: Tx, limit: number): Promise<IndexedPersonRow[]> {
  return selectRows<IndexedPersonRow>(
    tx,
    sql`select p.id, p.scheme, p.value_sealed as "valueSealed",
        k.kek_version::int as "kekVersion", k.wrapped
      from identity.people p join identity.data_keys k on k.person_id = p.id
      where p.index_version < ${newestVersion('index-registry')} and p.blind_index is not null
      limit ${limit} for no key update of p skip locked`,
  );
}

/** Puts new blind indexes in the place of the old ones. */
export async function updateIndexes(
  tx: Tx,
  rows: readonly { id: string; indexVersion: number; blindIndex: Buffer }[],
): Promise<void> {
  const input = rows.map((row) => ({ ...row, blindIndex: row.blindIndex.toString('hex') }));
  await tx.execute(
    sql`update identity.people p
      set index_version = i."indexVersion", blind_index = decode(i."blindIndex", 'hex')
      from jsonb_to_recordset(${JSON.stringify(input)}::text::jsonb) as i(
        id uuid, "indexVersion" smallint, "blindIndex" text)
      where p.id = i.id`,
  );
}
