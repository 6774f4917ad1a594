// SQL that writes datasets, their resources and organisations, many at a time.
import { type SQL, sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { DatasetContent, DatasetState, ResourceContent } from './dataset.ts';
import { readLicence } from './licences.ts';
import { tsvectorLiteral } from './text-tokens.ts';

/** A dataset to be stored whole. */
export interface DatasetWrite {
  id: string;
  name: string;
  organisationId: string | null;
  sourceId: string | null;
  state: DatasetState;
  isPrivate: boolean;
  embargoUntil: string | null;
  /** Leave state, privacy and embargo of a dataset that is there already: people decide those. */
  keepState: boolean;
  content: DatasetContent;
  resources: (ResourceContent & { id: string })[];
}

/** A set of rows as one JSON parameter; what PostgreSQL's text can't hold is taken out. */
export function jsonParameter(value: unknown): SQL {
  const json = JSON.stringify(value);
  // JSON.stringify writes exactly NUL and half surrogate pairs as these escapes, so only a hit (also
  // a literal backslash before u) needs the second, six times slower writing.
  const isHostile = /\\u(?:0000|d[89a-f])/.test(json);
  return sql`${isHostile ? JSON.stringify(value, storableMember) : json}::text::jsonb`;
}

function storableMember(_key: string, member: unknown): unknown {
  return typeof member === 'string' ? storable(member) : member;
}

/** Text without NUL, and with U+FFFD for half a surrogate pair: PostgreSQL refuses both. */
function storable(text: string): string {
  return text
    .replaceAll('\u0000', '')
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}

/** What a dataset is found by: title, then tags and name, then description, then its resources. */
export function searchLiteral(write: DatasetWrite): string {
  const { content } = write;
  return tsvectorLiteral([
    { text: content.title, weight: 'A' },
    { text: [...content.tags, write.name].join(' , '), weight: 'B' },
    { text: content.notes, weight: 'C' },
    { text: content.openLevel === 'not_open' ? content.openCondition : '', weight: 'C' },
    { text: content.resources.map(({ name }) => name).join(' , '), weight: 'D' },
  ]);
}

/** Stores datasets with their resources, new or changed; three statements for any number of them. */
export async function writeDatasets(tx: Tx, writes: DatasetWrite[], at: Date): Promise<void> {
  if (writes.length === 0) return;
  const input = writes.map(({ content, resources, ...write }) => {
    const { resources: _, ...fields } = content;
    return {
      ...write,
      ...fields,
      formats: [...new Set(resources.map(({ format }) => format))].filter((word) => word !== ''),
      licenceId: readLicence(content.licence).id,
      search: searchLiteral({ ...write, content, resources }),
    };
  });
  await tx.execute(sql`
    insert into catalogue.datasets as d (
      id, name, organisation_id, source_id, state, is_private, embargo_until, title, notes, url,
      open_level, open_words, open_condition, is_login_required, is_application_required, frequency,
      frequency_words, subject_words, themes, tags, formats, licence, licence_id, version,
      issued, modified, extras, created_at, changed_at, search)
    select i.id, i.name, "organisationId", "sourceId", coalesce(e.state, i.state),
      coalesce(e.is_private, "isPrivate"),
      case when e.id is null then "embargoUntil" else e.embargo_until end, i.title, i.notes, i.url,
      "openLevel", "openWords", "openCondition", "isLoginRequired", "isApplicationRequired",
      i.frequency, "frequencyWords", "subjectWords", i.themes, i.tags, i.formats, i.licence,
      "licenceId", i.version, i.issued, i.modified, i.extras, ${at.toISOString()}, ${at.toISOString()}, i.search
    from jsonb_to_recordset(${jsonParameter(input)}) as i(
      id uuid, name text, "organisationId" uuid, "sourceId" uuid, state text, "isPrivate" boolean,
      "embargoUntil" timestamptz, "keepState" boolean, title text, notes text, url text, "openLevel" text,
      "openWords" text, "openCondition" text, "isLoginRequired" boolean,
      "isApplicationRequired" boolean, frequency text, "frequencyWords" text,
      "subjectWords" text[], themes text[], tags text[], formats text[], licence text,
      "licenceId" text, version text,
      issued date, modified date, extras jsonb, search tsvector)
    left join catalogue.datasets e on e.id = i.id and i."keepState"
    on conflict (id) do update set
      organisation_id = excluded.organisation_id, is_private = excluded.is_private,
      state = excluded.state, embargo_until = excluded.embargo_until, title = excluded.title,
      notes = excluded.notes, url = excluded.url, open_level = excluded.open_level,
      open_words = excluded.open_words, open_condition = excluded.open_condition,
      is_login_required = excluded.is_login_required,
      is_application_required = excluded.is_application_required, frequency = excluded.frequency,
      frequency_words = excluded.frequency_words, subject_words = excluded.subject_words,
      themes = excluded.themes, tags = excluded.tags, formats = excluded.formats,
      licence = excluded.licence, licence_id = excluded.licence_id, version = excluded.version, issued = excluded.issued,
      modified = excluded.modified, extras = excluded.extras, changed_at = excluded.changed_at,
      search = excluded.search`);
  await writeResources(tx, writes, at);
}

async function writeResources(tx: Tx, writes: DatasetWrite[], at: Date): Promise<void> {
  const input = writes.flatMap((write) =>
    write.resources.map((resource, position) => ({ ...resource, datasetId: write.id, position })),
  );
  const gone = await selectRows<{ rowTable: string | null }>(
    tx,
    sql`delete from catalogue.resources r
      using jsonb_array_elements_text(${jsonParameter(writes.map(({ id }) => id))}) as w(id)
      where r.dataset_id = w.id::uuid and not exists (
        select 1 from jsonb_array_elements_text(${jsonParameter(input.map(({ id }) => id))}) as k(id)
        where k.id::uuid = r.id)
      returning r.row_table as "rowTable"`,
  );
  for (const { rowTable } of gone) {
    if (rowTable !== null) await tx.execute(sql`select catalogue.drop_row_table(${rowTable})`);
  }
  await tx.execute(sql`
    insert into catalogue.resources as r (
      id, dataset_id, position, name, description, format, mimetype, url, created_at, changed_at)
    select id, "datasetId", position, name, description, format, mimetype, url,
      ${at.toISOString()}, ${at.toISOString()}
    from jsonb_to_recordset(${jsonParameter(input)}) as i(
      id uuid, "datasetId" uuid, position integer, name text, description text, format text,
      mimetype text, url text)
    on conflict (id) do update set
      position = excluded.position, name = excluded.name, description = excluded.description,
      format = excluded.format, mimetype = excluded.mimetype, url = excluded.url,
      changed_at = excluded.changed_at`);
}

/** An organisation to be stored; one that is there under its id gets the new words. */
export interface OrganisationWrite {
  id: string;
  name: string;
  title: string;
  description: string;
  department: string | null;
}

/** Stores organisations; a name that another one has is a unique violation. */
export async function writeOrganisations(
  tx: Tx,
  writes: OrganisationWrite[],
  at: Date,
): Promise<void> {
  if (writes.length === 0) return;
  await tx.execute(sql`
    insert into catalogue.organisations as o (
      id, name, title, description, department, created_at)
    select id, name, title, description, department, ${at.toISOString()}
    from jsonb_to_recordset(${jsonParameter(writes)}) as i(
      id uuid, name text, title text, description text, department text)
    on conflict (id) do update set
      name = excluded.name, title = excluded.title, description = excluded.description,
      department = excluded.department
    where (o.name, o.title, o.description, o.department)
      is distinct from (excluded.name, excluded.title, excluded.description, excluded.department)`);
}

/** The id behind an organisation's CKAN name. */
export async function findOrganisationId(tx: Tx, name: string): Promise<string | null> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`select id from catalogue.organisations where name = ${name}`,
  );
  return rows[0]?.id ?? null;
}

/** The id behind a dataset's CKAN name, whatever its state; locks it against other writers. */
export async function lockDatasetByName(tx: Tx, name: string): Promise<string | null> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`select id from catalogue.datasets where name = ${name} for update`,
  );
  return rows[0]?.id ?? null;
}
