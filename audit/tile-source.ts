// Reads tiles: full ones from their rows, parts from the leaf hashes or the roots one level below.
import type { Tx } from '../platform/index.ts';
import { findTile, listLeafHashes, listTileRoots } from './store.ts';
import { hashBytes, type ReadTile, type TileAddress, tileWidth } from './tiles.ts';

// 1,024 tiles are 8 MiB; full tiles never change. The edge and the upper levels stay in.
const keptTiles = 1024;

export interface TileSource {
  /** The first `width` hashes of a tile; undefined when the committed tree hasn't got them all. */
  find(address: TileAddress): Promise<Buffer | undefined>;
  /** The same for arithmetic that knows the hashes must be there. */
  read: ReadTile;
}

/** Tiles as the database holds them, the full ones kept in memory for a while. */
export function createTileSource(tx: Tx): TileSource {
  const kept = new Map<string, Buffer>();

  async function findFull(level: number, n: number): Promise<Buffer | undefined> {
    const key = `${level}/${n}`;
    const hit = kept.get(key);
    const hashes = hit ?? (await findTile(tx, level, n));
    if (!hashes) return undefined;
    kept.delete(key);
    kept.set(key, hashes);
    const [oldest] = kept.keys();
    if (kept.size > keptTiles && oldest !== undefined) kept.delete(oldest);
    return hashes;
  }

  async function find({ level, n, width }: TileAddress): Promise<Buffer | undefined> {
    if (width === tileWidth) return findFull(level, n);
    const hit = kept.get(`${level}/${n}`);
    if (hit) return hit.subarray(0, width * hashBytes);
    const start = n * tileWidth;
    const hashes =
      level === 0
        ? await listLeafHashes(tx, start, width)
        : await listTileRoots(tx, level - 1, start, width);
    if (hashes.length === width) return Buffer.concat(hashes);
    // The entries are archived: then their tile is full.
    return (await findFull(level, n))?.subarray(0, width * hashBytes);
  }

  return {
    find,
    read: async (address) => {
      const hashes = await find(address);
      if (hashes) return hashes;
      throw new Error(`The log lacks hashes of tile ${address.level}/${address.n}.`);
    },
  };
}
