// Checks of one tile's worth of the log: the entries under it, and its place in the tree.
import { type Database, systemScope } from '../platform/index.ts';
import { listArchives } from './archive-store.ts';
import { parseLeaf, sealedDigest } from './leaf.ts';
import { leafHash, treeHash } from './merkle-tree.ts';
import { type CheckedRow, findIndexes, listRange, listTileRoots } from './store.ts';
import type { TileSource } from './tile-source.ts';
import { hashBytes, splitHashes, tileWidth } from './tiles.ts';

/** Where what was found goes. */
export interface Findings {
  /** An entry or what finds it is spoilt; the tree still says what it was. */
  entry(what: string, index: number): void;
  /** The tree itself is spoilt. */
  tree(what: string, index?: number): void;
}

/** Checks over the tree as it was when `source` was made; knows which ranges are archived. */
export async function createTileCheck(database: Database, source: TileSource, found: Findings) {
  const { db } = database;
  // What can't be seen can't be held against its leaf: all look-ups are in sight.
  const house = database.as(systemScope);
  const archives = (await listArchives(db)).filter(({ droppedAt }) => droppedAt !== null);
  const isArchived = (index: number) =>
    archives.some(({ first, after }) => index >= first && index < after);

  /**
   * The hashes the entries of tile `n` ought to have, those before `end`; finds where leaf, stored hash
   * and tile part. Of an archived range the tile alone speaks.
   */
  async function checkEntries(n: number, end: number): Promise<Buffer[]> {
    const first = n * tileWidth;
    const last = Math.min(first + tileWidth, end);
    const whole = await source.find({ level: 0, n, width: tileWidth });
    const tile = whole && splitHashes(whole);
    if (isArchived(first)) return tile ?? missingTile(last - first);
    const listed = await house.transaction((tx) => listRange(tx, first, last));
    const rows = new Map(listed.map((row) => [row.idx, row]));
    await checkRows(listed);
    return Array.from({ length: last - first }, (_, at) => {
      const row = rows.get(first + at);
      const inTile = tile?.[at];
      if (row) return checkHashes(row, inTile);
      found.entry('The entry is missing.', first + at);
      return inTile ?? Buffer.alloc(hashBytes);
    });
  }

  async function checkRows(rows: readonly CheckedRow[]): Promise<void> {
    const parsed = rows.map((row) => ({ row, leaf: parseLeaf(row.leaf) }));
    const indexes = await findIndexes(
      db,
      parsed.flatMap(({ leaf }) => leaf?.id ?? []),
    );
    for (const { row, leaf } of parsed) {
      for (const what of checkRow(row, leaf)) found.entry(what, row.idx);
      if (leaf && indexes.get(leaf.id) !== row.idx) {
        found.entry('Its stage id leads to another entry or to none.', row.idx);
      }
    }
  }

  function checkHashes(row: CheckedRow, inTile: Buffer | undefined): Buffer {
    const made = leafHash(row.leaf);
    const isStored = made.equals(row.leafHash);
    const isInTile = !inTile || made.equals(inTile);
    if (!isStored) found.entry('The leaf does not have the hash stored beside it.', row.idx);
    if (!isInTile) {
      const what = 'The leaf does not have the hash in its tile.';
      // Two of three are believed: here leaf and stored hash, against the tile.
      if (isStored) found.tree(what, row.idx);
      else found.entry(what, row.idx);
    }
    // So that one spoilt value is one fault and not thousands.
    return !isStored && inTile?.equals(row.leafHash) ? inTile : made;
  }

  /** Tile `n` of the leaves, and every tile above that ends with it. */
  async function checkTiles(n: number): Promise<void> {
    let span = tileWidth;
    for (let level = 0; ((n + 1) * tileWidth) % span === 0; level++) {
      await checkTile(level, ((n + 1) * tileWidth) / span - 1);
      span *= tileWidth;
    }
  }

  /** Full tile `n` of the leaves, and every full tile above it. */
  async function checkPath(n: number): Promise<void> {
    let at = n;
    for (let level = 0; level === 0 || (await hasTile(level, at)); level++) {
      await checkTile(level, at);
      at = Math.floor(at / tileWidth);
    }
  }

  const hasTile = async (level: number, n: number): Promise<boolean> =>
    (await source.find({ level, n, width: tileWidth })) !== undefined;

  async function checkTile(level: number, n: number): Promise<void> {
    const first = n * tileWidth ** (level + 1);
    const hashes = await source.find({ level, n, width: tileWidth });
    if (!hashes) {
      found.tree(`Tile ${level}/${n} is missing.`, first);
      return;
    }
    const [root] = await listTileRoots(db, level, n, 1);
    if (!root?.equals(treeHash(splitHashes(hashes)))) {
      found.tree(`The root beside tile ${level}/${n} is not that of its hashes.`, first);
    }
    const below = level && (await listTileRoots(db, level - 1, n * tileWidth, tileWidth));
    if (below && !Buffer.concat(below).equals(hashes)) {
      found.tree(`Tile ${level}/${n} does not hold the roots of the tiles below.`, first);
    }
  }

  return { checkEntries, checkTiles, checkPath, isArchived };
}

function missingTile(width: number): Buffer[] {
  return Array.from({ length: width }, () => Buffer.alloc(hashBytes));
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
