// The sample city's open data (contract section 2): invented datasets with rows, put in by the same
// acts that a department uses.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { DatasetInput, OrganisationInput, ResourceContent } from './dataset.ts';
import { delimitedLine } from './row-text.ts';
import type { Catalogue } from './service.ts';

const Cell = z.union([z.string(), z.number(), z.null()]);

const SampleCatalogue = z.object({
  organisations: z.array(OrganisationInput),
  datasets: z.array(
    DatasetInput.extend({
      resources: z
        .array(
          ResourceContent.extend({ columns: z.array(z.string()), rows: z.array(z.array(Cell)) }),
        )
        .default([]),
    }),
  ),
});

const defaultPath = new URL('../data/catalogue-sample.json', import.meta.url);

/** Puts the sample catalogue in; doing it again brings it back to what it was. */
export async function installSample(
  catalogue: Pick<Catalogue, 'putOrganisation' | 'putDataset' | 'loadRows'>,
  path: URL | string = defaultPath,
): Promise<{ datasets: number; rows: number }> {
  const sample = SampleCatalogue.parse(JSON.parse(await readFile(path, 'utf8')));
  for (const organisation of sample.organisations) await catalogue.putOrganisation(organisation);
  let rows = 0;
  for (const dataset of sample.datasets) {
    const { resourceIds } = await catalogue.putDataset(dataset);
    for (const [at, resource] of dataset.resources.entries()) {
      const lines = [resource.columns, ...resource.rows].map((line) => delimitedLine(line, ','));
      const { count } = await catalogue.loadRows(
        resourceIds[at] ?? '',
        Buffer.from(lines.join('')),
      );
      rows += count;
    }
  }
  return { datasets: sample.datasets.length, rows };
}
