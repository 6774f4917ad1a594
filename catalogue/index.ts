// The face of catalogue: datasets, their rows, harvests, and CKAN's read API over them.
export type { ActionInput } from './ckan-parameters.ts';
export type { DatasetInput, OrganisationInput } from './dataset.ts';
export { catalogueErrors } from './errors.ts';
export type { HarvestInput, HarvestReport } from './harvest.ts';
export { harvestExitCode, harvestLines } from './harvest-lines.ts';
export type { PackageDict } from './package-dict.ts';
export { anyone, type Viewer } from './policy.ts';
export type { PackageSearchResult } from './read-packages.ts';
export type { DatastoreSearchResult } from './read-rows.ts';
export { delimitedLine, delimitedText } from './row-text.ts';
export { installSample } from './sample.ts';
export { type Catalogue, type CatalogueDeps, createCatalogue } from './service.ts';
