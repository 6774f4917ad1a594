// SQL that reads datasets, organisations and tags, every statement behind the policy.
import { type SQL, sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { DatasetState } from './dataset.ts';
import type { OpenLevel } from './open-level.ts';
import { anyone, type Viewer } from './policy.ts';
import { jsonParameter } from './store-datasets.ts';
import { datasetsWithOrganisations, visibleTo } from './store-policy.ts';

/** A column of a row table, by the name CKAN's datastore gives its type. */
export interface RowField {
  id: string;
  type: 'text' | 'numeric' | 'date' | 'timestamp' | 'bool';
}

export interface OrganisationRow {
  id: string;
  name: string;
  title: string;
  description: string;
  department: string | null;
  createdAt: string;
}

export interface ResourceRow {
  id: string;
  datasetId: string;
  position: number;
  name: string;
  description: string;
  format: string;
  mimetype: string | null;
  url: string | null;
  createdAt: string;
  changedAt: string;
  rowTable: string | null;
  rowCount: number | null;
  rowFields: RowField[] | null;
}

export interface DatasetRow {
  id: string;
  name: string;
  state: DatasetState;
  isPrivate: boolean;
  title: string;
  notes: string;
  url: string | null;
  openLevel: OpenLevel | null;
  openWords: string;
  openCondition: string;
  isLoginRequired: boolean;
  isApplicationRequired: boolean;
  frequency: string | null;
  frequencyWords: string;
  subjectWords: string[];
  themes: string[];
  tags: string[];
  licence: string | null;
  version: string | null;
  issued: string | null;
  modified: string | null;
  extras: [string, string][];
  createdAt: string;
  changedAt: string;
  organisation: OrganisationRow | null;
  resources: ResourceRow[];
}

/** Moments as CKAN writes them: ISO, UTC without a zone, microseconds. */
function moment(column: SQL): SQL {
  return sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')`;
}

const organisationObject = sql`json_build_object(
  'id', o.id, 'name', o.name, 'title', o.title, 'description', o.description,
  'department', o.department, 'createdAt', ${moment(sql`o.created_at`)})`;

const resourceObject = sql`json_build_object(
  'id', r.id, 'datasetId', r.dataset_id, 'position', r.position, 'name', r.name,
  'description', r.description, 'format', r.format, 'mimetype', r.mimetype, 'url', r.url,
  'createdAt', ${moment(sql`r.created_at`)}, 'changedAt', ${moment(sql`r.changed_at`)},
  'rowTable', r.row_table, 'rowCount', r.row_count, 'rowFields', r.row_fields)`;

const datasetColumns = sql`d.id, d.name, d.state, d.is_private as "isPrivate", d.title, d.notes,
  d.url, d.open_level as "openLevel", d.open_words as "openWords",
  d.open_condition as "openCondition", d.is_login_required as "isLoginRequired",
  d.is_application_required as "isApplicationRequired", d.frequency,
  d.frequency_words as "frequencyWords", to_json(d.subject_words) as "subjectWords",
  to_json(d.themes) as themes, to_json(d.tags) as tags, d.licence, d.version,
  d.issued::text as issued, d.modified::text as modified, d.extras,
  ${moment(sql`d.created_at`)} as "createdAt", ${moment(sql`d.changed_at`)} as "changedAt",
  case when o.id is null then null else ${organisationObject} end as organisation,
  coalesce((
    select json_agg(${resourceObject} order by r.position)
    from catalogue.resources r where r.dataset_id = d.id), '[]') as resources`;

/** The dataset with this id or name, if the viewer may know of it. */
export async function findDataset(
  tx: Tx,
  viewer: Viewer,
  idOrName: string,
): Promise<DatasetRow | null> {
  const rows = await selectRows<DatasetRow>(
    tx,
    sql`select ${datasetColumns} from ${datasetsWithOrganisations}
      where (d.id = ${uuidOrNull(idOrName)}::uuid or d.name = ${idOrName})
        and ${visibleTo(viewer, 'shown')}`,
  );
  return rows[0] ?? null;
}

/** The dataset that holds this resource, if the viewer may know of it. */
export async function findDatasetOfResource(
  tx: Tx,
  viewer: Viewer,
  resourceId: string,
): Promise<DatasetRow | null> {
  const rows = await selectRows<DatasetRow>(
    tx,
    sql`select ${datasetColumns} from ${datasetsWithOrganisations}
      where d.id = (
          select dataset_id from catalogue.resources where id = ${uuidOrNull(resourceId)}::uuid)
        and ${visibleTo(viewer, 'shown')}`,
  );
  return rows[0] ?? null;
}

/** These datasets in this order; for ids that a listing behind the policy gave. */
export async function readListed(tx: Tx, ids: readonly string[]): Promise<DatasetRow[]> {
  if (ids.length === 0) return [];
  return selectRows<DatasetRow>(
    tx,
    sql`select ${datasetColumns}
      from jsonb_array_elements_text(${jsonParameter(ids)}) with ordinality as listed(id, place)
      join catalogue.datasets d on d.id = listed.id::uuid
      left join catalogue.organisations o on o.id = d.organisation_id
      where ${visibleTo(anyone, 'listed')}
      order by listed.place`,
  );
}

/** Names of the listed datasets, by name. */
export async function listNames(
  tx: Tx,
  viewer: Viewer,
  page: { limit: number | null; offset: number },
): Promise<string[]> {
  const rows = await selectRows<{ name: string }>(
    tx,
    sql`select d.name from ${datasetsWithOrganisations}
      where ${visibleTo(viewer, 'listed')}
      order by d.name collate "C" limit ${page.limit} offset ${page.offset}`,
  );
  return rows.map(({ name }) => name);
}

/** Tags of the listed datasets that contain `part`, by name, with how many datasets have them. */
export async function listTags(
  tx: Tx,
  viewer: Viewer,
  part: string,
): Promise<{ name: string; count: number }[]> {
  return selectRows<{ name: string; count: number }>(
    tx,
    sql`select t.name, count(*)::int as count
      from ${datasetsWithOrganisations} cross join lateral unnest(d.tags) as t(name)
      where ${visibleTo(viewer, 'listed')} and strpos(lower(t.name), lower(${part})) > 0
      group by t.name order by t.name collate "C"`,
  );
}

/** Themes of the listed datasets, with how many datasets have them. */
export async function countThemes(tx: Tx, viewer: Viewer): Promise<Map<string, number>> {
  const rows = await selectRows<{ name: string; count: number }>(
    tx,
    sql`select t.name, count(*)::int as count
      from ${datasetsWithOrganisations} cross join lateral unnest(d.themes) as t(name)
      where ${visibleTo(viewer, 'listed')} group by t.name`,
  );
  return new Map(rows.map(({ name, count }) => [name, count]));
}

export interface CountedOrganisation extends OrganisationRow {
  count: number;
}

/**
 * The city's own organisations and those with listed datasets; a publisher of nothing that is
 * listed would tell that something unlisted exists.
 */
export async function listOrganisations(
  tx: Tx,
  viewer: Viewer,
  idOrName: string | null,
): Promise<CountedOrganisation[]> {
  const chosen =
    idOrName === null
      ? sql`true`
      : sql`(org.id = ${uuidOrNull(idOrName)}::uuid or org.name = ${idOrName})`;
  return selectRows<CountedOrganisation>(
    tx,
    sql`with counted as (
        select d.organisation_id, count(*)::int as count from ${datasetsWithOrganisations}
        where ${visibleTo(viewer, 'listed')} group by d.organisation_id)
      select org.id, org.name, org.title, org.description, org.department,
        ${moment(sql`org.created_at`)} as "createdAt", coalesce(c.count, 0) as count
      from catalogue.organisations org left join counted c on c.organisation_id = org.id
      where ${chosen} and (c.count > 0 or org.department is not null)
      order by org.name collate "C"`,
  );
}

/** Resources of the listed datasets whose `column` contains the text. */
export async function searchResources(
  tx: Tx,
  viewer: Viewer,
  wanted: { column: 'name' | 'format' | 'description' | 'url'; text: string }[],
  page: { limit: number; offset: number },
): Promise<{ total: number; found: { resourceId: string; datasetId: string }[] }> {
  const columns = { name: sql`r.name`, format: sql`r.format`, url: sql`r.url` };
  const conditions = wanted.map(({ column, text }) => {
    const of = column === 'description' ? sql`r.description` : columns[column];
    return sql`strpos(lower(coalesce(${of}, '')), lower(${text})) > 0`;
  });
  type Found = { total: number; found: { resourceId: string; datasetId: string }[] };
  const [result] = await selectRows<Found>(
    tx,
    sql`with found as (
        select r.id, d.id as dataset_id
        from ${datasetsWithOrganisations} join catalogue.resources r on r.dataset_id = d.id
        where ${visibleTo(viewer, 'listed')} and ${sql.join(conditions, sql` and `)})
      select (select count(*)::int from found) as total, (
        select coalesce(
          json_agg(json_build_object('resourceId', p.id, 'datasetId', p.dataset_id) order by p.id),
          '[]')
        from (select * from found order by id limit ${page.limit} offset ${page.offset}) p) as found`,
  );
  return result ?? { total: 0, found: [] };
}

/** Ids come as text from outside; what isn't a UUID matches none. */
export function uuidOrNull(text: string): string | null {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) ? text.toLowerCase() : null;
}
