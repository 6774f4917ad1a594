// Who may see what, the half that needs no database; store-policy.ts says the same in SQL.
import type { Actor } from '../identity/index.ts';
import type { OpenLevel } from './open-level.ts';

/** The reader of the catalogue: an Actor fits. */
export type Viewer = Pick<Actor, 'kind' | 'organisationId' | 'roles'>;

/** Anyone at all: the CKAN API's caller, and the caller of every JSONP answer. */
export const anyone: Viewer = { kind: 'anonymous', organisationId: null, roles: [] };

/** The department whose datasets this viewer looks after; null for everybody else. */
export function stewardedDepartment(viewer: Viewer): string | null {
  return viewer.kind === 'officer' && viewer.roles.includes('steward')
    ? viewer.organisationId
    : null;
}

/** What decides about the rows of a dataset that is visible already. */
export interface RowGate {
  openLevel: OpenLevel | null;
  isLoginRequired: boolean;
  department: string | null;
}

/**
 * Rows are read where the department opened them without a condition; where the source's words are
 * unclear they stay closed. Its own steward may always check them.
 */
export function mayReadRows(viewer: Viewer, gate: RowGate): boolean {
  const department = stewardedDepartment(viewer);
  if (department !== null && department === gate.department) return true;
  if (gate.openLevel !== 'unconditional') return false;
  return !gate.isLoginRequired || viewer.kind !== 'anonymous';
}
