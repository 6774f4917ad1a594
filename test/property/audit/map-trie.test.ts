// The map's trie: one shape for one set of labels, a proof for each label there is or isn't, and no other.
import { hash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  checkLabel,
  decodePage,
  emptyHash,
  encodePage,
  type MapChange,
  mapLeafHash,
} from '../../../audit/map/trie.ts';
import { nodeHash } from '../../../audit/merkle-tree.ts';
import { AMap } from './a-map.ts';

const digest = (text: string) => hash('sha256', text, 'buffer');
/** Few leading bytes, so that labels share long ways; and all the rest of them too. */
const label = fc
  .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 3 }), fc.nat(300))
  .map(([shared, bits, n]) =>
    Buffer.concat([
      Buffer.alloc(Math.min(shared, 20)),
      Buffer.of(bits << 6),
      digest(`${n}`),
    ]).subarray(0, 32),
  );
const change = fc.record({
  label,
  value: fc.option(
    fc.nat(9).map((n) => digest(`value ${n}`)),
    { freq: 3 },
  ),
});
const history = fc.array(fc.array(change, { maxLength: 12 }), { maxLength: 8 });

/** The root by the definition, without pages. */
function rootOf(leaves: { label: Buffer; value: Buffer }[], depth = 0): Buffer {
  const [first] = leaves;
  if (!first) return emptyHash;
  if (leaves.length === 1) return mapLeafHash(first);
  const bit = (of: Buffer) => (of.readUInt8(depth >> 3) >> (7 - (depth & 7))) & 1;
  return nodeHash(
    rootOf(
      leaves.filter((leaf) => bit(leaf.label) === 0),
      depth + 1,
    ),
    rootOf(
      leaves.filter((leaf) => bit(leaf.label) === 1),
      depth + 1,
    ),
  );
}

function play(batches: MapChange[][]) {
  const map = new AMap();
  const model = new Map<string, { label: Buffer; value: Buffer }>();
  for (const batch of batches) {
    // The last change of a label in a batch counts; the log makes but one.
    const last = new Map(batch.map((each) => [each.label.toString('hex'), each]));
    map.change([...last.values()]);
    for (const [key, { label: changed, value }] of last) {
      if (value) model.set(key, { label: changed, value });
      else model.delete(key);
    }
  }
  return { map, leaves: [...model.values()] };
}

test('the root is that of the labels it holds, whatever happened before', () => {
  fc.assert(
    fc.property(history, (batches) => {
      const { map, leaves } = play(batches);
      expect(map.root).toEqual(rootOf(leaves));
      // No page is left that a map made at once would not have.
      const atOnce = new AMap();
      atOnce.change(leaves);
      const stored = ({ pages }: AMap) =>
        [...pages]
          .map(([path, page]) => `${path}:${encodePage(page).toString('hex')}`)
          .filter((line) => line !== ':00000000')
          .sort();
      expect(stored(map)).toEqual(stored(atOnce));
    }),
  );
});

test('each label has a proof of what stands there or that nothing does, and a page keeps what it holds', () => {
  fc.assert(
    fc.property(history, fc.array(label, { maxLength: 20 }), (batches, asked) => {
      const { map, leaves } = play(batches);
      for (const [path, page] of map.pages) map.pages.set(path, decodePage(encodePage(page)));
      const held = new Map(leaves.map((leaf) => [leaf.label.toString('hex'), leaf.value]));
      for (const each of [...asked, ...leaves.map((leaf) => leaf.label)]) {
        const found = checkLabel(map.root, each, map.prove(each));
        expect(found).toEqual(held.get(each.toString('hex')) ?? null);
      }
    }),
  );
});

test('a proof of one label, root or value proves nothing of another', () => {
  fc.assert(
    fc.property(history, label, label, fc.nat(), (batches, mine, other, at) => {
      const { map } = play([...batches, [{ label: mine, value: digest('mine') }]]);
      const proof = map.prove(mine);
      if (!mine.equals(other)) {
        // A way that both share may show that the other is not there; never that it holds something.
        expect(checkLabel(map.root, other, proof) ?? null).toBeNull();
      }
      expect(checkLabel(digest('another root'), mine, proof)).toBeUndefined();
      const changed = { label: mine, value: digest('changed') };
      expect(checkLabel(map.root, mine, { ...proof, end: changed })).toBeUndefined();
      expect(checkLabel(map.root, mine, { ...proof, end: null })).toBeUndefined();
      const { siblings } = proof;
      if (siblings.length === 0) return;
      const cut = { ...proof, siblings: siblings.slice(1) };
      expect(checkLabel(map.root, mine, cut)).toBeUndefined();
      const altered = siblings.map((each, n) => (n === at % siblings.length ? digest('x') : each));
      expect(checkLabel(map.root, mine, { ...proof, siblings: altered })).toBeUndefined();
    }),
  );
});
