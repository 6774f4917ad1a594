// CKAN's dictionaries (spec: catalogue 2.1): packages, resources, organisations, groups, tags.
import { readLicence } from './licences.ts';
import { stableUuid } from './names.ts';
import { mayReadRows, type Viewer } from './policy.ts';
import type { DatasetRow, OrganisationRow, ResourceRow } from './store-read.ts';
import { type Theme, themes } from './themes.ts';

export type PackageDict = ReturnType<typeof packageDict>;

/** An organisation as it stands inside a package and in organization_list. */
export function organisationDict(row: OrganisationRow) {
  return {
    id: row.id,
    name: row.name,
    title: row.title,
    type: 'organization',
    description: row.description,
    image_url: '',
    created: row.createdAt,
    is_organization: true,
    approval_status: 'approved',
    state: 'active',
  };
}

/** A theme as a group. */
export function groupDict(theme: Theme) {
  return {
    id: theme.id,
    name: theme.name,
    title: theme.titleZh,
    display_name: theme.titleZh,
    description: theme.titleEn,
    image_display_url: '',
  };
}

/** A tag; it has no table of its own, so its id comes from its name. */
export function tagDict(name: string) {
  return {
    id: stableUuid('tag', name),
    name,
    display_name: name,
    state: 'active',
    vocabulary_id: null,
  };
}

/** A resource; `datastore_active` says that this viewer can query its rows. */
export function resourceDict(row: ResourceRow, canReadRows: boolean, publicUrl: string) {
  const hasRows = row.rowTable !== null;
  return {
    id: row.id,
    package_id: row.datasetId,
    name: row.name,
    description: row.description,
    format: row.format,
    mimetype: row.mimetype,
    mimetype_inner: null,
    url: row.url ?? (hasRows ? `${publicUrl}/datastore/dump/${row.id}` : ''),
    url_type: hasRows ? 'datastore' : null,
    resource_type: null,
    hash: '',
    size: null,
    position: row.position,
    state: 'active',
    created: row.createdAt,
    last_modified: hasRows ? row.changedAt : null,
    metadata_modified: row.changedAt,
    cache_url: null,
    cache_last_updated: null,
    datastore_active: hasRows && canReadRows,
  };
}

/** Our own fields: top-level keys of the package, and extras for clients that only know those. */
function ownFields(row: DatasetRow) {
  return {
    open_level: row.openLevel,
    open_level_words: row.openWords,
    open_condition: row.openCondition,
    login_required: row.isLoginRequired,
    application_required: row.isApplicationRequired,
    theme: row.subjectWords,
    frequency: row.frequency,
    frequency_words: row.frequencyWords,
    issued: row.issued,
    modified: row.modified,
  };
}

function extrasOf(row: DatasetRow): { key: string; value: string }[] {
  const own = Object.entries(ownFields(row))
    .map(([key, value]): [string, string] => [
      key,
      Array.isArray(value) ? value.join(', ') : String(value ?? ''),
    ])
    .filter(([, value]) => value !== '' && value !== 'false');
  const byKey = new Map([...row.extras, ...own]);
  return [...byKey].map(([key, value]) => ({ key, value }));
}

/** A dataset as package_show tells it to this viewer. */
export function packageDict(row: DatasetRow, viewer: Viewer, publicUrl: string) {
  const licence = readLicence(row.licence);
  const canReadRows = mayReadRows(viewer, {
    openLevel: row.openLevel,
    isLoginRequired: row.isLoginRequired,
    department: row.organisation?.department ?? null,
  });
  return {
    id: row.id,
    name: row.name,
    title: row.title,
    notes: row.notes,
    type: 'dataset',
    state: row.state === 'published' ? 'active' : row.state,
    private: row.isPrivate,
    version: row.version ?? '',
    url: row.url ?? '',
    author: null,
    author_email: null,
    maintainer: null,
    maintainer_email: null,
    license_id: licence.id,
    license_title: licence.title,
    license_url: licence.url,
    isopen: licence.isOpen,
    owner_org: row.organisation?.id ?? null,
    creator_user_id: null,
    metadata_created: row.createdAt,
    metadata_modified: row.changedAt,
    ...ownFields(row),
    num_resources: row.resources.length,
    num_tags: row.tags.length,
    organization: row.organisation === null ? null : organisationDict(row.organisation),
    resources: row.resources.map((resource) => resourceDict(resource, canReadRows, publicUrl)),
    tags: row.tags.map(tagDict),
    groups: themes.filter(({ name }) => row.themes.includes(name)).map(groupDict),
    extras: extrasOf(row),
    relationships_as_subject: [],
    relationships_as_object: [],
  };
}
