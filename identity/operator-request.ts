// What one operator asks about an officer and another decides: a role, or the end of lost passkeys.
import type { RoleRequestState } from './role-request.ts';

/** What was asked, and what became of it. */
export interface OperatorRequest {
  id: string;
  officer: string;
  organisation: string;
  reason: string;
  state: RoleRequestState;
  requestedBy: string;
  requestedAt: string;
  decidedBy: string | null;
  decidedAt: string | null;
}

/** What the rows of such requests have in common. */
interface RequestRow {
  id: string;
  officerKey: string;
  organisationId: string;
  reason: string;
  state: RoleRequestState;
  requestedByKey: string;
  requestedAt: number | string;
  decidedByKey: string | null;
  decidedAt: number | string | null;
}

export function asOperatorRequest(row: RequestRow): OperatorRequest {
  const { id, reason, state, decidedAt } = row;
  return {
    id,
    officer: row.officerKey,
    organisation: row.organisationId,
    reason,
    state,
    requestedBy: row.requestedByKey,
    requestedAt: new Date(row.requestedAt).toISOString(),
    decidedBy: row.decidedByKey,
    decidedAt: decidedAt === null ? null : new Date(decidedAt).toISOString(),
  };
}

export interface RequestsQuery {
  state?: RoleRequestState | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The id of a request as it was given; whatever can't be one is refused as one that isn't there. */
export function requestIdOf(text: string, missing: () => Error): string {
  if (!UUID.test(text)) throw missing();
  return text;
}

/** One page, newest first, out of what the store finds. */
export async function pageOfRequests<Row, Item extends OperatorRequest>(
  { state, limit = 50, cursor }: RequestsQuery,
  missing: () => Error,
  find: (page: {
    state: RoleRequestState | undefined;
    beforeId: string | undefined;
    limit: number;
  }) => Promise<Row[]>,
  asItem: (row: Row) => Item,
): Promise<{ items: Item[]; nextCursor: string | null }> {
  const beforeId = cursor === undefined ? undefined : requestIdOf(cursor, missing);
  const rows = await find({ state, beforeId, limit: limit + 1 });
  const items = rows.slice(0, limit).map(asItem);
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}
