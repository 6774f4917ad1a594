// The integrity check: every leaf is hashed again and held against its stored hash, the tiles, its
// look-up row, the checkpoints and the head. Faults are named, never thrown.
import type { Database } from '../platform/index.ts';
import type { TreeHead } from './checkpoint.ts';
import { type LogLife, openOfLife } from './life.ts';
import { type CompactRange, createCompactRange } from './merkle-tree.ts';
import { rootOf } from './proofs.ts';
import { findLastIndex, getHead, listCheckpoints } from './store.ts';
import { createTileCheck } from './tile-check.ts';
import { createTileSource, type TileSource } from './tile-source.ts';
import { hashSubtrees, tileWidth } from './tiles.ts';

/** Something that is not as it was written; of an entry, or of the log as a whole. */
export interface Fault {
  index?: number;
  what: string;
}

export interface VerifyReport {
  ok: boolean;
  /** Entries looked at. */
  checked: number;
  /** Of these, how many lie in archive files: their hashes were checked, not their leaves. */
  archived: number;
  /** Entries in the tree when the check began. */
  size: number;
  /** The root over them, base64 as in a checkpoint. */
  root: string;
  /** The first thousand. */
  faults: Fault[];
}

export interface VerifyOptions {
  /** First index; the check begins with the tile that holds it. */
  from?: number | undefined;
  /** Index after the last one. */
  to?: number | undefined;
  onProgress?: ((checked: number, of: number) => void) | undefined;
}

const mostFaults = 1000;
const checkpointsAtOnce = 500;

/** Checks the entries of a range and all that vouches for them. */
export async function verifyLog(
  database: Database,
  life: LogLife,
  { from = 0, to = Number.MAX_SAFE_INTEGER, onProgress }: VerifyOptions,
): Promise<VerifyReport> {
  const { db } = database;
  const head = await getHead(db);
  const source = createTileSource(db);
  const faults: Fault[] = [];
  const report = (what: string, index?: number) => {
    if (faults.length < mostFaults) faults.push(index === undefined ? { what } : { index, what });
  };
  const firstTile = Math.floor(Math.min(from, head.size) / tileWidth);
  const start = firstTile * tileWidth;
  const end = Math.min(to, head.size);
  let checked = 0;
  let archived = 0;

  try {
    await checkHeadRow(database, head, source, report);
    const check = await createTileCheck(database, source, { entry: report, tree: report });
    const tree = { size: head.size, readTile: source.read };
    const range = createCompactRange(start, await hashSubtrees({ start: 0, end: start }, tree));
    // The first of all is over no entry.
    const checkCheckpoint = await checkpointsFrom(start === 0 ? -1 : start);
    await checkCheckpoint(range);
    for (let n = firstTile; n * tileWidth < end; n++) {
      if (check.isArchived(n * tileWidth)) archived += tileWidth;
      for (const hash of await check.checkEntries(n, end)) {
        range.append(hash);
        await checkCheckpoint(range);
        checked++;
      }
      if ((n + 1) * tileWidth <= head.size) await check.checkTiles(n);
      onProgress?.(checked, end - start);
    }
    if (range.size === head.size && !range.root().equals(head.root)) {
      report('The leaves do not give the root in the head row.');
    }
  } catch (error) {
    report(`The check could not go on: ${error instanceof Error ? error.message : String(error)}`);
  }
  const root = head.root.toString('base64');
  return { ok: faults.length === 0, checked, archived, size: head.size, root, faults };

  /** Holds each signed checkpoint against the tree when it has grown to its size. */
  async function checkpointsFrom(after: number): Promise<(range: CompactRange) => Promise<void>> {
    let waiting = await listCheckpoints(db, after, checkpointsAtOnce);
    return async ({ size, root }) => {
      const [next] = waiting;
      if (next?.size !== size) return;
      waiting = waiting.slice(1);
      if (waiting.length === 0) waiting = await listCheckpoints(db, size, checkpointsAtOnce);
      if (!next.root.equals(root())) {
        report(
          `The checkpoint over ${size} entries has another root than their leaves.`,
          lastIndexOf(size),
        );
      }
      if (!isSigned(next, life)) {
        report(
          `The checkpoint over ${size} entries is not a note signed by this log.`,
          lastIndexOf(size),
        );
      }
    };
  }
}

type Report = (what: string, index?: number) => void;

async function checkHeadRow(
  { db }: Database,
  head: TreeHead,
  source: TileSource,
  report: Report,
): Promise<void> {
  const [beyond] = await listCheckpoints(db, head.size, 1);
  if (beyond)
    report(`A checkpoint over ${beyond.size} entries was signed; the head row has fewer.`);
  const lastIndex = await findLastIndex(db);
  // Entries sequenced since are behind a newer head.
  const newest = await getHead(db);
  if (lastIndex >= newest.size) report('There is an entry beyond the head row.', lastIndex);
  const tree = { size: head.size, readTile: source.read };
  // A missing tile is one of the faults: it is named when its turn comes.
  const derived = await rootOf(tree).catch(() => undefined);
  if (!derived?.equals(head.root)) report('The tiles do not give the root in the head row.');
}

/** The last index that a tree of this size has. */
export function lastIndexOf(size: number): number | undefined {
  return size === 0 ? undefined : size - 1;
}

/** Is the note one that a key of the log's life signed, over this size and root? */
export function isSigned(checkpoint: TreeHead & { note: string }, life: LogLife): boolean {
  try {
    const { size, root } = openOfLife(checkpoint.note, life);
    return size === checkpoint.size && root.equals(checkpoint.root);
  } catch {
    return false;
  }
}
