// The heart of the offline verifier, nothing imported, for Node and for a browser page. It checks a
// C2SP tlog-proof or a citizen's receipt against the log's key, with WebCrypto and no network.
// What it proves, and no more: the log's key signed a tree that holds these bytes at this index,
// and the openings are what the bytes commit to. With a policy (C2SP tlog-policy) also that a quorum
// of outside witnesses has signed that tree. Without, the operator could still keep a second tree for
// others (docs/threat-model.md).

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

/** A reason why something does not hold, found on the way. */
export class Refusal extends Error {}

const proofHeader = 'c2sp.org/tlog-proof@v1';
const ed25519Type = 1;
const cosignatureType = 4;

/** Checks a receipt as JSON, or a plain tlog-proof. */
export async function verifyText(text: string, vkey: string, policy?: string): Promise<Verdict> {
  if (text.trimStart().startsWith('{')) {
    let receipt: unknown;
    try {
      receipt = JSON.parse(text);
    } catch {
      return { valid: false, reasons: ['The receipt is not readable JSON.'], facts: {} };
    }
    return verifyReceipt(receipt, vkey, policy);
  }
  return verifyTlogProof(text, vkey, undefined, policy);
}

/** Checks a citizen's receipt: bytes, tree, signature, and every opening. */
export async function verifyReceipt(
  receipt: unknown,
  vkey: string,
  policy?: string,
): Promise<Verdict> {
  const facts: Facts = {};
  return judge(facts, async () => {
    const { index, leaf, opening, proof } = readReceipt(receipt);
    const bytes = readBase64(leaf, 'The leaf');
    await checkProof(proof, { vkey, policy }, bytes, facts);
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
  trusted: { vkey: string; policy: string | undefined },
  leaf: Uint8Array | undefined,
  facts: Facts,
): Promise<void> {
  const { index, hashes, checkpoint } = readProof(text);
  facts.index = index;
  const opened = await openCheckpoint(checkpoint, trusted.vkey);
  const { origin, size, root, others } = opened;
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

export function readLeaf(bytes: Uint8Array): Record<string, unknown> {
  try {
    const leaf: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof leaf === 'object' && leaf !== null) return { ...leaf };
  } catch {
    // Said below.
  }
  throw new Refusal('The entry is in the tree, but its bytes are not readable.');
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

export async function openCheckpoint(note: string, vkey: string) {
  const key = await readVkey(vkey, ed25519Type);
  const split = note.lastIndexOf('\n\n');
  const text = note.slice(0, split + 1);
  if (split < 0 || !note.endsWith('\n')) throw new Refusal('The checkpoint is not a signed note.');
  const others: SignatureLine[] = [];
  let isSigned = false;
  for (const line of note.slice(split + 2, -1).split('\n')) {
    const [, name, encoded] = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? [];
    if (!name || !encoded) throw new Refusal('A signature line of the checkpoint is malformed.');
    const payload = readBase64(encoded, 'A signature');
    if (name !== key.name || !areEqual(payload.slice(0, 4), key.id)) {
      others.push({ name, payload });
      continue;
    }
    if (!(await isSignature(key.publicKey, payload.slice(4), new TextEncoder().encode(text)))) {
      throw new Refusal('The signature of the log does not hold.');
    }
    isSigned = true;
  }
  if (!isSigned) throw new Refusal('The checkpoint is not signed with this key.');
  const [origin, size, root] = text.split('\n');
  if (origin !== key.name || !/^[1-9]\d{0,15}$/.test(size ?? '') || root === undefined) {
    throw new Refusal('The signed text is not a checkpoint of this log.');
  }
  const rootHash = readBase64(root, 'The root');
  if (rootHash.length !== 32 || !Number.isSafeInteger(Number(size))) {
    throw new Refusal('The signed text is not a checkpoint of this log.');
  }
  return { text, origin, size: Number(size), root: rootHash, others };
}

async function readVkey(vkey: string, type: number) {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(
    vkey.trim(),
  ) ?? [''];
  if (name && id && encoded) {
    const key = readBase64(encoded, 'The key');
    const made = (await sha256(new TextEncoder().encode(`${name}\n`), key)).slice(0, 4);
    const written = Array.from(made, (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (written === id && key.length === 33 && key[0] === type) {
      return { name, id: made, publicKey: key.slice(1) };
    }
  }
  const whose = type === ed25519Type ? 'log' : 'witness';
  throw new Refusal(`This is not the key of a ${whose} (name+id+base64, Ed25519).`);
}

async function isSignature(
  publicKey: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
  text: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  let key: CryptoKey;
  try {
    key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']);
  } catch {
    throw new Refusal('This program can’t check Ed25519 signatures; use a newer one.');
  }
  return crypto.subtle.verify('Ed25519', key, signature, text);
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

// Bytes

export async function sha256(...parts: Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', all));
}

export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

export function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

/** Canonical base64 only: one text per value. */
export function readBase64(text: string, what: string): Uint8Array<ArrayBuffer> {
  try {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    if (toBase64(bytes) === text) return bytes;
  } catch {
    // Said below.
  }
  throw new Refusal(`${what} is not canonical base64.`);
}

export const toUrl = (text: string) =>
  text.replace(/[+]/g, '-').replace(/[/]/g, '_').replace(/=+$/, '');
export const fromUrl = (text: string) =>
  /^[A-Za-z0-9_-]*$/.test(text)
    ? text.replace(/-/g, '+').replace(/_/g, '/') + '='.repeat((4 - (text.length % 4)) % 4)
    : '!';
