// RFC 6962 section 2.1: hashes, roots, audit paths and consistency proofs as published.
import { describe, expect, test } from 'vitest';
import {
  consistencyPath,
  createCompactRange,
  inclusionPath,
  leafHash,
  nodeHash,
  treeHash,
  verifyConsistency,
  verifyInclusion,
} from '../../audit/merkle-tree.ts';
import vectors from './rfc6962.json' with { type: 'json' };

const hex = (text: string) => Buffer.from(text, 'hex');
const leafHashes = vectors.leaves.map((leaf) => leafHash(hex(leaf)));
const rootOf = (size: number) => hex(vectors.roots[size] ?? '');

test('leaf hashes', () => {
  expect(leafHashes.map((each) => each.toString('hex'))).toEqual(vectors.leafHashes);
});

test('leaf and node hash of a text', () => {
  for (const { leaf, node, hash } of vectors.hashes) {
    const got = leaf
      ? leafHash(Buffer.from(leaf))
      : nodeHash(Buffer.from(node?.[0] ?? ''), Buffer.from(node?.[1] ?? ''));
    expect(got.toString('hex')).toBe(hash);
  }
});

test('Merkle tree hash of every size, at once and by appending', () => {
  const range = createCompactRange();
  const grown = [range.root()];
  for (const each of leafHashes) {
    range.append(each);
    grown.push(range.root());
  }
  const whole = vectors.roots.map((_, size) =>
    size === 0 ? grown[0] : treeHash(leafHashes.slice(0, size)),
  );
  expect(grown.map((each) => each.toString('hex'))).toEqual(vectors.roots);
  expect(whole.map((each) => each?.toString('hex'))).toEqual(vectors.roots);
});

describe('inclusion', () => {
  for (const { index, size, proof } of vectors.inclusion) {
    test(`PATH(${index}, D[${size}])`, () => {
      const path = inclusionPath(index, size).map(({ start, end }) =>
        treeHash(leafHashes.slice(start, end)),
      );
      expect(path.map((each) => each.toString('hex'))).toEqual(proof);
      const leaf = leafHashes[index] ?? Buffer.alloc(0);
      const claim = { index, size, leafHash: leaf, root: rootOf(size) };
      expect(verifyInclusion(claim, proof.map(hex))).toBe(true);
      expect(verifyInclusion({ ...claim, index: size }, proof.map(hex))).toBe(false);
      expect(verifyInclusion({ ...claim, root: rootOf(0) }, proof.map(hex))).toBe(false);
    });
  }
});

describe('consistency', () => {
  for (const { from, to, proof } of vectors.consistency) {
    test(`PROOF(${from}, D[${to}])`, () => {
      const path = consistencyPath(from, to).map(({ start, end }) =>
        treeHash(leafHashes.slice(start, end)),
      );
      expect(path.map((each) => each.toString('hex'))).toEqual(proof);
      const claim = { from, to, fromRoot: rootOf(from), toRoot: rootOf(to) };
      expect(verifyConsistency(claim, proof.map(hex))).toBe(true);
      expect(verifyConsistency({ ...claim, fromRoot: rootOf(0) }, proof.map(hex))).toBe(false);
      expect(verifyConsistency({ ...claim, toRoot: rootOf(0) }, proof.map(hex))).toBe(false);
    });
  }
});

test('a consistency proof from the empty tree is refused, as transparency-dev does', () => {
  const claim = { from: 0, to: 8, fromRoot: rootOf(0), toRoot: rootOf(8) };
  expect(verifyConsistency(claim, [])).toBe(false);
});
