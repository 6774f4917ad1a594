// SQL over oversight.integrity_runs.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { timeText } from './sql-pieces.ts';

/** Something that is not as it was written; of an entry, or of the log as a whole. */
export type IntegrityFault = { index?: number; what: string };

export interface RunRow {
  id: string;
  state: 'running' | 'done' | 'cancelled';
  requestedBy: string;
  requestedAt: string;
  from: number;
  to: number;
  next: number;
  checked: number;
  root: string | null;
  faults: IntegrityFault[];
  endedAt: string | null;
}

/** Of more faults than these nobody learns more. */
const MOST_FAULTS = 1000;

const runs = sql`
  select r.id, r.state, r.requested_by as "requestedBy", ${timeText(sql`r.requested_at`)} as "requestedAt",
    r.from_index::float8 as "from", r.to_index::float8 as "to", r.next_index::float8 as next,
    r.checked::float8 as checked, r.root, r.faults, ${timeText(sql`r.ended_at`)} as "endedAt"
  from oversight.integrity_runs r`;

export async function insertRun(
  tx: Tx,
  { id, requestedBy, from, to }: Pick<RunRow, 'id' | 'requestedBy' | 'from' | 'to'>,
): Promise<void> {
  await tx.execute(sql`
    insert into oversight.integrity_runs (id, requested_by, requested_at, from_index, to_index, next_index)
    values (${id}, ${requestedBy}, platform.now(), ${from}, ${to}, ${from})`);
}

export async function findRun(tx: Tx, id: string): Promise<RunRow | undefined> {
  const [row] = await selectRows<RunRow>(tx, sql`${runs} where r.id = ${id}`);
  return row;
}

/** Latest first. */
export function listRuns(
  tx: Tx,
  { beforeId, limit }: { beforeId?: string | undefined; limit: number },
): Promise<RunRow[]> {
  const before = beforeId === undefined ? sql`` : sql`where r.id < ${beforeId}`;
  return selectRows<RunRow>(tx, sql`${runs} ${before} order by r.id desc limit ${limit}`);
}

export async function listRunning(tx: Tx): Promise<string[]> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`select id from oversight.integrity_runs where state = 'running' order by id limit 20`,
  );
  return rows.map(({ id }) => id);
}

/** Notes a piece that was checked, if the run still stands where it began. */
export async function addChecked(
  tx: Tx,
  piece: {
    id: string;
    from: number;
    to: number;
    faults: IntegrityFault[];
    root: string;
    isDone: boolean;
  },
): Promise<void> {
  const { id, from, to, root, isDone } = piece;
  const faults = JSON.stringify(piece.faults.slice(0, MOST_FAULTS));
  await tx.execute(sql`
    update oversight.integrity_runs set next_index = ${to}::bigint,
      checked = checked + ${to - from}::bigint, root = ${root},
      faults = case when jsonb_array_length(faults) < ${MOST_FAULTS} then faults || ${faults}::text::jsonb
        else faults end,
      state = case when ${isDone}::boolean then 'done' else state end,
      ended_at = case when ${isDone}::boolean then platform.now() end
    where id = ${id} and state = 'running' and next_index = ${from}::bigint`);
}

/** False when it had ended. */
export async function cancelRun(tx: Tx, id: string): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`update oversight.integrity_runs set state = 'cancelled', ended_at = platform.now()
      where id = ${id} and state = 'running' returning id`,
  );
  return rows.length > 0;
}
