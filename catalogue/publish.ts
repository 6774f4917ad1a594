// Putting organisations, datasets and rows into the catalogue. Review by a second person comes before
// this in the publishing flow; here the state is what the caller says.
import type { z } from 'zod';
import { type Clock, type Database, type Ids, isUniqueViolation } from '../platform/index.ts';
import { DatasetContent, DatasetInput, OrganisationInput, tellable } from './dataset.ts';
import { catalogueErrors } from './errors.ts';
import { stableUuid } from './names.ts';
import { readRowTable } from './row-table.ts';
import {
  findOrganisationId,
  lockDatasetByName,
  writeDatasets,
  writeOrganisations,
} from './store-datasets.ts';
import type { RowField } from './store-read.ts';
import { attachRowTable, createRowTable, findResource } from './store-rows.ts';

export interface PublishDeps {
  database: Database;
  clock: Clock;
  ids: Ids;
}

export interface PutDataset {
  id: string;
  name: string;
  /** In the order they were given. */
  resourceIds: string[];
}

export interface LoadedRows {
  fields: RowField[];
  count: number;
}

/** The acts of publishing. */
export function publishActs({ database, clock, ids }: PublishDeps) {
  return {
    /** Stores an organisation of the catalogue under its name, new or changed. */
    async putOrganisation(input: OrganisationInput): Promise<{ id: string }> {
      const organisation = parse(OrganisationInput, input);
      return database.transaction(async (tx) => {
        const known = await findOrganisationId(tx, organisation.name);
        const id = known ?? ids.uuid();
        await writeOrganisations(tx, [{ ...organisation, id }], clock.now());
        return { id };
      });
    },

    /**
     * Stores a dataset under its name, new or changed whole. A resource keeps its id as long as its
     * name, format and link stay. Of data that isn't opened only title and reason are kept.
     */
    async putDataset(input: DatasetInput): Promise<PutDataset> {
      const { name, organisation, state, isPrivate, embargoUntil, ...rest } = parse(
        DatasetInput,
        input,
      );
      const content = tellable(DatasetContent.parse(rest));
      try {
        return await database.transaction(async (tx) => {
          const organisationId = await findOrganisationId(tx, organisation);
          if (organisationId === null) {
            throw catalogueErrors.organisation_not_found(
              `There is no organisation ${organisation}: put it first.`,
            );
          }
          const id = (await lockDatasetByName(tx, name)) ?? ids.uuid();
          const resources = identified(id, content.resources);
          const sourceId = null;
          const write = { id, name, organisationId, sourceId, state, isPrivate, embargoUntil };
          await writeDatasets(
            tx,
            [{ ...write, keepState: false, content, resources }],
            clock.now(),
          );
          return { id, name, resourceIds: resources.map((resource) => resource.id) };
        });
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        throw catalogueErrors.name_taken(`The name ${name} was taken in this moment: try again.`);
      }
    },

    /**
     * Replaces the rows of a resource by those of a CSV table: readers see the old rows or the new,
     * nothing between. One uneven row refuses the whole table.
     */
    async loadRows(resourceId: string, csv: Uint8Array): Promise<LoadedRows> {
      const table = readRowTable(csv);
      const name = `r_${resourceId.replaceAll('-', '')}_${ids.bytes(4).toString('hex')}`;
      const count = table.rows.length;
      await database.transaction(async (tx) => {
        if (!(await findResource(tx, resourceId))) {
          throw catalogueErrors.resource_not_found('There is no such resource.');
        }
        await createRowTable(tx, name, table);
        const attached = { name, fields: table.fields, count };
        await attachRowTable(tx, resourceId, attached, clock.now());
      });
      return { fields: table.fields, count };
    },
  };
}

/** Resources with ids that come from what they are, so that a new version of the dataset keeps them. */
export function identified<Resource extends { name: string; format: string; url: string | null }>(
  datasetId: string,
  resources: readonly Resource[],
): (Resource & { id: string })[] {
  const seen = new Map<string, number>();
  return resources.map((resource) => {
    const marks = [datasetId, resource.name, resource.format, resource.url ?? ''];
    const nth = (seen.get(JSON.stringify(marks)) ?? 0) + 1;
    seen.set(JSON.stringify(marks), nth);
    return { ...resource, id: stableUuid(...marks, String(nth)) };
  });
}

function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw catalogueErrors.dataset_invalid('The description is not acceptable.', {
    fields: parsed.error.issues.map(({ path, message }) => ({
      pointer: `/${path.map(String).join('/')}`,
      detail: message,
    })),
  });
}
