-- catalogue: what data there is, who may see it, where it was harvested from, and the rows of tables.
create schema catalogue;
grant usage on schema catalogue to :"app";

create table catalogue.organisations (
  id uuid primary key,
  name text not null unique check (name ~ '^[a-z0-9_-]{2,100}$'),
  title text not null check (title <> ''),
  description text not null,
  -- The organisation's id in identity; null for a publisher that only a harvest knows.
  department text,
  created_at timestamptz(3) not null
);
create index organisations_department on catalogue.organisations (department)
  where department is not null;
grant select, insert, update on catalogue.organisations to :"app";

create table catalogue.harvest_sources (
  id uuid primary key,
  -- Its identity: a URL, a path, or the name an operator gave it.
  location text not null unique,
  -- Who harvests it now, and until when another has to keep off.
  leased_by uuid,
  leased_until timestamptz(3),
  created_at timestamptz(3) not null,
  check ((leased_by is null) = (leased_until is null))
);
grant select, insert, update on catalogue.harvest_sources to :"app";

create table catalogue.datasets (
  id uuid primary key,
  name text not null unique check (name ~ '^[a-z0-9_-]{2,100}$'),
  organisation_id uuid references catalogue.organisations,
  source_id uuid references catalogue.harvest_sources,
  state text not null check (state in ('draft', 'review', 'published', 'withdrawn')),
  is_private boolean not null,
  embargo_until timestamptz(3),
  title text not null check (title <> ''),
  notes text not null,
  url text,
  open_level text check (open_level in ('unconditional', 'conditional', 'not_open')),
  open_words text not null,
  open_condition text not null,
  is_login_required boolean not null,
  is_application_required boolean not null,
  frequency text,
  frequency_words text not null,
  subject_words text[] not null,
  themes text[] not null,
  tags text[] not null,
  formats text[] not null,
  -- The source's words or link, and the entry of the licence list they stand for.
  licence text,
  licence_id text not null,
  version text,
  issued date,
  modified date,
  extras jsonb not null check (jsonb_typeof(extras) = 'array'),
  created_at timestamptz(3) not null,
  changed_at timestamptz(3) not null,
  -- Written by the application: bigrams need no dictionary and no extension.
  search tsvector not null
);
-- Without a pending list: after a harvest a search read all of it (358 pages, 11 ms instead of 0.3).
create index datasets_search on catalogue.datasets using gin (search) with (fastupdate = off);
create index datasets_tags on catalogue.datasets using gin (tags) with (fastupdate = off);
create index datasets_organisation on catalogue.datasets (organisation_id);
create index datasets_recent on catalogue.datasets (changed_at desc, id)
  where state = 'published' and not is_private;
-- No delete: a dataset that went is withdrawn, and its name stays taken.
grant select, insert, update on catalogue.datasets to :"app";

create table catalogue.resources (
  id uuid primary key,
  dataset_id uuid not null references catalogue.datasets,
  position integer not null check (position >= 0),
  name text not null,
  description text not null,
  format text not null,
  mimetype text,
  url text,
  created_at timestamptz(3) not null,
  changed_at timestamptz(3) not null,
  -- The table in catalogue_rows with its rows, their cached number and their columns.
  row_table text unique,
  row_count bigint,
  row_fields jsonb,
  check ((row_table is null) = (row_count is null) and (row_table is null) = (row_fields is null))
);
create index resources_dataset on catalogue.resources (dataset_id, position);
grant select, insert, update, delete on catalogue.resources to :"app";

create table catalogue.harvest_jobs (
  id uuid primary key,
  source_id uuid not null references catalogue.harvest_sources,
  state text not null check (state in ('applying', 'done', 'partial', 'held', 'failed')),
  format text not null,
  started_at timestamptz(3) not null,
  ended_at timestamptz(3),
  added integer not null,
  changed integer not null,
  unchanged integer not null,
  deleted integer not null,
  duplicates integer not null,
  errors jsonb not null
);
create index harvest_jobs_source on catalogue.harvest_jobs (source_id, started_at desc);
grant select, insert, update on catalogue.harvest_jobs to :"app";

-- One row for each record of a source; the hash tells without a write that nothing changed.
create table catalogue.harvest_records (
  source_id uuid not null references catalogue.harvest_sources,
  key text not null,
  -- Tells records apart whose source gives them nothing else to be told apart by.
  ordinal integer not null check (ordinal >= 1),
  dataset_id uuid not null unique references catalogue.datasets,
  hash text not null,
  is_deleted boolean not null,
  primary key (source_id, key, ordinal)
);
grant select, insert, update on catalogue.harvest_records to :"app";

-- Rows of tabular resources: one real table each (catalogue/README.md says why). The app role can't
-- define anything; these functions make and drop exactly this kind of table for it, and no other.
create schema catalogue_rows;
grant usage on schema catalogue_rows to :"app";
alter default privileges in schema catalogue_rows grant select, insert on tables to :"app";

create function catalogue.make_row_table(table_name text, column_types text[]) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  columns text := '';
begin
  if table_name !~ '^r_[0-9a-f]{32}_[0-9a-f]{8}$' then
    raise exception 'not a name of a row table: %', table_name;
  end if;
  if coalesce(cardinality(column_types), 0) not between 1 and 500 then
    raise exception 'a row table has 1 to 500 columns';
  end if;
  for i in 1 .. cardinality(column_types) loop
    if column_types[i] not in ('text', 'numeric', 'date', 'timestamp', 'bool') then
      raise exception 'not a type of a row table: %', column_types[i];
    end if;
    columns := columns || format('c%s %s, ', i, column_types[i]);
  end loop;
  execute format(
    'create table catalogue_rows.%I (_id bigint primary key, %s _search tsvector)',
    table_name, columns);
end $$;

create function catalogue.index_row_table(table_name text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if table_name !~ '^r_[0-9a-f]{32}_[0-9a-f]{8}$' then
    raise exception 'not a name of a row table: %', table_name;
  end if;
  execute format('create index on catalogue_rows.%I using gin (_search)', table_name);
  execute format('analyze catalogue_rows.%I', table_name);
end $$;

create function catalogue.drop_row_table(table_name text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if table_name !~ '^r_[0-9a-f]{32}_[0-9a-f]{8}$' then
    raise exception 'not a name of a row table: %', table_name;
  end if;
  execute format('drop table catalogue_rows.%I', table_name);
end $$;

revoke all on function catalogue.make_row_table, catalogue.index_row_table, catalogue.drop_row_table
  from public;
grant execute on function
  catalogue.make_row_table, catalogue.index_row_table, catalogue.drop_row_table to :"app";
