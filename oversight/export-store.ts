// SQL over oversight.exports, their sealed parts and the people in them.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { timeText } from './sql-pieces.ts';

export const EXPORT_STATES = [
  'requested',
  'refused',
  'running',
  'ready',
  'failed',
  'expired',
  'withdrawn',
] as const;
export type ExportState = (typeof EXPORT_STATES)[number];

export interface ExportRow {
  id: string;
  state: ExportState;
  personId: string | null;
  /** Conditions and reason; null once it ran out. */
  requestSealed: Buffer | null;
  requestedBy: string;
  organisation: string;
  requestedAt: string;
  decidedBy: string | null;
  decidedAt: string | null;
  checkpoint: string | null;
  treeSize: number | null;
  afterIndex: number | null;
  total: number | null;
  done: number;
  parts: number;
  bytes: number;
  chain: Buffer | null;
  manifestStage: string | null;
  failure: string | null;
  readyAt: string | null;
  expiresAt: string | null;
  isOver: boolean;
}

const exports = sql`
  select e.id, e.state, e.person_id as "personId", e.request_sealed as "requestSealed",
    e.requested_by as "requestedBy", e.organisation_id as organisation,
    ${timeText(sql`e.requested_at`)} as "requestedAt", e.decided_by as "decidedBy",
    ${timeText(sql`e.decided_at`)} as "decidedAt", e.checkpoint,
    e.tree_size::float8 as "treeSize", e.after_index::float8 as "afterIndex", e.total, e.done,
    e.parts, e.bytes::float8 as bytes, e.chain, e.manifest_stage as "manifestStage", e.failure,
    ${timeText(sql`e.ready_at`)} as "readyAt", ${timeText(sql`e.expires_at`)} as "expiresAt",
    coalesce(e.expires_at <= platform.now(), false) as "isOver"
  from oversight.exports e`;

export async function insertExport(
  tx: Tx,
  row: {
    id: string;
    personId: string | null;
    requestSealed: Buffer;
    requestedBy: string;
    organisation: string;
  },
): Promise<void> {
  await tx.execute(sql`
    insert into oversight.exports (id, person_id, request_sealed, requested_by, organisation_id,
      requested_at)
    values (${row.id}, ${row.personId}, ${row.requestSealed}, ${row.requestedBy},
      ${row.organisation}, platform.now())`);
}

export async function findExport(tx: Tx, id: string): Promise<ExportRow | undefined> {
  const [row] = await selectRows<ExportRow>(tx, sql`${exports} where e.id = ${id}`);
  return row;
}

/** Held until the transaction ends. */
export async function lockExport(tx: Tx, id: string): Promise<ExportRow | undefined> {
  const [row] = await selectRows<ExportRow>(tx, sql`${exports} where e.id = ${id} for update of e`);
  return row;
}

/** The same, unless another process has it in hand. */
export async function takeExport(tx: Tx, id: string): Promise<ExportRow | undefined> {
  const [row] = await selectRows<ExportRow>(
    tx,
    sql`${exports} where e.id = ${id} and e.state = 'running' for update of e skip locked`,
  );
  return row;
}

/** Latest first. */
export function listExports(
  tx: Tx,
  page: { beforeId?: string | undefined; limit: number },
): Promise<ExportRow[]> {
  const before = page.beforeId === undefined ? sql`` : sql`where e.id < ${page.beforeId}`;
  return selectRows<ExportRow>(
    tx,
    sql`${exports} ${before} order by e.id desc limit ${page.limit}`,
  );
}

export async function decideExport(
  tx: Tx,
  decision: { id: string; state: 'running' | 'refused'; by: string; treeSize: number },
): Promise<void> {
  const { id, state, by, treeSize } = decision;
  await tx.execute(sql`
    update oversight.exports set state = ${state}, decided_by = ${by},
      decided_at = platform.now(), tree_size = ${treeSize}
    where id = ${id} and state = 'requested'`);
}

/** Exports being written, oldest first. */
export async function listRunning(tx: Tx): Promise<string[]> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`select id from oversight.exports where state = 'running' order by id limit 20`,
  );
  return rows.map(({ id }) => id);
}

/** The tree its proofs are of, and how many entries it will hold. */
export async function beginExport(
  tx: Tx,
  id: string,
  start: { checkpoint: string; treeSize: number; total: number },
): Promise<void> {
  const { checkpoint, treeSize, total } = start;
  await tx.execute(sql`
    update oversight.exports set checkpoint = ${checkpoint}, tree_size = ${treeSize}, total = ${total}
    where id = ${id}`);
}

/** One more part, and how far the file is with it. */
export async function addPart(
  tx: Tx,
  { id, parts }: Pick<ExportRow, 'id' | 'parts'>,
  part: {
    sealed: Buffer;
    people: readonly string[];
    entries: number;
    bytes: number;
    chain: Buffer;
    afterIndex: number | null;
  },
): Promise<void> {
  await tx.execute(sql`
    insert into oversight.export_parts (export_id, n, sealed) values (${id}, ${parts}, ${part.sealed})`);
  if (part.people.length > 0) {
    await tx.execute(sql`
      insert into oversight.export_people (export_id, person_id)
      select ${id}, p.id from unnest(${sql.param([...part.people])}::uuid[]) as p(id)
      on conflict do nothing`);
  }
  await tx.execute(sql`
    update oversight.exports set parts = parts + 1, done = done + ${part.entries}::int,
      bytes = bytes + ${part.bytes}::int, chain = ${part.chain},
      after_index = coalesce(${part.afterIndex}::bigint, after_index)
    where id = ${id}`);
}

/** The staged entry that commits to the whole. */
export async function setManifestStage(tx: Tx, id: string, stageId: string): Promise<void> {
  await tx.execute(sql`update oversight.exports set manifest_stage = ${stageId} where id = ${id}`);
}

export async function completeExport(tx: Tx, id: string, keptDays: number): Promise<void> {
  await tx.execute(sql`
    update oversight.exports set state = 'ready', ready_at = platform.now(),
      expires_at = platform.now() + make_interval(days => ${keptDays}::int)
    where id = ${id}`);
}

export async function failExport(tx: Tx, id: string, failure: string): Promise<void> {
  await tx.execute(sql`delete from oversight.export_parts where export_id = ${id}`);
  await tx.execute(sql`delete from oversight.export_people where export_id = ${id}`);
  await tx.execute(sql`
    update oversight.exports set state = 'failed', failure = ${failure} where id = ${id}`);
}

export async function findPart(tx: Tx, id: string, n: number): Promise<Buffer | undefined> {
  const [row] = await selectRows<{ sealed: Buffer }>(
    tx,
    sql`select sealed from oversight.export_parts where export_id = ${id} and n = ${n}`,
  );
  return row?.sealed;
}

/** Takes away the files that ran out, and what they were asked for. */
export async function expireExports(tx: Tx): Promise<void> {
  const over = sql`select id from oversight.exports
    where state = 'ready' and expires_at <= platform.now() order by id limit 20`;
  await tx.execute(sql`delete from oversight.export_parts where export_id in (${over})`);
  await tx.execute(sql`delete from oversight.export_people where export_id in (${over})`);
  await tx.execute(sql`
    update oversight.exports set state = 'expired', request_sealed = null where id in (${over})`);
}

/** The ids of exports that look for a person: what kept responses speak of. */
export async function exportsAbout(tx: Tx, personId: string): Promise<string[]> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`select id from oversight.exports where person_id = ${personId}`,
  );
  return rows.map(({ id }) => id);
}

/** Takes away every file that holds an entry about a person, and every export that looks for her. */
export async function withdrawExports(tx: Tx, personId: string): Promise<void> {
  const hers = sql`select id from oversight.exports where person_id = ${personId}
    union select export_id from oversight.export_people where person_id = ${personId}`;
  // The part that is just being written would come afterwards.
  await tx.execute(
    sql`select id from oversight.exports where id in (${hers}) order by id for update`,
  );
  await tx.execute(sql`
    update oversight.exports set state = 'withdrawn', request_sealed = null, failure = null,
      decided_by = coalesce(decided_by, 'system'), decided_at = coalesce(decided_at, platform.now())
    where id in (${hers}) and state <> 'refused'`);
  await tx.execute(sql`
    update oversight.exports set request_sealed = null
    where id in (${hers}) and state = 'refused'`);
  await tx.execute(sql`delete from oversight.export_parts where export_id in (${hers})`);
  await tx.execute(sql`delete from oversight.export_people where export_id in (
    select export_id from oversight.export_people where person_id = ${personId})`);
}
