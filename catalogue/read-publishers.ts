// Organisations, groups (our themes), tags and licences in CKAN's read API, and the site's status.
import type { Database } from '../platform/index.ts';
import { type ActionInput, CkanParameters } from './ckan-parameters.ts';
import { catalogueErrors } from './errors.ts';
import { dataLicences } from './licences.ts';
import { groupDict, organisationDict, packageDict, tagDict } from './package-dict.ts';
import type { Viewer } from './policy.ts';
import { countThemes, listOrganisations, listTags, readListed } from './store-read.ts';
import { searchDatasets } from './store-search.ts';
import { themes } from './themes.ts';

export interface PublisherDeps {
  database: Database;
  publicUrl: string;
  siteTitle: string;
}

/** CKAN's caps: names in one answer, and whole dictionaries. */
const maxNames = 1000;
const maxWhole = 25;
const maxPackages = 1000;

interface Listed {
  name: string;
  title: string;
  package_count: number;
}

/** The acts of reading who publishes and about what. */
export function publisherActs({ database, publicUrl, siteTitle }: PublisherDeps) {
  const { db } = database;

  async function organisations(viewer: Viewer, idOrName: string | null = null) {
    const rows = await listOrganisations(db, viewer, idOrName);
    return rows.map((row) => ({
      ...organisationDict(row),
      display_name: row.title,
      image_display_url: '',
      package_count: row.count,
      num_followers: 0,
    }));
  }

  async function groups(viewer: Viewer) {
    const counts = await countThemes(db, viewer);
    return themes.map((theme) => ({
      ...groupDict(theme),
      type: 'group',
      is_organization: false,
      approval_status: 'approved',
      state: 'active',
      image_url: '',
      package_count: counts.get(theme.name) ?? 0,
      num_followers: 0,
    }));
  }

  async function packagesOf(viewer: Viewer, filter: string, isAsked: boolean) {
    if (!isAsked) return {};
    const { ids } = await searchDatasets(db, viewer, {
      query: '',
      filters: [filter],
      sort: [{ key: 'metadata_modified', isDescending: true }],
      rows: maxPackages,
      start: 0,
      facets: [],
      facetLimit: 0,
      facetMinCount: 1,
    });
    const rows = await readListed(db, ids);
    return { packages: rows.map((row) => packageDict(row, viewer, publicUrl)) };
  }

  return {
    statusShow: async () => ({
      site_title: siteTitle,
      site_description: '',
      site_url: publicUrl,
      error_emails_to: null,
      locale_default: 'zh_CN',
      extensions: ['datastore'],
      // The release whose read API this one follows.
      ckan_version: '2.11.0',
    }),

    /** Organisations with listed datasets and the city's own, as names or whole. */
    organizationList: async (viewer: Viewer, input: ActionInput = {}) =>
      page(await organisations(viewer), new CkanParameters(input)),

    async organizationShow(viewer: Viewer, input: ActionInput) {
      const { id, includesDatasets } = readShow(input);
      const [found] = await organisations(viewer, id);
      if (!found) throw catalogueErrors.organisation_not_found('There is no such organisation.');
      const packages = await packagesOf(viewer, `organization:${found.name}`, includesDatasets);
      return { ...found, ...packages, users: [], tags: [], extras: [], groups: [] };
    },

    /** Our eight themes. */
    groupList: async (viewer: Viewer, input: ActionInput = {}) =>
      page(await groups(viewer), new CkanParameters(input)),

    async groupShow(viewer: Viewer, input: ActionInput) {
      const { id, includesDatasets } = readShow(input);
      const found = (await groups(viewer)).find((group) => group.id === id || group.name === id);
      if (!found) throw catalogueErrors.group_not_found('There is no such group.');
      const packages = await packagesOf(viewer, `groups:${found.name}`, includesDatasets);
      return { ...found, ...packages, users: [], tags: [], extras: [], groups: [] };
    },

    /** Tags of listed datasets; there are no vocabularies. */
    async tagList(viewer: Viewer, input: ActionInput = {}) {
      const parameters = new CkanParameters(input);
      const part = parameters.text('query');
      const isWhole = parameters.flag('all_fields', false);
      const vocabulary = parameters.text('vocabulary_id');
      parameters.check();
      if (vocabulary !== '') throw catalogueErrors.group_not_found('There is no such vocabulary.');
      const tags = await listTags(db, viewer, part);
      return tags.map(({ name }) => (isWhole ? tagDict(name) : name));
    },

    licenseList: async () =>
      dataLicences.map((licence) => ({
        id: licence.id,
        title: licence.title,
        url: licence.url,
        status: 'active',
        domain_data: true,
        domain_content: licence.isOpen,
        domain_software: false,
        family: '',
        is_generic: !licence.isOpen,
        is_okd_compliant: licence.isOpen,
        is_osi_compliant: false,
        maintainer: '',
        od_conformance: licence.isOpen ? 'approved' : 'not reviewed',
        osd_conformance: 'not reviewed',
      })),
  };
}

function readShow(input: ActionInput): { id: string; includesDatasets: boolean } {
  const parameters = new CkanParameters(input);
  const id = parameters.required('id');
  const includesDatasets = parameters.flag('include_datasets', false);
  parameters.check();
  return { id, includesDatasets };
}

/** organization_list and group_list: sorted, filtered, paged; names, or whole when asked. */
function page<Item extends Listed>(items: Item[], parameters: CkanParameters): (string | Item)[] {
  const isWhole = parameters.flag('all_fields', false);
  const cap = isWhole ? maxWhole : maxNames;
  const limit = parameters.natural('limit', cap, cap);
  const offset = parameters.natural('offset', 0, Number.MAX_SAFE_INTEGER);
  const part = parameters.text('q').toLowerCase();
  const chosen = parameters.texts('organizations').concat(parameters.texts('groups'));
  const [key = 'title', direction = 'asc'] = (parameters.text('sort') || 'title asc').split(/\s+/);
  if (!['name', 'title', 'package_count'].includes(key) || !/^(asc|desc)$/.test(direction)) {
    parameters.fault('sort', 'Must be name, title or package_count, asc or desc');
  }
  parameters.check();
  const sign = direction === 'desc' ? -1 : 1;
  const found = items
    .filter(({ name, title }) => `${name}\n${title}`.toLowerCase().includes(part))
    .filter(({ name }) => chosen.length === 0 || chosen.includes(name))
    .sort((a, b) => sign * compare(a, b, key))
    .slice(offset, offset + limit);
  return isWhole ? found : found.map(({ name }) => name);
}

const chinese = new Intl.Collator('zh');

function compare(a: Listed, b: Listed, key: string): number {
  if (key === 'package_count') return a.package_count - b.package_count;
  return key === 'name' ? (a.name < b.name ? -1 : 1) : chinese.compare(a.title, b.title);
}
