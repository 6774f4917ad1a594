// Checks the proof that a subject's list of entries is whole: her label by the map's key (RFC 9381), what
// the map holds there, the list behind it, and that the map's root is an entry of the signed log.
// What it proves, and no more: of all entries before `covered` that the log's house filed under this tag
// and that were to be disclosed by `due`, the list misses none, and no second list can stand under the tag.
import { areEqual, fromUrl, Refusal, readBase64, sha256, toBase64, toUrl } from './bytes.ts';
import { readLeaf } from './keys.ts';
import { checkProof, type Facts, judge, type Verdict } from './receipt.ts';
import { vrfOutput } from './vrf.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const completenessKind = 'yihao-completeness/1';
/** The same over the map of what isn't disclosed yet, for auditors. */
const pendingKind = 'yihao-pending/1';
const blockItems = 256;

/** An entry's index; of one not yet disclosed also from when it is (milliseconds). */
type Item = number[];

/** What the subject saves (contract section 5). All bytes are base64url, but for the root's leaf: base64. */
interface CompletenessProof {
  kind: typeof completenessKind | typeof pendingKind;
  /** The subject's tag, as her receipts open it. */
  tag: string;
  /** The proof of her label. */
  vrf: string;
  /** Hashes beside her label's way, from the root down. */
  siblings: string[];
  /** The leaf at its end: hers, or another's where she has none. */
  end: { label: string; value: string } | null;
  /** What stands behind hers. */
  list: { salt: string; items: Item[] } | null;
  /** Of the second map: what the root's entry commits to. */
  pending: { root: string; salt: string } | null;
  /** The entry that holds the map's root. */
  root: { index: number; leaf: string; proof: string };
}

/** Checks a proof; with an earlier one of the same subject also that nothing went since. */
export async function verifyCompleteness(
  proof: unknown,
  vkey: string,
  policy?: string,
  earlier?: unknown,
): Promise<Verdict> {
  const facts: Facts = {};
  return judge(facts, async () => {
    const now = await check(readProof(proof), { vkey, policy }, facts);
    if (earlier === undefined) return;
    const before = await check(readProof(earlier), { vkey, policy: undefined }, {});
    if (before.tag !== now.tag) throw new Refusal('The earlier proof is about somebody else.');
    if (before.key !== now.key)
      throw new Refusal('The map’s key has changed since the earlier proof.');
    if (before.edition > now.edition) throw new Refusal('The earlier proof is the newer one.');
    if (before.indexes.some((index, at) => now.indexes[at] !== index)) {
      throw new Refusal('An entry of the earlier list is missing in this one.');
    }
  });
}

async function check(
  proof: CompletenessProof,
  trusted: { vkey: string; policy: string | undefined },
  facts: Facts,
) {
  const bytes = readBase64(proof.root.leaf, 'The leaf');
  await checkProof(proof.root.proof, trusted, bytes, facts);
  if (facts.index !== proof.root.index) throw new Refusal('The proof is of another entry.');
  const map = readRoot(readLeaf(bytes));
  const tag = readUrl(proof.tag, 'The tag');
  const label = await vrfOutput(
    readUrl(map.key, 'The map’s key'),
    tag,
    readUrl(proof.vrf, 'The label’s proof'),
  );
  if (!label) throw new Refusal('The label is not the one that the map’s key gives this tag.');
  const items = await readList(proof, label.slice(0, 32), await rootIn(map, proof));
  const indexes = items.map(([index = -1]) => index);
  const { edition, size: covered, due, key } = map;
  facts.completeness = { edition, covered, due, key, indexes };
  if (proof.pending) {
    facts.completeness.discloseAt = items.map(([, at = 0]) => new Date(at).toISOString());
  }
  return { ...facts.completeness, tag: proof.tag };
}

/** The root to check against: the map's own, or that of what isn't disclosed, which the entry hides by a salt. */
async function rootIn(
  map: ReturnType<typeof readRoot>,
  { pending }: CompletenessProof,
): Promise<Bytes> {
  if (!pending) return readUrl(map.root, 'The map’s root');
  const root = readHash(pending.root, 'The root of what isn’t disclosed');
  if (
    areEqual(await sha256(readHash(pending.salt, 'Its salt'), root), readUrl(map.pending, 'It'))
  ) {
    return root;
  }
  throw new Refusal('The entry does not commit to this root of what isn’t disclosed.');
}

/** The list that the map holds at a label; empty where the map holds nothing. */
async function readList(proof: CompletenessProof, label: Uint8Array, root: Bytes): Promise<Item[]> {
  const siblings = proof.siblings.map((each) => readHash(each, 'A hash of the map'));
  if (siblings.length > 256) throw new Refusal('The way through the map is too long.');
  const end = proof.end && {
    label: readHash(proof.end.label, 'The label'),
    value: readHash(proof.end.value, 'The value'),
  };
  if (end && siblings.some((_, depth) => bit(end.label, depth) !== bit(label, depth))) {
    throw new Refusal('The leaf that is shown stands elsewhere in the map.');
  }
  let top = end ? await sha256(Uint8Array.of(0), end.label, end.value) : new Uint8Array(32);
  for (const [depth, beside] of [...siblings.entries()].reverse()) {
    const pair = bit(label, depth) === 0 ? [top, beside] : [beside, top];
    top = await sha256(Uint8Array.of(1), ...pair);
  }
  if (!areEqual(top, root)) throw new Refusal('The map does not hold this at the label.');
  const isHers = end !== null && areEqual(end.label, label);
  if (!isHers && proof.list) throw new Refusal('The map holds no list of this subject.');
  if (!isHers) return [];
  if (!proof.list) throw new Refusal('The map holds a list of this subject, but it is not shown.');
  const { salt, items } = proof.list;
  const made = await sha256(readHash(salt, 'The salt'), u64(items.length), await listRoot(items));
  if (!areEqual(made, end.value)) {
    throw new Refusal('The list is not the one in the map: an entry is missing, added or changed.');
  }
  return items;
}

/** The RFC 6962 root over blocks of 256 items. */
async function listRoot(items: readonly Item[]): Promise<Bytes> {
  if (items.length === 0) throw new Refusal('The map holds no empty list.');
  let level: Bytes[] = [];
  for (let at = 0; at < items.length; at += blockItems) {
    const block = items
      .slice(at, at + blockItems)
      .flat()
      .map(u64);
    level.push(await sha256(Uint8Array.of(0), ...block));
  }
  while (level.length > 1) {
    const above: Bytes[] = [];
    for (let at = 0; at < level.length; at += 2) {
      const [left, right] = [level[at], level[at + 1]];
      // A right edge without a sibling is carried up.
      if (left) above.push(right ? await sha256(Uint8Array.of(1), left, right) : left);
    }
    level = above;
  }
  return level[0] ?? new Uint8Array(32);
}

function u64(number: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number));
  return bytes;
}

const bit = (of: Uint8Array, depth: number): number =>
  ((of[depth >> 3] ?? 0) >> (7 - (depth & 7))) & 1;

// Reading

/** The text as JSON, if it says that it is such a proof. */
export function readCompleteness(text: string): unknown {
  try {
    const read: unknown = JSON.parse(text);
    const isOne = isObject(read) && (read.kind === completenessKind || read.kind === pendingKind);
    return isOne ? read : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isIndex = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** The one place where a foreign proof gets its type; anything else is refused. */
function readProof(value: unknown): CompletenessProof {
  if (isObject(value) && (value.kind === completenessKind || value.kind === pendingKind)) {
    const { kind } = value;
    const { tag, vrf, siblings, end, list, root } = value;
    if (
      typeof tag === 'string' &&
      typeof vrf === 'string' &&
      Array.isArray(siblings) &&
      siblings.every((each) => typeof each === 'string') &&
      isObject(root) &&
      isIndex(root.index) &&
      typeof root.leaf === 'string' &&
      typeof root.proof === 'string'
    ) {
      const { index, leaf, proof } = root;
      const pending = kind === pendingKind ? readPending(value.pending) : null;
      const rest = { end: readEnd(end), list: readItems(list, kind), pending };
      return { kind, tag, vrf, siblings, ...rest, root: { index, leaf, proof } };
    }
  }
  throw new Refusal('This is not a proof of completeness.');
}

function readEnd(end: unknown): CompletenessProof['end'] {
  if (end === null) return null;
  if (isObject(end) && typeof end.label === 'string' && typeof end.value === 'string') {
    return { label: end.label, value: end.value };
  }
  throw new Refusal('The end of the way through the map is not readable.');
}

function readPending(pending: unknown): { root: string; salt: string } {
  if (isObject(pending) && typeof pending.root === 'string' && typeof pending.salt === 'string') {
    return { root: pending.root, salt: pending.salt };
  }
  throw new Refusal('The root of what isn’t disclosed is not readable.');
}

const isItem = (value: unknown): value is Item =>
  Array.isArray(value) && value.length === 2 && value.every(isIndex);

function readItems(list: unknown, kind: CompletenessProof['kind']): CompletenessProof['list'] {
  if (list === null) return null;
  if (isObject(list) && typeof list.salt === 'string') {
    const { salt, indexes, items } = list;
    if (kind === pendingKind && Array.isArray(items) && items.every(isItem)) return { salt, items };
    if (kind === completenessKind && Array.isArray(indexes) && indexes.every(isIndex)) {
      return { salt, items: indexes.map((index) => [index]) };
    }
  }
  throw new Refusal('The list is not readable.');
}

/** What the entry says of the map. */
function readRoot(leaf: Record<string, unknown>) {
  const { type, map } = leaf;
  if (type === 'map.published' && isObject(map)) {
    const { edition, root, pending, key, size, due } = map;
    if (
      isIndex(edition) &&
      isIndex(size) &&
      typeof root === 'string' &&
      typeof pending === 'string' &&
      typeof key === 'string' &&
      typeof due === 'string'
    ) {
      return { edition, root, pending, key, size, due };
    }
  }
  throw new Refusal('The entry shown does not hold the root of a map.');
}

const readUrl = (text: string, what: string): Bytes => readBase64(fromUrl(text), what);

function readHash(text: string, what: string): Bytes {
  const bytes = readUrl(text, what);
  if (bytes.length !== 32 || toUrl(toBase64(bytes)) !== text) {
    throw new Refusal(`${what} is not 32 bytes long.`);
  }
  return bytes;
}
