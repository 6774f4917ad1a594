// The log's statements about itself: every role reads them, the log role adds one.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { type LogLife, readLife } from './life.ts';
import type { StagedRow } from './store.ts';

async function listNotes(tx: Tx, after: number): Promise<string[]> {
  const rows = await selectRows<{ note: string }>(
    tx,
    sql`select note from audit.statements where number > ${after} order by number`,
  );
  return rows.map(({ note }) => note);
}

export type Lives = ReturnType<typeof createLives>;

/** The life of the log as the database tells it. Statements never change, so each is checked once. */
export function createLives(firstVkey: string) {
  let last = readLife(firstVkey, []);
  return {
    /** As it is now. */
    async read(tx: Tx): Promise<LogLife> {
      const more = await listNotes(tx, last.notes.length);
      if (more.length > 0) last = readLife(firstVkey, [...last.notes, ...more]);
      return last;
    },
    /** As it was when last read. */
    last: () => last,
  };
}

/** Adds a statement; false when another was added first. */
export async function insertStatement(
  tx: Tx,
  { number, note, at }: { number: number; note: string; at: Date },
): Promise<boolean> {
  const rows = await tx.execute(sql`
    insert into audit.statements (number, note, signed_at)
    values (${number}, ${note}, ${at.toISOString()}::timestamptz)
    on conflict do nothing returning number`);
  return Array.isArray(rows) && rows.length === 1;
}

/** Holds the head row until the transaction ends: the tree doesn't grow meanwhile. Returns its size. */
export async function holdHead(tx: Tx): Promise<number> {
  const [row] = await selectRows<{ size: number }>(
    tx,
    sql`select size::float8 as size from audit.head where id = 1 for update`,
  );
  return row?.size ?? 0;
}

/** Stages an entry, of no subject and no case, before all that wait. */
export async function insertStagedFirst(tx: Tx, row: StagedRow): Promise<void> {
  await tx.execute(sql`
    insert into audit.stage (seq, id, leaf, at, type, outcome, department, actor)
    overriding system value
    select least(coalesce(min(seq), 1), 1) - 1, ${row.id}::uuid, convert_to(${row.leaf}, 'UTF8'),
      ${row.at.toISOString()}::timestamptz, ${row.type}, ${row.outcome}, ${row.department}, ${row.actor}
    from audit.stage`);
}
