// CKAN's read actions by name (spec: catalogue 2.1): what each does, and the act that does it.
import { type ActionInput, CkanParameters } from './ckan-parameters.ts';
import { catalogueErrors } from './errors.ts';
import type { Viewer } from './policy.ts';
import type { packageActs } from './read-packages.ts';
import type { publisherActs } from './read-publishers.ts';
import type { rowActs } from './read-rows.ts';
import { delimitedText } from './row-text.ts';

type Acts = ReturnType<typeof packageActs> &
  ReturnType<typeof publisherActs> &
  Pick<ReturnType<typeof rowActs>, 'datastoreSearch' | 'datastoreInfo'>;

interface Action {
  help: string;
  run(viewer: Viewer, input: ActionInput): Promise<unknown>;
}

/** The actions over the acts; `run` refuses a name that isn't there. */
export function ckanActions(acts: Acts) {
  const actions = new Map<string, Action>(
    Object.entries({
      status_show: {
        help: 'Return a dictionary with information about the site.',
        run: acts.statusShow,
      },
      package_list: {
        help: 'Return a list of the names of the site’s datasets. Parameters: limit, offset.',
        run: acts.packageList,
      },
      package_show: {
        help: 'Return the metadata of a dataset and its resources. Parameters: id (id or name).',
        run: acts.packageShow,
      },
      package_search: {
        help: 'Search for datasets. Parameters: q, fq, fq_list, rows, start, sort, facet, facet.field, facet.limit, facet.mincount.',
        run: async (viewer: Viewer, input: ActionInput) =>
          chosenFields(await acts.packageSearch(viewer, input), input),
      },
      package_autocomplete: {
        help: 'Return datasets whose names or titles contain a string. Parameters: q, limit.',
        run: acts.packageAutocomplete,
      },
      resource_show: {
        help: 'Return the metadata of a resource. Parameters: id.',
        run: acts.resourceShow,
      },
      resource_search: {
        help: 'Search for resources. Parameters: query (field:term), limit, offset.',
        run: acts.resourceSearch,
      },
      organization_list: {
        help: 'Return the organizations. Parameters: q, sort, limit, offset, all_fields.',
        run: acts.organizationList,
      },
      organization_show: {
        help: 'Return the details of an organization. Parameters: id (id or name), include_datasets.',
        run: acts.organizationShow,
      },
      group_list: {
        help: 'Return the groups, which are the catalogue’s themes. Parameters: q, sort, limit, offset, all_fields.',
        run: acts.groupList,
      },
      group_show: {
        help: 'Return the details of a group. Parameters: id (id or name), include_datasets.',
        run: acts.groupShow,
      },
      tag_list: {
        help: 'Return the tags in use. Parameters: query, all_fields.',
        run: acts.tagList,
      },
      license_list: { help: 'Return the licenses available for datasets.', run: acts.licenseList },
      datastore_search: {
        help: 'Search rows of a resource. Parameters: resource_id, filters, q, distinct, limit, offset, fields, sort, include_total, records_format, include_next_page.',
        run: (viewer: Viewer, input: ActionInput) => searchRows(acts, viewer, input),
      },
      datastore_info: {
        help: 'Return the columns of a resource and its size. Parameters: id.',
        run: acts.datastoreInfo,
      },
      help_show: {
        help: 'Return the help string for an action. Parameters: name.',
        run: async (_viewer: Viewer, input: ActionInput) => showHelp(input),
      },
    }),
  );

  function showHelp(input: ActionInput): string {
    const parameters = new CkanParameters(input);
    const name = parameters.required('name');
    parameters.check();
    const action = actions.get(name);
    if (!action) throw catalogueErrors.group_not_found(`There is no action ${name.slice(0, 100)}.`);
    return action.help;
  }

  return {
    isAction: (name: string): boolean => actions.has(name),
    /** Runs an action on what the client sent, as it came. */
    async run(viewer: Viewer, name: string, input: ActionInput): Promise<unknown> {
      const action = actions.get(name);
      if (!action) throw catalogueErrors.action_not_found(`Action name not known: ${name}`);
      return action.run(viewer, input);
    },
  };
}

/** `fl`: only these keys of each package. */
function chosenFields(
  result: Awaited<ReturnType<Acts['packageSearch']>>,
  input: ActionInput,
): unknown {
  const keys = new CkanParameters(input).texts('fl', 'commas');
  if (keys.length === 0 || keys.includes('*')) return result;
  return {
    ...result,
    results: result.results.map((found) =>
      Object.fromEntries(Object.entries(found).filter(([key]) => keys.includes(key))),
    ),
  };
}

const recordsFormats = ['objects', 'lists', 'csv', 'tsv'] as const;

/** datastore_search as CKAN answers it: the parameters again, the rows in the asked form, links. */
async function searchRows(acts: Acts, viewer: Viewer, input: ActionInput): Promise<unknown> {
  const parameters = new CkanParameters(input);
  const asked = parameters.text('records_format') || 'objects';
  const format = recordsFormats.find((each) => each === asked);
  if (!format) parameters.fault('records_format', 'Must be objects, lists, csv or tsv');
  parameters.check();
  const { records, fields, limit, offset, ...rest } = await acts.datastoreSearch(viewer, input);
  const columns = fields.map(({ id }) => id);
  const echoed = ['q', 'filters', 'sort', 'distinct'].filter((key) => Object.hasOwn(input, key));
  return {
    include_total: parameters.flag('include_total', true),
    limit,
    offset,
    ...Object.fromEntries(echoed.map((key) => [key, input[key]])),
    records_format: format,
    ...rest,
    fields,
    records: recordsAs(format ?? 'objects', records, columns),
    _links: {
      start: rowsLink(input, 0),
      next: rowsLink(input, offset + limit),
    },
  };
}

function recordsAs(
  format: (typeof recordsFormats)[number],
  records: Awaited<ReturnType<Acts['datastoreSearch']>>['records'],
  columns: readonly string[],
): unknown {
  if (format === 'objects') return records;
  if (format === 'lists') return records.map((record) => columns.map((column) => record[column]));
  return delimitedText(records, columns, format === 'csv' ? ',' : '\t');
}

function rowsLink(input: ActionInput, offset: number): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(input)) {
    if (key === 'offset' || value === null || value === undefined) continue;
    query.set(key, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  if (offset > 0) query.set('offset', String(offset));
  return `/api/3/action/datastore_search?${query}`;
}
