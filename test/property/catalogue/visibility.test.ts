// Who may know of a dataset, over all states, privacies, embargoes and viewers: one rule, every read.
import { beforeAll, describe, expect, test } from 'vitest';
import { datasetStates } from '../../../catalogue/dataset.ts';
import { anyone, type DatasetInput, type Viewer } from '../../../catalogue/index.ts';
import { AppError } from '../../../platform/index.ts';
import { catalogueOn } from '../../integration/catalogue/setup.ts';
import { withDatabase } from '../../support/database.ts';

const { database, setClockOffset } = withDatabase();
const { catalogue } = catalogueOn(database);

const day = 24 * 3600 * 1000;
const embargoes = {
  none: null,
  past: new Date(Date.now() - day).toISOString(),
  coming: new Date(Date.now() + day).toISOString(),
};

interface Case {
  name: string;
  input: DatasetInput;
  isListed: boolean;
  resourceId: string;
}

const cases: Case[] = datasetStates.flatMap((state) =>
  [false, true].flatMap((isPrivate) =>
    Object.entries(embargoes).map(([embargo, embargoUntil]) => {
      const name = `${state}-${isPrivate ? 'private' : 'public'}-${embargo}`;
      return {
        name,
        isListed: state === 'published' && !isPrivate && embargo !== 'coming',
        resourceId: '',
        input: {
          name,
          organisation: 'owner',
          title: `目录 ${name}`,
          openLevel: 'unconditional',
          state,
          isPrivate,
          embargoUntil,
          tags: [name],
          resources: [{ name: `表 ${name}`, format: 'CSV' }],
        },
      };
    }),
  ),
);

const officer = (organisationId: string, role: 'steward' | 'desk'): Viewer => ({
  kind: 'officer',
  organisationId,
  roles: [role],
});
const viewers: [string, Viewer, boolean][] = [
  ['anyone', anyone, false],
  ['a citizen', { kind: 'citizen', organisationId: null, roles: [] }, false],
  ['a department’s system', { kind: 'client', organisationId: 'owner', roles: [] }, false],
  ['an officer of the department', officer('owner', 'desk'), false],
  ['another department’s steward', officer('other', 'steward'), false],
  ['the department’s steward', officer('owner', 'steward'), true],
];

beforeAll(async () => {
  await catalogue.putOrganisation({ name: 'owner', title: '甲局', department: 'owner' });
  for (const each of cases) {
    const { resourceIds } = await catalogue.putDataset(each.input);
    each.resourceId = resourceIds[0] ?? '';
    await catalogue.loadRows(each.resourceId, Buffer.from('a\nrow\n'));
  }
});

const listedNames = () =>
  cases
    .filter(({ isListed }) => isListed)
    .map(({ name }) => name)
    .sort();

describe.each(viewers)('%s', (_, viewer, isSteward) => {
  test('finds only what is listed, in lists, search, counts, facets, tags and resources', async () => {
    const expected = listedNames();
    expect(await catalogue.packageList(viewer)).toEqual(expected);
    const found = await catalogue.packageSearch(viewer, {
      q: '目录',
      rows: 1000,
      'facet.field': ['tags', 'organization'],
    });
    expect(found.results.map(({ name }) => name).sort()).toEqual(expected);
    expect(found.count).toBe(expected.length);
    expect(Object.keys(found.facets.tags ?? {}).sort()).toEqual(expected);
    expect(found.facets.organization).toEqual({ owner: expected.length });
    expect((await catalogue.tagList(viewer)).sort()).toEqual(expected);
    const shown = await catalogue.organizationShow(viewer, { id: 'owner', include_datasets: true });
    expect(shown.package_count).toBe(expected.length);
    const { count } = await catalogue.resourceSearch(viewer, { query: 'name:表' });
    expect(count).toBe(expected.length);
    const typed = await catalogue.packageAutocomplete(viewer, { q: '目录', limit: 100 });
    expect(typed.map(({ name }) => name).sort()).toEqual(expected);
  });

  test('is shown by name what is listed, and to its steward what isn’t yet', async () => {
    for (const { name, isListed, resourceId } of cases) {
      const expected = isListed || isSteward ? 'shown' : 'refused';
      const reads = [
        catalogue.packageShow(viewer, { id: name }),
        catalogue.resourceShow(viewer, { id: resourceId }),
        catalogue.datastoreSearch(viewer, { resource_id: resourceId }),
        catalogue.datastoreInfo(viewer, { id: resourceId }),
        catalogue.openRows(viewer, resourceId),
      ];
      for (const read of await Promise.allSettled(reads)) {
        const isNotFound =
          read.status === 'rejected' &&
          read.reason instanceof AppError &&
          read.reason.kind === 'not_found';
        const outcome =
          read.status === 'fulfilled' ? 'shown' : isNotFound ? 'refused' : read.reason;
        expect([name, outcome]).toEqual([name, expected]);
      }
    }
  });
});

test('an embargo ends by the database’s clock, with nobody doing anything', async () => {
  const name = 'published-public-coming';
  expect(await catalogue.packageList(anyone)).not.toContain(name);
  await setClockOffset(2 * day);
  expect(await catalogue.packageList(anyone)).toContain(name);
  await setClockOffset(0);
});

test('a dataset that isn’t opened tells title and reason, and is found by nothing else', async () => {
  await catalogue.putDataset({
    name: 'closed',
    organisation: 'owner',
    title: '管线图',
    notes: '含坐标细节',
    openLevel: 'not_open',
    openCondition: '涉及安全',
    state: 'published',
    tags: ['秘密标签'],
    resources: [{ name: '坐标', format: 'SHP' }],
  });
  const count = async (q: string) => (await catalogue.packageSearch(anyone, { q })).count;
  expect(await Promise.all(['管线', '涉及安全', '细节', '秘密', '坐标'].map(count))).toEqual([
    1, 1, 0, 0, 0,
  ]);
  expect(await catalogue.tagList(anyone)).not.toContain('秘密标签');
  expect(await catalogue.packageShow(anyone, { id: 'closed' })).toMatchObject({
    title: '管线图',
    notes: '',
    open_condition: '涉及安全',
    resources: [],
    tags: [],
  });
});
