// The one rule in SQL that every read of datasets goes through: `d` are datasets, `o` their
// organisations (left joined). Nothing else in this room decides what is visible.
import { type SQL, sql } from 'drizzle-orm';
import { stewardedDepartment, type Viewer } from './policy.ts';

/** Datasets with their organisations, under the names that `visibleTo` uses. */
export const datasetsWithOrganisations = sql`catalogue.datasets d
  left join catalogue.organisations o on o.id = d.organisation_id`;

/**
 * The condition under which a viewer may know of a dataset. `listed` is for lists, search, counts,
 * facets, tags: published, public and past its embargo by the database's clock, whoever asks.
 * `shown` is for one dataset by its name: its department's stewards also see what isn't public yet.
 */
export function visibleTo(viewer: Viewer, reading: 'listed' | 'shown'): SQL {
  const isPublic = sql`(d.state = 'published' and not d.is_private
    and (d.embargo_until is null or d.embargo_until <= platform.now()))`;
  const department = reading === 'shown' ? stewardedDepartment(viewer) : null;
  return department === null
    ? isPublic
    : sql`(${isPublic} or coalesce(o.department = ${department}, false))`;
}
