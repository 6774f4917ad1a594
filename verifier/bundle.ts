// Checks a bundle, line by line: an auditors' export or a citizen's own, of any length. The first line's
// checkpoint must be signed by the log, each entry be in that tree with the openings it is given, and
// the manifest at the end speak of exactly these lines: its digest is what an entry of the log commits
// to, whose receipt stands beside it. What stays unsaid is what was left out when the bundle was made.
import { areEqual, Refusal, readBase64, sha256, toBase64, toUrl } from './bytes.ts';
import { readLeaf, trustedKeys } from './keys.ts';
import {
  type BundleFacts,
  checkWitnesses,
  climb,
  type Facts,
  openCheckpoint,
  openCommitments,
  proofLength,
  type Verdict,
  verifyReceipt,
} from './receipt.ts';

export const BUNDLE_FORMAT = 'yihao-bundle/v1';

type Lines = Iterable<string> | AsyncIterable<string>;
type Bytes = Uint8Array<ArrayBuffer>;

/** What the one who checks has brought along. */
interface Trusted {
  vkey: string;
  policy: string | undefined;
  keys: string | undefined;
}

/** Checks a bundle's lines, without their line ends; an empty one after the last is nothing. */
export async function verifyBundle(
  lines: Lines,
  vkey: string,
  policy?: string,
  keys?: string,
): Promise<Verdict> {
  const facts: Facts = {};
  try {
    await check(lines, { vkey, policy, keys }, facts);
    return { valid: true, reasons: [], facts };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { valid: false, reasons: [error.message], facts };
  }
}

async function check(lines: Lines, trusted: Trusted, facts: Facts): Promise<void> {
  let tree: { size: number; root: Bytes; told: BundleFacts } | undefined;
  let chain: Bytes = new Uint8Array(32);
  let isSealed = false;
  let at = 0;
  for await (const line of lines) {
    at += 1;
    if (line === '') continue;
    if (isSealed) throw new Refusal(`Line ${at} comes after the manifest.`);
    const value = readLine(line, at);
    if (!tree) {
      tree = await readHead(value, trusted, facts);
    } else if ('manifest' in value) {
      await checkManifest(value, chain, trusted, tree.told);
      isSealed = true;
      continue;
    } else {
      await checkEntry(value, tree, at);
      tree.told.entries += 1;
    }
    chain = await sha256(chain, await sha256(new TextEncoder().encode(line)));
  }
  if (!tree) throw new Refusal('This is not a bundle: it is empty.');
  if (!isSealed) throw new Refusal('The bundle breaks off: its manifest is missing.');
}

function readLine(line: string, at: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (isObject(value)) return value;
  } catch {
    // Said below.
  }
  throw new Refusal(`Line ${at} of the bundle is not readable JSON.`);
}

async function readHead(
  head: Record<string, unknown>,
  { vkey, policy, keys }: Trusted,
  facts: Facts,
) {
  const { format, id, createdAt, conditions, checkpoint } = head;
  if (format !== BUNDLE_FORMAT || typeof checkpoint !== 'string' || typeof id !== 'string') {
    throw new Refusal('This is not a bundle: its first line is another.');
  }
  const opened = await openCheckpoint(checkpoint, await trustedKeys(vkey, keys));
  const { origin, size, root, others } = opened;
  const told: BundleFacts = {
    id,
    entries: 0,
    ...(typeof createdAt === 'string' && { createdAt }),
    ...(isObject(conditions) && { conditions }),
  };
  Object.assign(facts, {
    bundle: told,
    origin,
    size,
    root: toBase64(root),
    unknownSigners: others.map(({ name }) => name),
  });
  if (policy !== undefined) await checkWitnesses(opened, policy, facts);
  return { size, root, told };
}

async function checkEntry(
  value: Record<string, unknown>,
  { size, root }: { size: number; root: Bytes },
  at: number,
): Promise<void> {
  const { index, leaf, opening, proof } = value;
  const isEntry =
    typeof index === 'number' &&
    Number.isSafeInteger(index) &&
    typeof leaf === 'string' &&
    Array.isArray(proof) &&
    isObject(opening);
  if (!isEntry) throw new Refusal(`Line ${at} of the bundle is not an entry.`);
  const within = (reason: string) => new Refusal(`Entry ${index} (line ${at}): ${reason}`);
  try {
    const hashes = proof.map((hash) => readBase64(String(hash), 'A hash of the proof'));
    if (index < 0 || index >= size) throw new Refusal('The signed tree does not reach so far.');
    if (hashes.length !== proofLength(index, size) || hashes.some((hash) => hash.length !== 32)) {
      throw new Refusal('The proof does not have the length that its index and tree ask for.');
    }
    const bytes = readBase64(leaf, 'The leaf');
    const leafHash = await sha256(Uint8Array.of(0), bytes);
    if (!areEqual(await climb(leafHash, index, size, hashes), root)) {
      throw new Refusal('The signed tree does not hold these bytes at this index.');
    }
    await openCommitments(readLeaf(bytes), readOpening(opening));
  } catch (error) {
    throw error instanceof Refusal ? within(error.message) : error;
  }
}

async function checkManifest(
  { manifest, receipt }: Record<string, unknown>,
  chain: Bytes,
  trusted: Trusted,
  told: BundleFacts,
): Promise<void> {
  const { id, entries, digest } = isObject(manifest) ? manifest : {};
  if (id !== told.id) throw new Refusal('The manifest is of another bundle.');
  if (entries !== told.entries) {
    throw new Refusal(
      `The manifest speaks of ${String(entries)} entries, here are ${told.entries}.`,
    );
  }
  const made = toUrl(toBase64(chain));
  if (digest !== made) throw new Refusal('The lines are not those the manifest was made over.');
  const verdict = await verifyReceipt(receipt, trusted.vkey, trusted.policy, trusted.keys);
  if (!verdict.valid) throw new Refusal(`The manifest's receipt: ${verdict.reasons.join(' ')}`);
  const { opened, leaf, index } = verdict.facts;
  if (opened?.purpose !== `${BUNDLE_FORMAT} ${made}` || opened.case !== id) {
    throw new Refusal('The entry beside the manifest seals another bundle.');
  }
  if (index !== undefined) told.sealedBy = index;
  told.sealType = String(leaf?.type);
}

function readOpening(value: Record<string, unknown>) {
  return Object.fromEntries(
    Object.entries(value).map(([field, pair]) => {
      const { salt, value: said } = isObject(pair) ? pair : {};
      if (typeof salt !== 'string' || typeof said !== 'string') {
        throw new Refusal(`The opening of ${field} is not readable.`);
      }
      return [field, { salt, value: said }];
    }),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
