// What a process looks at before it may sequence: the newest entries, a sample of the others, the roots
// and checkpoints over them. Bounded, so that a large log starts as fast as a small one; `yihao audit
// verify` looks at everything.
import type { Database, Ids } from '../platform/index.ts';
import type { TreeHead } from './checkpoint.ts';
import type { LogLife } from './life.ts';
import { rootOf } from './proofs.ts';
import { getHead, listCheckpoints } from './store.ts';
import { createTileCheck } from './tile-check.ts';
import { createTileSource } from './tile-source.ts';
import { tileWidth } from './tiles.ts';
import { type Fault, isSigned, lastIndexOf } from './verify.ts';

// 8,192 entries: 0.3 s on 2 cores, 1.5 s with both taken by others.
const newestTiles = 8;
const sampledTiles = 24;
const checkpointsLookedAt = 32;

export interface StartFindings {
  /** Spoilt entries, and rows that find them; the tree still says what they were. */
  entries: Fault[];
  /** Where the tree itself, its head or a checkpoint is spoilt: nothing may be built on it. */
  tree: Fault[];
}

/** Looks at a bounded part of the log; names the index of whatever is not as it was written. */
export async function checkStart(
  database: Database,
  life: LogLife,
  ids: Pick<Ids, 'int'>,
): Promise<StartFindings> {
  const { db } = database;
  const head = await getHead(db);
  const found: StartFindings = { entries: [], tree: [] };
  const inTree = (what: string, index?: number) =>
    found.tree.push(index === undefined ? { what } : { index, what });
  const source = createTileSource(db);
  const check = await createTileCheck(database, source, {
    entry: (what, index) => found.entries.push({ index, what }),
    tree: inTree,
  });
  const tree = { size: head.size, readTile: source.read };
  const derived = await rootOf(tree).catch(() => undefined);
  if (!derived?.equals(head.root)) inTree('The tiles do not give the root in the head row.');
  for (const n of chooseTiles(Math.ceil(head.size / tileWidth), ids)) {
    await check.checkEntries(n, head.size);
    if ((n + 1) * tileWidth <= head.size) await check.checkPath(n);
  }
  for (const checkpoint of await chooseCheckpoints(head.size)) await checkCheckpoint(checkpoint);
  return found;

  /** The newest and some others; all there are when they are few. */
  async function chooseCheckpoints(size: number) {
    const chosen = new Map<number, TreeHead & { note: string }>();
    const take = async (after: number, most: number) => {
      for (const one of await listCheckpoints(db, after, most)) chosen.set(one.size, one);
    };
    await take(Math.max(0, size - tileWidth), 1);
    await take(-1, checkpointsLookedAt);
    if (chosen.size < checkpointsLookedAt) return chosen.values();
    for (let at = 0; at < checkpointsLookedAt; at++) await take(ids.int(size), 1);
    return chosen.values();
  }

  async function checkCheckpoint(checkpoint: TreeHead & { note: string }): Promise<void> {
    const { size, root } = checkpoint;
    // One over more entries than there are is told of where the head is checked.
    if (size > head.size) return;
    const made = await rootOf({ size, readTile: source.read }).catch(() => undefined);
    if (!made?.equals(root)) {
      inTree(
        `The checkpoint over ${size} entries has another root than their leaves.`,
        lastIndexOf(size),
      );
    }
    if (!isSigned(checkpoint, life)) {
      inTree(
        `The checkpoint over ${size} entries is not a note signed by this log.`,
        lastIndexOf(size),
      );
    }
  }
}

/** The newest tiles and a sample of the others, in order. */
function chooseTiles(count: number, ids: Pick<Ids, 'int'>): number[] {
  const chosen = new Set<number>();
  for (let n = Math.max(0, count - newestTiles); n < count; n++) chosen.add(n);
  const most = Math.min(count, newestTiles + sampledTiles);
  while (chosen.size < most) chosen.add(ids.int(count));
  return [...chosen].sort((a, b) => a - b);
}
