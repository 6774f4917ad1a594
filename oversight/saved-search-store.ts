// SQL over oversight.saved_searches.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { timeText } from './sql-pieces.ts';

export interface SavedSearchRow {
  id: string;
  owner: string;
  organisation: string;
  isShared: boolean;
  personId: string | null;
  searchSealed: Buffer;
  savedAt: string;
  lastRunAt: string | null;
}

const searches = sql`
  select s.id, s.owner, s.organisation_id as organisation, s.is_shared as "isShared",
    s.person_id as "personId", s.search_sealed as "searchSealed",
    ${timeText(sql`s.saved_at`)} as "savedAt", ${timeText(sql`s.last_run_at`)} as "lastRunAt"
  from oversight.saved_searches s`;

export async function insertSavedSearch(
  tx: Tx,
  row: Omit<SavedSearchRow, 'savedAt' | 'lastRunAt'>,
): Promise<void> {
  await tx.execute(sql`
    insert into oversight.saved_searches (id, owner, organisation_id, is_shared, person_id,
      search_sealed, saved_at)
    values (${row.id}, ${row.owner}, ${row.organisation}, ${row.isShared}, ${row.personId},
      ${row.searchSealed}, platform.now())`);
}

/** Whose searches somebody sees: her own, and those shared in her house. */
export interface Viewer {
  account: string;
  organisation: string;
}

const seenBy = ({ account, organisation }: Viewer) =>
  sql`s.organisation_id = ${organisation} and (s.owner = ${account} or s.is_shared)`;

export async function findSavedSearch(
  tx: Tx,
  id: string,
  viewer: Viewer,
): Promise<SavedSearchRow | undefined> {
  const [row] = await selectRows<SavedSearchRow>(
    tx,
    sql`${searches} where s.id = ${id} and ${seenBy(viewer)}`,
  );
  return row;
}

/** Latest first. */
export function listSavedSearches(
  tx: Tx,
  viewer: Viewer,
  page: { beforeId?: string | undefined; limit: number },
): Promise<SavedSearchRow[]> {
  const before = page.beforeId === undefined ? sql`` : sql`and s.id < ${page.beforeId}`;
  return selectRows<SavedSearchRow>(
    tx,
    sql`${searches} where ${seenBy(viewer)} ${before} order by s.id desc limit ${page.limit}`,
  );
}

export async function noteRun(tx: Tx, id: string): Promise<void> {
  await tx.execute(
    sql`update oversight.saved_searches set last_run_at = platform.now() where id = ${id}`,
  );
}

export async function deleteSavedSearch(tx: Tx, id: string): Promise<void> {
  await tx.execute(sql`delete from oversight.saved_searches where id = ${id}`);
}

/** The ids of searches for a person: what kept responses speak of. */
export async function savedSearchesAbout(tx: Tx, personId: string): Promise<string[]> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`select id from oversight.saved_searches where person_id = ${personId}`,
  );
  return rows.map(({ id }) => id);
}

/** An erased person is looked for no more. */
export async function forgetSavedSearches(tx: Tx, personId: string): Promise<void> {
  await tx.execute(sql`delete from oversight.saved_searches where person_id = ${personId}`);
}
