// C2SP tlog-tiles: how the hashes of the tree are cut into tiles of 256, and read back from them.
import { foldRight, type LeafRange, perfectSubtrees, treeHash } from './merkle-tree.ts';

export const tileWidth = 256;
export const hashBytes = 32;

/** A tile, or the first `width` hashes of one. */
export interface TileAddress {
  level: number;
  n: number;
  width: number;
}

/** Gives the first `width` hashes of a tile as one buffer. */
export type ReadTile = (address: TileAddress) => Promise<Buffer>;

/** `<L>/<N>[.p/<W>]`, N in groups of three digits, all but the last with an x. */
export function tilePath({ level, n, width }: TileAddress): string {
  const partial = width === tileWidth ? '' : `.p/${width}`;
  return `${level}/${tileNumber(n)}${partial}`;
}

function tileNumber(n: number): string {
  const digits = String(n);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  return groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/');
}

/** The tile `path` names; undefined for any other text than the one tilePath gives. */
export function parseTilePath(path: string): TileAddress | undefined {
  const match = /^(\d{1,2})\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (!match?.[2]) return undefined;
  const address = {
    level: Number(match[1]),
    n: Number(match[2].replaceAll(/[x/]/g, '')),
    width: match[3] === undefined ? tileWidth : Number(match[3]),
  };
  const isCanonical = isTile(address) && tilePath(address) === path;
  return isCanonical ? address : undefined;
}

/** Whether such a tile can be: levels 0 to 6 hold every tree below 2^53 leaves; no tile is empty. */
export function isTile({ level, n, width }: TileAddress): boolean {
  return (
    Number.isSafeInteger(level) &&
    level >= 0 &&
    level <= 6 &&
    Number.isSafeInteger(n) &&
    n >= 0 &&
    Number.isSafeInteger(width) &&
    width >= 1 &&
    width <= tileWidth
  );
}

/** How many hashes tile `n` of `level` has in a tree of `size` leaves; 0 when there is none. */
export function widthInTree(level: number, n: number, size: number): number {
  const hashes = Math.floor(size / tileWidth ** level) - n * tileWidth;
  return Math.max(0, Math.min(tileWidth, hashes));
}

/** The tiles of a tree of `size` leaves, as a way to read them. */
export interface TiledTree {
  size: number;
  readTile: ReadTile;
}

/** The root over the leaves of `range`, computed from tiles. */
export async function hashRange(range: LeafRange, tree: TiledTree): Promise<Buffer> {
  return foldRight(await hashSubtrees(range, tree));
}

/** The roots of the perfect subtrees of `range`, left to right. */
export async function hashSubtrees(range: LeafRange, tree: TiledTree): Promise<Buffer[]> {
  const roots: Buffer[] = [];
  for (const subtree of perfectSubtrees(range)) roots.push(await hashSubtree(subtree, tree));
  return roots;
}

async function hashSubtree({ start, end }: LeafRange, tree: TiledTree): Promise<Buffer> {
  // The lowest level whose single tile spans the subtree.
  let level = 0;
  let span = 1;
  while (end - start > span * tileWidth) {
    level++;
    span *= tileWidth;
  }
  const first = start / span;
  const n = Math.floor(first / tileWidth);
  const from = first - n * tileWidth;
  const to = from + (end - start) / span;
  // The whole tile, not only what is needed of it: full tiles are kept, parts are not.
  const hashes = await tree.readTile({ level, n, width: widthInTree(level, n, tree.size) });
  return treeHash(splitHashes(hashes.subarray(from * hashBytes, to * hashBytes)));
}

/** A tile's bytes as single hashes. */
export function splitHashes(bytes: Buffer): Buffer[] {
  return Array.from({ length: bytes.length / hashBytes }, (_, at) =>
    bytes.subarray(at * hashBytes, (at + 1) * hashBytes),
  );
}
