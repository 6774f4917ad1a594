// Binds the acts of the catalogue to what they use.
import type { Clock, Database, Ids, Logger } from '../platform/index.ts';
import { ckanActions } from './ckan-actions.ts';
import { harvestActs } from './harvest.ts';
import { publishActs } from './publish.ts';
import { packageActs } from './read-packages.ts';
import { publisherActs } from './read-publishers.ts';
import { rowActs } from './read-rows.ts';

export interface CatalogueDeps {
  database: Database;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  publicUrl: string;
  /** What the site calls itself to CKAN's clients. */
  siteTitle?: string;
}

export type Catalogue = ReturnType<typeof createCatalogue>;

/** The catalogue's acts. Reads take the viewer first and show only what the policy lets it know. */
export function createCatalogue(deps: CatalogueDeps) {
  const publicUrl = deps.publicUrl.replace(/\/+$/, '');
  const siteTitle = deps.siteTitle ?? '一号 · 公共数据开放目录';
  const acts = {
    ...packageActs({ ...deps, publicUrl }),
    ...publisherActs({ ...deps, publicUrl, siteTitle }),
    ...rowActs(deps),
  };
  return {
    ...acts,
    ...publishActs(deps),
    ...harvestActs(deps),
    /** CKAN's actions by their names, for its API. */
    actions: ckanActions(acts),
    publicUrl,
  };
}
