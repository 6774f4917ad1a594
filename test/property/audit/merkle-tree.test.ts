// The tree's laws over random sizes: proofs hold, spoilt proofs don't, tiles give the same hashes.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  consistencyPath,
  createCompactRange,
  emptyRoot,
  inclusionPath,
  leafHash,
  nodeHash,
  perfectSubtrees,
  treeHash,
  verifyConsistency,
  verifyInclusion,
} from '../../../audit/merkle-tree.ts';
import {
  hashRange,
  hashSubtrees,
  parseTilePath,
  type ReadTile,
  tilePath,
  tileWidth,
  widthInTree,
} from '../../../audit/tiles.ts';

const most = 1025;
const leaves = Array.from({ length: most }, (_, at) => leafHash(Buffer.from(`leaf ${at}`)));
const root = (size: number) => rangeRoot({ start: 0, end: size });
const rangeRoot = ({ start, end }: { start: number; end: number }) => recursive(start, end);

/** MTH exactly as RFC 6962 section 2.1 writes it, slow and independent of the compact range. */
function recursive(start: number, end: number): Buffer {
  if (start === end) return emptyRoot;
  if (end - start === 1) return leaves[start] ?? emptyRoot;
  const middle = start + 2 ** (Math.ceil(Math.log2(end - start)) - 1);
  return nodeHash(recursive(start, middle), recursive(middle, end));
}

const readTile: ReadTile = async ({ level, n, width }) => {
  const span = tileWidth ** level;
  return Buffer.concat(
    Array.from({ length: width }, (_, at) => {
      const start = (n * tileWidth + at) * span;
      return recursive(start, start + span);
    }),
  );
};

const sizes = fc.integer({ min: 1, max: most });
const indexAndSize = sizes.chain((size) => fc.tuple(fc.nat(size - 1), fc.constant(size)));
const twoSizes = sizes.chain((to) => fc.tuple(fc.integer({ min: 1, max: to }), fc.constant(to)));

test('the compact range gives the root of every size', () => {
  const range = createCompactRange();
  for (let size = 0; size <= most; size++) {
    expect(range.root().equals(root(size))).toBe(true);
    const leaf = leaves[size];
    if (leaf) range.append(leaf);
  }
});

test('every leaf is proved to be where it is, and nowhere else', () => {
  fc.assert(
    fc.property(indexAndSize, fc.nat(most - 1), ([index, size], other) => {
      const proof = inclusionPath(index, size).map(rangeRoot);
      const claim = { index, size, leafHash: leaves[index] ?? emptyRoot, root: root(size) };
      expect(verifyInclusion(claim, proof)).toBe(true);
      if (other !== index) expect(verifyInclusion({ ...claim, index: other }, proof)).toBe(false);
      expect(verifyInclusion(claim, [...proof, emptyRoot])).toBe(false);
      expect(verifyInclusion(claim, proof.slice(1))).toBe(size === 1);
      expect(verifyInclusion({ ...claim, leafHash: emptyRoot }, proof)).toBe(false);
    }),
  );
});

test('every size is proved to be a prefix of every later one, and of no forged one', () => {
  fc.assert(
    fc.property(twoSizes, ([from, to]) => {
      const proof = consistencyPath(from, to).map(rangeRoot);
      const claim = { from, to, fromRoot: root(from), toRoot: root(to) };
      expect(verifyConsistency(claim, proof)).toBe(true);
      expect(verifyConsistency(claim, [...proof, emptyRoot])).toBe(false);
      expect(verifyConsistency({ ...claim, fromRoot: emptyRoot }, proof)).toBe(false);
      expect(verifyConsistency({ ...claim, toRoot: emptyRoot }, proof)).toBe(false);
      if (proof.length > 0) expect(verifyConsistency(claim, proof.slice(1))).toBe(false);
    }),
  );
});

test('hashes read from tiles are those of the tree', async () => {
  await fc.assert(
    fc.asyncProperty(indexAndSize, async ([index, size]) => {
      for (const range of [...inclusionPath(index, size), { start: 0, end: size }]) {
        expect((await hashRange(range, { size, readTile })).equals(rangeRoot(range))).toBe(true);
      }
    }),
    { numRuns: 40 },
  );
});

test('a compact range taken up from tiles grows like the old one', async () => {
  await fc.assert(
    fc.asyncProperty(twoSizes, async ([from, to]) => {
      const range = createCompactRange(
        from,
        await hashSubtrees({ start: 0, end: from }, { size: to, readTile }),
      );
      for (const leaf of leaves.slice(from, to)) range.append(leaf);
      expect(range.root().equals(root(to))).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test('perfect subtrees are aligned, neighbours, and whole', () => {
  const large = fc.nat(2 ** 40);
  fc.assert(
    fc.property(large, large, (a, b) => {
      const range = { start: Math.min(a, b), end: Math.max(a, b) };
      const subtrees = perfectSubtrees(range);
      let at = range.start;
      for (const { start, end } of subtrees) {
        expect(start).toBe(at);
        expect(Number.isInteger(Math.log2(end - start)) && start % (end - start) === 0).toBe(true);
        at = end;
      }
      expect(at).toBe(range.end);
    }),
  );
});

test('a tile path reads back as its tile', () => {
  const tiles = fc.record({
    level: fc.nat(6),
    n: fc.nat(Number.MAX_SAFE_INTEGER),
    width: fc.integer({ min: 1, max: tileWidth }),
  });
  fc.assert(
    fc.property(tiles, (tile) => {
      expect(parseTilePath(tilePath(tile))).toEqual(tile);
    }),
  );
});

test('the tiles of a level hold all hashes of the level', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 30), fc.nat(3), (size, level) => {
      const hashes = Math.floor(size / tileWidth ** level);
      const last = Math.floor(hashes / tileWidth);
      expect(last * tileWidth + widthInTree(level, last, size)).toBe(hashes);
      expect(widthInTree(level, last + 1, size)).toBe(0);
    }),
  );
});

test('impossible claims are refused, never answered', () => {
  for (const [index, size] of [
    [0, 0],
    [5, 5],
    [-1, 5],
    [0.5, 5],
    [0, 2 ** 53],
  ] as const) {
    expect(() => inclusionPath(index, size)).toThrow(TypeError);
    expect(verifyInclusion({ index, size, leafHash: emptyRoot, root: emptyRoot }, [])).toBe(false);
  }
  expect(() => consistencyPath(0, 5)).toThrow(TypeError);
  expect(() => consistencyPath(6, 5)).toThrow(TypeError);
  expect(() => createCompactRange(3, [emptyRoot])).toThrow(TypeError);
  expect(treeHash([]).equals(emptyRoot)).toBe(true);
});
