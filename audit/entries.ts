// Reading the log: entries, look-ups, entry bundles.
import type { ScopedDatabase, Tx } from '../platform/index.ts';
import { listArchives } from './archive-store.ts';
import { auditErrors } from './errors.ts';
import { type Leaf, parseLeaf } from './leaf.ts';
import {
  countEntries,
  type EntryFilter,
  type EntryRow,
  findEntry,
  listEntries,
  listEntriesFrom,
  listLeaves,
} from './store.ts';
import { isTile, tileWidth } from './tiles.ts';

/** An entry of the tree. What helps to find and read it is null when there was none or it is erased. */
export interface LogEntry {
  index: number;
  /** The entry's own id; in its leaf. */
  id: string;
  at: Date;
  type: string;
  outcome: 'ok' | 'refused' | 'failed';
  code?: string;
  department: string | null;
  actor: string;
  role?: string;
  service?: string;
  legalBasis?: string;
  verification?: string;
  licence?: string;
  answerKind?: string;
  /** The exact bytes that were hashed. */
  leaf: Buffer;
  leafHash: Buffer;
  sealed: Buffer | null;
  subjectTag: Buffer | null;
  caseTag: Buffer | null;
  discloseAt: Date | null;
}

export interface EntryQuery extends EntryFilter {
  /** Continues after this entry. */
  beforeIndex?: number | undefined;
  limit: number;
}

/** Entries as the database's scope shows them: whoever has none gets bare leaves, and finds nothing. */
export function createEntries(database: ScopedDatabase) {
  return {
    /** One entry; audit.unknown_entry when the tree doesn't reach so far. */
    getEntry: (index: number): Promise<LogEntry> =>
      database.transaction((tx) => getEntry(tx, index)),

    /** How many there are, counted no further than `most`. */
    countEntries: (filter: EntryFilter, most: number): Promise<number> =>
      database.transaction((tx) => countEntries(tx, filter, most)),
    /** Up to `limit` entries from an index on, in order; none once the tree is at its end. */
    entriesFrom: (index: number, limit: number): Promise<LogEntry[]> =>
      database.transaction(async (tx) => (await listEntriesFrom(tx, index, limit)).map(toEntry)),

    /** Newest first; erased entries are in the tree but not found. */
    findEntries: ({ beforeIndex, limit, ...filter }: EntryQuery): Promise<LogEntry[]> =>
      database.transaction(async (tx) => {
        const before =
          beforeIndex === undefined
            ? undefined
            : { idx: beforeIndex, at: (await getEntry(tx, beforeIndex)).at };
        return (await listEntries(tx, filter, before, limit)).map(toEntry);
      }),
  };
}

async function getEntry(tx: Tx, index: number): Promise<LogEntry> {
  const row = Number.isSafeInteger(index) ? await findEntry(tx, index) : undefined;
  if (row) return toEntry(row);
  if (Number.isSafeInteger(index)) await refuseArchived(tx, index);
  throw auditErrors.unknown_entry('The log has no entry with this index.');
}

/** Says where an entry lies that has left the database. */
async function refuseArchived(tx: Tx, index: number): Promise<void> {
  const [archive] = await listArchives(tx, index);
  if (!archive?.droppedAt) return;
  const day = archive.droppedAt.toISOString().slice(0, 10);
  throw auditErrors.archived(
    `Entries ${archive.first} to ${archive.after - 1} were archived on ${day} in ${archive.file}, over which the checkpoint of ${archive.checkpointSize} entries was signed. Ask the operator for the file.`,
  );
}

/**
 * The first `width` leaves of entry bundle `n`, each behind its length (tlog-tiles); null when the
 * tree hasn't got them. For auditors alone: leaves tell more than their hashes.
 */
export async function entryBundle(tx: Tx, n: number, width: number): Promise<Buffer | null> {
  if (!isTile({ level: 0, n, width })) return null;
  const start = n * tileWidth;
  const leaves = await listLeaves(tx, start, start + width);
  if (leaves.length < width) {
    await refuseArchived(tx, start);
    return null;
  }
  return Buffer.concat(leaves.flatMap((leaf) => [lengthOf(leaf), leaf]));
}

function lengthOf(leaf: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(leaf.length);
  return length;
}

function toEntry(row: EntryRow): LogEntry {
  const { idx, leaf: bytes, ...rest } = row;
  const leaf = parseLeaf(bytes);
  if (!leaf) throw new Error(`Entry ${idx} of the log is not a leaf.`);
  return { index: idx, ...facts(leaf), leaf: bytes, ...rest };
}

/** What the leaf says, in the words of the house. */
function facts(leaf: Leaf) {
  return {
    id: leaf.id,
    at: new Date(leaf.at),
    type: leaf.type,
    outcome: leaf.outcome,
    department: leaf.dept,
    actor: leaf.actor,
    ...(leaf.code !== undefined && { code: leaf.code }),
    ...(leaf.role !== undefined && { role: leaf.role }),
    ...(leaf.service !== undefined && { service: leaf.service }),
    ...(leaf.basis !== undefined && { legalBasis: leaf.basis }),
    ...(leaf.verification !== undefined && { verification: leaf.verification }),
    ...(leaf.licence !== undefined && { licence: leaf.licence }),
    ...(leaf.kind !== undefined && { answerKind: leaf.kind }),
  };
}
