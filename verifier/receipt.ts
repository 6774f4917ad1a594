// The heart of the offline verifier, nothing imported from outside, for Node and for a browser page. It checks a
// C2SP tlog-proof or a citizen's receipt against the log's key, with WebCrypto and no network.
// What it proves, and no more: the log's key signed a tree that holds these bytes at this index,
// and the openings are what the bytes commit to. With a policy (C2SP tlog-policy) also that a quorum
// of outside witnesses has signed that tree. Without, the operator could still keep a second tree for
// others (docs/threat-model.md).

import { areEqual, fromUrl, Refusal, readBase64, sha256, toBase64, toUrl } from './bytes.ts';
import {
  cosignatureType,
  isSignature,
  readLeaf,
  readStatement,
  readVkey,
  statementHeader,
  type TrustedKey,
  trustedKeys,
} from './keys.ts';

/** What came out. `reasons` is empty when valid; `facts` hold as far as nothing speaks against them. */
export interface Verdict {
  valid: boolean;
  reasons: string[];
  facts: Facts;
}

export interface Facts {
  /** The log, as its checkpoint names it. */
  origin?: string;
  index?: number;
  /** Entries in the tree that was signed. */
  size?: number;
  /** Its root, base64. */
  root?: string;
  /** What the entry says; absent for a proof without its entry. */
  leaf?: Record<string, unknown>;
  /** Base64 of the hash the tree holds. */
  leafHash?: string;
  /** What stands behind the entry's commitments, by field. */
  opened?: Record<string, string>;
  /** Names of further signers whose keys were not given: nothing is said about them. */
  unknownSigners?: string[];
  /** With a policy: whose cosignatures hold, and when each was made, by the witness's clock. */
  witnesses?: { name: string; at: string }[];
  /** With a policy: whether its quorum has signed. */
  isWitnessed?: boolean;
  /** The log has stated since that this entry was lost from its database; what it proves stays proved. */
  isStatedLost?: boolean;
  /** What the log states about itself: a key, or a new epoch after a loss. */
  statement?: Record<string, unknown>;
  /** Of a bundle (bundle.ts). */
  bundle?: BundleFacts;
  /** Of a proof that a list is whole (completeness.ts). */
  completeness?: CompletenessFacts;
}

export interface CompletenessFacts {
  /** Which state of the map, counted from 1. */
  edition: number;
  /** The entries before this index were taken in … */
  covered: number;
  /** … as far as they were to be disclosed by then. */
  due: string;
  /** The key that labels subjects, base64url. */
  key: string;
  /** Every entry about the subject, in the order in which they were disclosed. */
  indexes: number[];
  /** Of what isn't disclosed yet: from when each is. */
  discloseAt?: string[];
}

export interface BundleFacts {
  id: string;
  /** Entries that hold. */
  entries: number;
  createdAt?: string;
  /** What its entries were found by, as the maker says. */
  conditions?: Record<string, unknown>;
  /** The index of the entry that seals it, and what that entry is. */
  sealedBy?: number;
  sealType?: string;
}

/** The citizen's receipt (contract section 5). */
export interface Receipt {
  index: number;
  leaf: string;
  opening: Record<string, { salt: string; value: string }>;
  proof: string;
}

const proofHeader = 'c2sp.org/tlog-proof@v1';

/**
 * Checks a receipt as JSON, a plain tlog-proof, or a statement of a log about itself. With `keys`, the list of a
 * log's keys (GET /log/vkeys), each key counts that the trusted one leads to.
 */
export async function verifyText(
  text: string,
  vkey: string,
  policy?: string,
  keys?: string,
): Promise<Verdict> {
  if (text.startsWith(`${statementHeader}\n`)) return verifyStatement(text, vkey, keys);
  if (!text.trimStart().startsWith('{')) {
    const facts: Facts = {};
    return judge(facts, () => checkProof(text, { vkey, policy, keys }, undefined, facts));
  }
  let receipt: unknown;
  try {
    receipt = JSON.parse(text);
  } catch {
    return { valid: false, reasons: ['The receipt is not readable JSON.'], facts: {} };
  }
  return verifyReceipt(receipt, vkey, policy, keys);
}

/** Checks a citizen's receipt: bytes, tree, signature, and every opening. */
export async function verifyReceipt(
  receipt: unknown,
  vkey: string,
  policy?: string,
  keys?: string,
): Promise<Verdict> {
  const facts: Facts = {};
  return judge(facts, async () => {
    const { index, leaf, opening, proof } = readReceipt(receipt);
    const bytes = readBase64(leaf, 'The leaf');
    await checkProof(proof, { vkey, policy, keys }, bytes, facts);
    if (facts.index !== index) throw new Refusal('The proof is of another entry than the receipt.');
    const said = readLeaf(bytes);
    facts.leaf = said;
    facts.opened = await openCommitments(said, opening);
  });
}

/**
 * Checks a tlog-proof. With the entry's bytes it proves that the tree holds them; without them only
 * that the log signed a tree with such an index, and `facts.leafHash` is absent.
 */
export async function verifyTlogProof(
  proof: string,
  vkey: string,
  leaf?: Uint8Array,
  policy?: string,
): Promise<Verdict> {
  const facts: Facts = {};
  return judge(facts, () => checkProof(proof, { vkey, policy }, leaf, facts));
}

/** Checks that a log whose key is trusted has stated this, and tells what. */
async function verifyStatement(note: string, vkey: string, keys?: string): Promise<Verdict> {
  const facts: Facts = {};
  return judge(facts, async () => {
    const trusted = await trustedKeys(vkey, keys);
    const { statement } = await readStatement(note);
    facts.statement = statement;
    const isTrusted = trusted.some((key) => [statement.before, statement.after].includes(key.vkey));
    if (!isTrusted) throw new Refusal('This statement is of keys that are not trusted here.');
  });
}

export async function judge(facts: Facts, check: () => Promise<void>): Promise<Verdict> {
  try {
    await check();
    return { valid: true, reasons: [], facts };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { valid: false, reasons: [error.message], facts };
  }
}

export async function checkProof(
  text: string,
  trusted: { vkey: string; policy: string | undefined; keys?: string | undefined },
  leaf: Uint8Array | undefined,
  facts: Facts,
): Promise<void> {
  const { index, hashes, checkpoint } = readProof(text);
  facts.index = index;
  const keys = await trustedKeys(trusted.vkey, trusted.keys);
  const opened = await openCheckpoint(checkpoint, keys);
  const { origin, size, root, others } = opened;
  const { lost } = keys.find(({ name }) => name === origin) ?? {};
  if (lost && index >= lost.from && index <= lost.to) facts.isStatedLost = true;
  const unknownSigners = others.map(({ name }) => name);
  Object.assign(facts, { origin, size, root: toBase64(root), unknownSigners });
  if (index >= size) throw new Refusal(`The signed tree has ${size} entries, none at ${index}.`);
  if (hashes.length !== proofLength(index, size)) {
    throw new Refusal('The proof does not have the length that its index and tree ask for.');
  }
  if (leaf) {
    const leafHash = await sha256(Uint8Array.of(0), leaf);
    if (!areEqual(await climb(leafHash, index, size, hashes), root)) {
      throw new Refusal('The signed tree does not hold these bytes at this index.');
    }
    facts.leafHash = toBase64(leafHash);
  }
  if (trusted.policy !== undefined) await checkWitnesses(opened, trusted.policy, facts);
}

// Reading

/** The one place where foreign JSON gets its type; anything else is refused. */
function readReceipt(value: unknown): Receipt {
  const isObject = (each: unknown): each is Record<string, unknown> =>
    typeof each === 'object' && each !== null && !Array.isArray(each);
  if (isObject(value)) {
    const { index, leaf, opening, proof } = value;
    const openings: Receipt['opening'] = {};
    let isReadable = isObject(opening);
    for (const [field, pair] of isObject(opening) ? Object.entries(opening) : []) {
      const { salt, value: said } = isObject(pair) ? pair : {};
      if (typeof salt === 'string' && typeof said === 'string') {
        openings[field] = { salt, value: said };
      } else {
        isReadable = false;
      }
    }
    if (
      isReadable &&
      typeof index === 'number' &&
      typeof leaf === 'string' &&
      typeof proof === 'string'
    ) {
      return { index, leaf, opening: openings, proof };
    }
  }
  throw new Refusal('This is not a receipt: index, leaf, opening or proof is missing.');
}

function readProof(text: string) {
  const split = text.indexOf('\n\n');
  const lines = split < 0 ? [] : text.slice(0, split).split('\n');
  if (lines.shift() !== proofHeader) throw new Refusal('This is not a tlog-proof.');
  if (lines[0]?.startsWith('extra ')) {
    readBase64(lines.shift()?.slice('extra '.length) ?? '', 'The extra line');
  }
  const index = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '')?.[1];
  if (index === undefined || !Number.isSafeInteger(Number(index))) {
    throw new Refusal('The proof says no index.');
  }
  const hashes = lines.map((line) => readBase64(line, 'A hash of the proof'));
  if (hashes.some((hash) => hash.length !== 32)) {
    throw new Refusal('A hash of the proof is not 32 bytes long.');
  }
  return { index: Number(index), hashes, checkpoint: text.slice(split + 2) };
}

export async function openCommitments(
  leaf: Record<string, unknown>,
  opening: Receipt['opening'],
): Promise<Record<string, string>> {
  const opened: Record<string, string> = {};
  for (const [field, { salt, value }] of Object.entries(opening)) {
    const secret = readBase64(fromUrl(salt), `The salt of ${field}`);
    if (secret.length !== 32) throw new Refusal(`The salt of ${field} is not 32 bytes long.`);
    const made = toUrl(toBase64(await sha256(secret, new TextEncoder().encode(value))));
    if (leaf[field] !== made) {
      throw new Refusal(`The entry does not commit to this ${field}: it was another, or none.`);
    }
    opened[field] = value;
  }
  return opened;
}

// The checkpoint: C2SP signed-note and tlog-checkpoint

interface SignatureLine {
  name: string;
  /** Key id and signature. */
  payload: Uint8Array<ArrayBuffer>;
}

export async function openCheckpoint(note: string, keys: readonly TrustedKey[]) {
  const split = note.lastIndexOf('\n\n');
  const text = note.slice(0, split + 1);
  if (split < 0 || !note.endsWith('\n')) throw new Refusal('The checkpoint is not a signed note.');
  const [origin, size, root] = text.split('\n');
  const others: SignatureLine[] = [];
  let isSigned = false;
  for (const line of note.slice(split + 2, -1).split('\n')) {
    const [, name, encoded] = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? [];
    if (!name || !encoded) throw new Refusal('A signature line of the checkpoint is malformed.');
    const payload = readBase64(encoded, 'A signature');
    const key = keys.find((one) => name === one.name && areEqual(payload.slice(0, 4), one.id));
    if (!key) {
      others.push({ name, payload });
      continue;
    }
    if (!(await isSignature(key.publicKey, payload.slice(4), new TextEncoder().encode(text)))) {
      throw new Refusal('The signature of the log does not hold.');
    }
    // A retired key says nothing about larger trees than it may have signed.
    if (name === origin && Number(size) <= (key.retiredAt ?? Number(size))) isSigned = true;
  }
  if (!isSigned) throw new Refusal('The checkpoint is not signed with this key.');
  if (origin === undefined || !/^[1-9]\d{0,15}$/.test(size ?? '') || root === undefined) {
    throw new Refusal('The signed text is not a checkpoint of this log.');
  }
  const rootHash = readBase64(root, 'The root');
  if (rootHash.length !== 32 || !Number.isSafeInteger(Number(size))) {
    throw new Refusal('The signed text is not a checkpoint of this log.');
  }
  return { text, origin, size: Number(size), root: rootHash, others };
}

// Witnesses: C2SP tlog-cosignature and tlog-policy

type Opened = Awaited<ReturnType<typeof openCheckpoint>>;

export async function checkWitnesses({ text, others }: Opened, policy: string, facts: Facts) {
  const { witnesses, isQuorum } = await readPolicy(policy);
  const cosigned = new Map<string, { name: string; at: string }>();
  for (const { name, payload } of others) {
    const witness = witnesses.find(
      ({ key }) => key.name === name && areEqual(payload.slice(0, 4), key.id),
    );
    if (!witness || cosigned.has(witness.name)) continue;
    const seconds = new DataView(payload.buffer).getBigUint64(4);
    const signed = new TextEncoder().encode(`cosignature/v1\ntime ${seconds}\n${text}`);
    if (!(await isSignature(witness.key.publicKey, payload.slice(12), signed))) {
      throw new Refusal(`The signature of the witness ${name} does not hold.`);
    }
    const at = new Date(Number(seconds) * 1000).toISOString();
    cosigned.set(witness.name, { name, at });
  }
  facts.witnesses = [...cosigned.values()];
  facts.isWitnessed = isQuorum(new Set(cosigned.keys()));
  facts.unknownSigners = others
    .map(({ name }) => name)
    .filter((name) => !facts.witnesses?.some((known) => known.name === name));
  if (facts.isWitnessed) return;
  throw new Refusal(
    `The quorum of the policy has not signed this checkpoint: ${cosigned.size} of ${witnesses.length} witnesses have.`,
  );
}

type IsMet = (names: ReadonlySet<string>) => boolean;

/** The witnesses of a policy, and which of them (by their names in it) are enough together. */
async function readPolicy(policy: string) {
  const witnesses: { name: string; key: Awaited<ReturnType<typeof readVkey>> }[] = [];
  const defined = new Map<string, IsMet>([['none', () => false]]);
  const named = (name: string): IsMet => {
    const isMet = defined.get(name);
    if (!isMet) throw new Refusal(`The policy speaks of ${name}, which it does not define above.`);
    return isMet;
  };
  let isQuorum: IsMet | undefined;
  for (const line of policy.split('\n')) {
    const [word, name = '', third = '', ...members] = line.trim().split(/[ \t]+/);
    if (!word || word.startsWith('#') || word === 'log') continue;
    if (word === 'witness') {
      witnesses.push({ name, key: await readVkey(third, cosignatureType) });
      defined.set(name, (names) => names.has(name));
    } else if (word === 'group') {
      const parts = members.map(named);
      const needed = third === 'all' ? parts.length : third === 'any' ? 1 : Number(third);
      if (!(needed >= 1 && needed <= parts.length)) {
        throw new Refusal(`The policy's group ${name} can't be met.`);
      }
      defined.set(name, (names) => parts.filter((isMet) => isMet(names)).length >= needed);
    } else if (word === 'quorum' && !isQuorum) {
      isQuorum = named(name);
    } else {
      throw new Refusal(`This is not a witness policy: ${line.slice(0, 60)}`);
    }
  }
  if (!isQuorum) throw new Refusal('The policy has no quorum line.');
  return { witnesses, isQuorum };
}

// The tree: RFC 9162 section 2.1.3.2

/** How many hashes an inclusion proof has. */
export function proofLength(index: number, size: number): number {
  let length = 0;
  let at = index;
  for (let last = size - 1; last > 0; last = Math.floor(last / 2)) {
    // A right edge without a sibling is carried up without a hash.
    if (at % 2 === 1 || at < last) length++;
    at = Math.floor(at / 2);
  }
  return length;
}

/** The root one gets from a leaf hash and its proof. */
export async function climb(
  leafHash: Uint8Array<ArrayBuffer>,
  index: number,
  size: number,
  hashes: readonly Uint8Array<ArrayBuffer>[],
): Promise<Uint8Array<ArrayBuffer>> {
  let root = leafHash;
  let at = index;
  let last = size - 1;
  for (const hash of hashes) {
    if (at % 2 === 1 || at === last) {
      root = await sha256(Uint8Array.of(1), hash, root);
      while (at % 2 === 0 && at !== 0) {
        at /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      root = await sha256(Uint8Array.of(1), root, hash);
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return root;
}
