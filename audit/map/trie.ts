// The map as a binary Merkle trie over 256-bit labels, kept as pages of four levels. A label's leaf stands
// where no other label shares the way any more, so that the shape depends on the labels alone. Pure: the
// caller brings the pages it needs and keeps those that changed.
import { hash } from 'node:crypto';
import { nodeHash } from '../merkle-tree.ts';

/** A label with the commitment that stands there; 32 bytes each. */
export interface MapLeaf {
  label: Buffer;
  value: Buffer;
}

/** What a page holds at one of its 16 places: nothing, the only leaf below, or the root of what is below. */
export type Child = { leaf: MapLeaf } | { hash: Buffer } | undefined;

/** Four levels of the trie: what stands below a path, by the next four bits. */
export type Page = readonly Child[];

/** Pages by their path: the label's leading bits, four a character, in hexadecimal. */
export type Pages = ReadonlyMap<string, Page>;

/** A label's new value; null takes it out. */
export interface MapChange {
  label: Buffer;
  value: Buffer | null;
}

/** What one finds on a label's way: hashes beside it, from the root down, and what stands at its end. */
export interface MapProof {
  siblings: Buffer[];
  /** The only leaf there; of another label where this one isn't in the map. Null: nothing. */
  end: MapLeaf | null;
}

const fanOut = 16;
const leafPrefix = Buffer.of(0x00);

/** Stands for what isn't there; no hash has this value. */
export const emptyHash = Buffer.alloc(32);

export const emptyPage: Page = Object.freeze(new Array<Child>(fanOut).fill(undefined));

/** SHA-256(0x00 ‖ label ‖ value). */
export function mapLeafHash({ label, value }: MapLeaf): Buffer {
  return hash('sha256', Buffer.concat([leafPrefix, label, value]), 'buffer');
}

function hashOf(child: Child): Buffer {
  if (!child) return emptyHash;
  return 'hash' in child ? child.hash : mapLeafHash(child.leaf);
}

/** A leaf alone below moves up; everything else is hashed. */
function join(left: Child, right: Child): Child {
  if (!left && !right) return undefined;
  if (!left && right && 'leaf' in right) return right;
  if (!right && left && 'leaf' in left) return left;
  return { hash: nodeHash(hashOf(left), hashOf(right)) };
}

/** The page's own levels, the 16 places first and its root last. */
function levelsOf(page: Page): Child[][] {
  const levels: Child[][] = [[...page]];
  for (let below = levels[0]; below && below.length > 1; below = levels.at(-1)) {
    const children = below;
    levels.push(
      Array.from({ length: children.length / 2 }, (_, at) =>
        join(children[2 * at], children[2 * at + 1]),
      ),
    );
  }
  return levels;
}

const rootChild = (page: Page): Child => levelsOf(page).at(-1)?.[0];

/** The root of the map whose first page this is. */
export function mapRoot(first: Page | undefined): Buffer {
  return hashOf(rootChild(first ?? emptyPage));
}

const nibble = (label: Buffer, depth: number): number => {
  const byte = label.readUInt8(Math.floor(depth / 2));
  return depth % 2 === 0 ? byte >> 4 : byte & 15;
};
const down = (path: string, at: number): string => path + at.toString(16);

/** Of the pages in hand, those one level below that the labels lead to. */
export function pagesBelow(page: Page, path: string, labels: readonly Buffer[]): string[] {
  const places = new Set(labels.map((label) => nibble(label, path.length)));
  return [...places].flatMap((at) => {
    const child = page[at];
    return child && 'hash' in child ? [down(path, at)] : [];
  });
}

/**
 * The pages that changes write, null where one goes away. `pages` must hold every page on the changed
 * labels' ways. The result doesn't depend on the order of changes, nor on what was there in between.
 */
export function changePages(
  pages: Pages,
  changes: readonly MapChange[],
): { root: Buffer; written: Map<string, Page | null> } {
  const written = new Map<string, Page | null>();
  if (changes.length === 0) return { root: mapRoot(pages.get('')), written };
  const root = hashOf(change('', pages.get('') ?? emptyPage, changes));
  return { root, written };

  function change(path: string, page: Page, group: readonly MapChange[]): Child {
    const children = [...page];
    for (const [at, part] of byNibble(group, path.length)) {
      children[at] = changeChild(down(path, at), page[at], part);
    }
    const present = children.filter((child) => child !== undefined);
    const [only] = present;
    // Fewer than two leaves need no page, but for the first, which is always there.
    if (path !== '' && (present.length === 0 || (present.length === 1 && only && 'leaf' in only))) {
      if (pages.has(path)) written.set(path, null);
      return only;
    }
    written.set(path, children);
    return rootChild(children);
  }

  function changeChild(path: string, child: Child, group: readonly MapChange[]): Child {
    if (child && 'hash' in child) {
      const page = pages.get(path);
      if (!page)
        throw new TypeError(`The page ${path} is on a changed label's way, but not at hand.`);
      return change(path, page, group);
    }
    const leaves = new Map<string, MapLeaf>();
    if (child) leaves.set(child.leaf.label.toString('hex'), child.leaf);
    for (const { label, value } of group) {
      if (value) leaves.set(label.toString('hex'), { label, value });
      else leaves.delete(label.toString('hex'));
    }
    const [first] = leaves.values();
    if (leaves.size <= 1) return first && { leaf: first };
    return change(path, emptyPage, [...leaves.values()]);
  }
}

function byNibble(changes: readonly MapChange[], depth: number): Map<number, MapChange[]> {
  const groups = new Map<number, MapChange[]>();
  for (const each of changes) {
    const at = nibble(each.label, depth);
    const group = groups.get(at);
    if (group) group.push(each);
    else groups.set(at, [each]);
  }
  return groups;
}

/** The proof of what the map holds at a label. `pages` must hold every page on its way. */
export function proveLabel(pages: Pages, label: Buffer): MapProof {
  const siblings: Buffer[] = [];
  let path = '';
  for (;;) {
    const page = pages.get(path);
    if (!page && path !== '') throw new TypeError(`The page ${path} is on the label's way.`);
    const levels = levelsOf(page ?? emptyPage).reverse();
    const place = nibble(label, path.length);
    for (const [level, children] of levels.entries()) {
      const at = place >> (4 - level);
      const child = children[at];
      if (!child || 'leaf' in child) return { siblings, end: child?.leaf ?? null };
      // The hash at the bottom of one page is the root of the next.
      const next = levels[level + 1];
      if (next) siblings.push(hashOf(next[(place >> (3 - level)) ^ 1]));
    }
    path = down(path, place);
  }
}

/** What a proof shows to stand at a label; null when nothing, undefined when it proves nothing. */
export function checkLabel(
  root: Buffer,
  label: Buffer,
  proof: MapProof,
): Buffer | null | undefined {
  const { siblings, end } = proof;
  const bit = (of: Buffer, depth: number) =>
    (of.readUInt8(Math.floor(depth / 8)) >> (7 - (depth % 8))) & 1;
  if (siblings.length > 256) return undefined;
  if (end && siblings.some((_, depth) => bit(end.label, depth) !== bit(label, depth))) {
    return undefined;
  }
  const top = siblings.reduceRight(
    (below, beside, depth) =>
      bit(label, depth) === 0 ? nodeHash(below, beside) : nodeHash(beside, below),
    end ? mapLeafHash(end) : emptyHash,
  );
  if (!top.equals(root)) return undefined;
  return end?.label.equals(label) ? end.value : null;
}

/** A page as it is stored: which places are taken, which of them by one leaf, then these in order. */
export function encodePage(page: Page): Buffer {
  let taken = 0;
  let single = 0;
  const parts: Buffer[] = [];
  for (const [at, child] of page.entries()) {
    if (!child) continue;
    taken |= 1 << at;
    if ('leaf' in child) {
      single |= 1 << at;
      parts.push(child.leaf.label, child.leaf.value);
    } else {
      parts.push(child.hash);
    }
  }
  const head = Buffer.alloc(4);
  head.writeUInt16BE(taken, 0);
  head.writeUInt16BE(single, 2);
  return Buffer.concat([head, ...parts]);
}

/** Reads a stored page. */
export function decodePage(bytes: Buffer): Page {
  const taken = bytes.readUInt16BE(0);
  const single = bytes.readUInt16BE(2);
  let at = 4;
  const take = () => {
    at += 32;
    return bytes.subarray(at - 32, at);
  };
  return Array.from({ length: fanOut }, (_, place): Child => {
    if (!((taken >> place) & 1)) return undefined;
    if (!((single >> place) & 1)) return { hash: take() };
    return { leaf: { label: take(), value: take() } };
  });
}
