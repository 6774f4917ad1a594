// The integrity check: every leaf is hashed again and held against its stored hash, the tiles, its
// look-up row, the checkpoints and the head. Faults are named, never thrown.
import { type Database, systemScope } from '../platform/index.ts';
import type { TreeHead } from './checkpoint.ts';
import { parseLeaf, sealedDigest } from './leaf.ts';
import { type LogLife, openOfLife } from './life.ts';
import { type CompactRange, createCompactRange, leafHash, treeHash } from './merkle-tree.ts';
import { rootOf } from './proofs.ts';
import {
  type CheckedRow,
  findIndexes,
  findLastIndex,
  getHead,
  listCheckpoints,
  listRange,
  listTileRoots,
} from './store.ts';
import { createTileSource, type TileSource } from './tile-source.ts';
import { hashSubtrees, splitHashes, tileWidth } from './tiles.ts';

/** Something that is not as it was written; of an entry, or of the log as a whole. */
export interface Fault {
  index?: number;
  what: string;
}

export interface VerifyReport {
  ok: boolean;
  /** Entries looked at. */
  checked: number;
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
  // What can't be seen can't be held against its leaf: all look-ups are in sight.
  const house = database.as(systemScope);
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

  try {
    await checkHeadRow(database, head, source, report);
    const tree = { size: head.size, readTile: source.read };
    const range = createCompactRange(start, await hashSubtrees({ start: 0, end: start }, tree));
    const checkCheckpoint = await checkpointsFrom(start);
    for (let n = firstTile; n * tileWidth < end; n++) {
      const tile = await source.find({ level: 0, n, width: tileWidth });
      const hashes = await checkEntries(n, tile && splitHashes(tile));
      for (const hash of hashes) {
        range.append(hash);
        await checkCheckpoint(range);
        checked++;
      }
      if (tile) await checkTiles(n);
      else if ((n + 1) * tileWidth <= head.size) report(`Tile 0/${n} is missing.`, n * tileWidth);
      onProgress?.(checked, end - start);
    }
    if (range.size === head.size && !range.root().equals(head.root)) {
      report('The leaves do not give the root in the head row.');
    }
  } catch (error) {
    report(`The check could not go on: ${error instanceof Error ? error.message : String(error)}`);
  }
  const root = head.root.toString('base64');
  return { ok: faults.length === 0, checked, size: head.size, root, faults };

  /** The hashes the entries of tile `n` ought to have; faults where leaf, stored hash and tile part. */
  async function checkEntries(n: number, tile: Buffer[] | undefined): Promise<Buffer[]> {
    const first = n * tileWidth;
    const last = Math.min(first + tileWidth, end);
    const listed = await house.transaction((tx) => listRange(tx, first, last));
    const rows = new Map(listed.map((row) => [row.idx, row]));
    const found = [...rows.values()].map((row) => ({ row, leaf: parseLeaf(row.leaf) }));
    const indexes = await findIndexes(
      db,
      found.flatMap(({ leaf }) => leaf?.id ?? []),
    );
    for (const { row, leaf } of found) {
      for (const what of checkRow(row, leaf)) report(what, row.idx);
      if (leaf && indexes.get(leaf.id) !== row.idx) {
        report('Its stage id leads to another entry or to none.', row.idx);
      }
    }
    return Array.from({ length: last - first }, (_, at) => {
      const row = rows.get(first + at);
      const inTile = tile?.[at];
      if (!row) {
        report('The entry is missing.', first + at);
        return inTile ?? Buffer.alloc(32);
      }
      const made = leafHash(row.leaf);
      const isStored = made.equals(row.leafHash);
      const isInTile = !inTile || made.equals(inTile);
      if (!isStored) report('The leaf does not have the hash stored beside it.', row.idx);
      if (!isInTile) report('The leaf does not have the hash in its tile.', row.idx);
      // Two of three are believed, so that one spoilt value is one fault and not thousands.
      return !isStored && inTile?.equals(row.leafHash) ? inTile : made;
    });
  }

  /** Tile `n` of the leaves, and every tile above that ends with it. */
  async function checkTiles(n: number): Promise<void> {
    let span = tileWidth;
    for (let level = 0; ((n + 1) * tileWidth) % span === 0; level++) {
      const at = ((n + 1) * tileWidth) / span - 1;
      const hashes = await source.read({ level, n: at, width: tileWidth });
      const [root] = await listTileRoots(db, level, at, 1);
      if (!root?.equals(treeHash(splitHashes(hashes)))) {
        report(`The root beside tile ${level}/${at} is not that of its hashes.`, at * span);
      }
      const below = level && (await listTileRoots(db, level - 1, at * tileWidth, tileWidth));
      if (below && !Buffer.concat(below).equals(hashes)) {
        report(`Tile ${level}/${at} does not hold the roots of the tiles below.`, at * span);
      }
      span *= tileWidth;
    }
  }

  /** Holds each signed checkpoint against the tree when it has grown to its size. */
  async function checkpointsFrom(after: number): Promise<(range: CompactRange) => Promise<void>> {
    let waiting = await listCheckpoints(db, after, checkpointsAtOnce);
    return async ({ size, root }) => {
      const [next] = waiting;
      if (next?.size !== size) return;
      waiting = waiting.slice(1);
      if (waiting.length === 0) waiting = await listCheckpoints(db, size, checkpointsAtOnce);
      if (!next.root.equals(root())) {
        report(`The checkpoint over ${size} entries has another root than their leaves.`, size - 1);
      }
      if (!isSigned(next, life)) {
        report(`The checkpoint over ${size} entries is not a note signed by this log.`, size - 1);
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
  const last = await findLastIndex(db);
  // Entries sequenced since are behind a newer head.
  const newest = await getHead(db);
  if (last >= newest.size) report('There is an entry beyond the head row.', last);
  const tree = { size: head.size, readTile: source.read };
  // A missing tile is one of the faults: it is named when its turn comes.
  const derived = await rootOf(tree).catch(() => undefined);
  if (!derived?.equals(head.root)) report('The tiles do not give the root in the head row.');
}

function isSigned(checkpoint: TreeHead & { note: string }, life: LogLife): boolean {
  try {
    const { size, root } = openOfLife(checkpoint.note, life);
    return size === checkpoint.size && root.equals(checkpoint.root);
  } catch {
    return false;
  }
}

/** Where the row that finds an entry says something else than its leaf. Erased rows say nothing. */
function checkRow({ lookup }: CheckedRow, leaf: ReturnType<typeof parseLeaf>): string[] {
  if (!leaf) return ['The stored bytes are not a leaf.'];
  if (!lookup) return [];
  const pairs = {
    time: [leaf.at, lookup.at.toISOString()],
    type: [leaf.type, lookup.type],
    outcome: [leaf.outcome, lookup.outcome],
    department: [leaf.dept, lookup.department],
    actor: [leaf.actor, lookup.actor],
    service: [leaf.service ?? null, lookup.service],
    sealed: [lookup.sealed && leaf.ct, lookup.sealed && sealedDigest(lookup.sealed)],
  };
  return Object.entries(pairs)
    .filter(([, [inLeaf, inRow]]) => inLeaf !== inRow)
    .map(([name]) => `Its look-up row has another ${name} than the leaf.`);
}
