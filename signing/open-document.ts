// Opening a sealed PDF: all that follows from its bytes and the root certificate alone. It reads no
// PDF objects, since every byte but the signature's own must be covered by the seal: whatever a reader of
// PDF may be led to show by an update, a wrong table or a hidden object was sealed by us, or is a fault.
// Runs in a thread (document-check-thread.ts): a stranger chooses the bytes.
import { createHash } from 'node:crypto';
import type { ChainResult, TrustedLeaf } from './certificate-chain.ts';
import { type Check, createChecks } from './checks.ts';
import { OID } from './cms.ts';
import { bytesOf, isUniversal, membersOf, readDer, Type } from './der.ts';
import { ROOM } from './document.ts';
import { CmsFault, isSigned, type ReadCms, readCms, trustedLeaf } from './read-cms.ts';
import type { LeafPurpose } from './subject-units.ts';

export const DOCUMENT_CHECKS = [
  'format',
  'byte_range',
  'updates',
  'digest',
  'signature',
  'certificate',
  'timestamp',
  'certificate_time',
  'recorded',
] as const;

export type DocumentCheck = Check<(typeof DOCUMENT_CHECKS)[number]>;

type Leaf = Omit<TrustedLeaf, 'publicKey'>;
type VerifyChain = (x5c: unknown, purpose: LeafPurpose) => ChainResult;

/** A document as its bytes show it. `sealed` is null when nobody below our root sealed and stamped it. */
export interface OpenedDocument {
  checks: DocumentCheck[];
  sealed: {
    leaf: Leaf;
    stamper: Leaf;
    /** When, by the time-stamp. */
    at: Date;
    /** SHA-256 of what the seal covers. */
    digest: string;
    number: string;
  } | null;
}

const RANGE = '/ByteRange [';
const CONTENTS = '/Contents <';
const END = '%%EOF';

/** Opens the bytes; goes on as far as it can, so that each fault is named. */
export function openDocument(bytes: Buffer, verifyChain: VerifyChain): OpenedDocument {
  const checks = createChecks(DOCUMENT_CHECKS);
  const stop = (): OpenedDocument => ({ checks: checks.list(), sealed: null });
  const range = readRange(bytes);
  if (typeof range === 'string') {
    checks.fail('format', range);
    return stop();
  }
  checks.pass('format', 'A PDF with a seal of the form PAdES.');
  checkCoverage(bytes, range, checks);
  const cms = signatureIn(bytes, range);
  if (typeof cms === 'string') {
    checks.fail('signature', cms);
    return stop();
  }
  const digest = createHash('sha256')
    .update(bytes.subarray(0, range.before))
    .update(bytes.subarray(range.after, range.end))
    .digest();
  if (cms.messageDigest.equals(digest)) checks.pass('digest', 'What the seal covers is unchanged.');
  else checks.fail('digest', 'What the seal covers was changed after it was sealed.');
  if (isSigned(cms)) checks.pass('signature', 'The seal’s own signature holds.');
  else checks.fail('signature', 'The seal’s signature was changed, or another key made it.');
  const seal = trustedLeaf(cms, 'seal', verifyChain);
  if ('reason' in seal) checks.fail('certificate', seal.reason);
  else {
    checks.pass('certificate', `The seal of ${seal.leaf.organization} under this registry's CA.`);
  }
  const stamp = openStamp(cms, verifyChain);
  if (typeof stamp === 'string') checks.fail('timestamp', stamp);
  else checks.pass('timestamp', `Stamped ${stamp.at.toISOString()}.`);
  const number = numberIn(bytes, range.before);
  if ('reason' in seal || typeof stamp === 'string' || number === undefined) return stop();
  return {
    checks: checks.list(),
    sealed: { leaf: seal.leaf, ...stamp, digest: digest.toString('hex'), number },
  };
}

/** The file without the signature's digits and their brackets: [0, before) and [after, end). */
interface Range {
  before: number;
  after: number;
  end: number;
}

/** The first byte range of the file, or why there is none. */
function readRange(bytes: Buffer): Range | string {
  const at = bytes.indexOf(RANGE, 0, 'latin1');
  if (at < 0) return 'There is no seal in this file.';
  const numbers = bytes.toString('latin1', at + RANGE.length, at + RANGE.length + 64);
  const [, before, after, rest] = /^0 (\d{1,9}) (\d{1,9}) (\d{1,9}) *\]/.exec(numbers) ?? [];
  if (!before || !after || !rest) return 'The seal does not say which bytes it covers.';
  const range = { before: Number(before), after: Number(after), end: Number(after) + Number(rest) };
  const isInside = at < range.before && range.before < range.after && range.end <= bytes.length;
  return isInside ? range : 'The seal covers bytes that are not in this file.';
}

function checkCoverage(
  bytes: Buffer,
  { before, after, end }: Range,
  checks: ReturnType<typeof createChecks<(typeof DOCUMENT_CHECKS)[number]>>,
): void {
  const isWhole =
    end === bytes.length &&
    after - before === 2 * ROOM.signatureBytes + 2 &&
    bytes.toString('latin1', before - CONTENTS.length + 1, before + 1) === CONTENTS &&
    bytes[after - 1] === '>'.charCodeAt(0);
  if (isWhole) checks.pass('byte_range', 'The seal covers every byte but its own.');
  else checks.fail('byte_range', 'There are bytes that the seal does not cover.');
  const isOnce = [RANGE, END, 'startxref'].every((word) => isThereOnce(bytes, word));
  if (end < bytes.length) {
    checks.fail('updates', `${bytes.length - end} bytes were added after the sealing.`);
  } else if (!isOnce) checks.fail('updates', 'The file was saved more than once.');
  else checks.pass('updates', 'Nothing was added after the sealing.');
}

function isThereOnce(bytes: Buffer, word: string): boolean {
  const first = bytes.indexOf(word, 0, 'latin1');
  return first >= 0 && bytes.indexOf(word, first + 1, 'latin1') < 0;
}

/** The signature in its room, zeros after it and nothing else; or what is wrong. */
function signatureIn(bytes: Buffer, { before, after }: Range): ReadCms | string {
  const most = 2 * ROOM.signatureBytes;
  const digits = bytes.toString('latin1', before + 1, Math.min(after - 1, before + 1 + most));
  if (!/^([0-9a-f]{2})+$/.test(digits)) return 'The seal’s signature is not readable.';
  const room = Buffer.from(digits, 'hex');
  // DER of this size has a length of two bytes: 30 82 LL LL.
  const length = room.length > 4 && room.readUInt16BE(0) === 0x3082 ? 4 + room.readUInt16BE(2) : 0;
  if (length === 0 || length > room.length) return 'The seal’s signature is not readable.';
  if (room.subarray(length).some((byte) => byte !== 0)) {
    return 'Something stands behind the seal’s signature.';
  }
  return cmsIn(room.subarray(0, length));
}

function cmsIn(der: Buffer): ReadCms | string {
  try {
    return readCms(der);
  } catch (error) {
    if (error instanceof CmsFault) return error.message;
    throw error;
  }
}

/** The time-stamp over the signature's value (RFC 3161 appendix A), or what is wrong with it. */
function openStamp(
  { token, signature }: ReadCms,
  verifyChain: VerifyChain,
): { stamper: Leaf; at: Date } | string {
  if (!token) return 'The seal bears no time-stamp.';
  const cms = cmsIn(token);
  if (typeof cms === 'string') return cms;
  const { inside, type, messageDigest } = cms;
  if (type !== OID.timestampInfo || !inside || !isSigned(cms)) {
    return 'The time-stamp’s signature does not hold.';
  }
  if (!createHash('sha256').update(inside).digest().equals(messageDigest)) {
    return 'The time-stamp was changed.';
  }
  const chain = trustedLeaf(cms, 'timestamp', verifyChain);
  if ('reason' in chain) return chain.reason;
  const [, , imprint, , genTime] = membersOf(readDer(inside));
  const [, hashed] = imprint ? membersOf(imprint) : [];
  const expected = createHash('sha256').update(signature).digest();
  if (!isUniversal(hashed, Type.OCTETSTRING) || !bytesOf(hashed).equals(expected)) {
    return 'The time-stamp belongs to another seal.';
  }
  const at = isUniversal(genTime, Type.GENERALIZEDTIME) ? timeOf(bytesOf(genTime)) : undefined;
  return at ? { stamper: chain.leaf, at } : 'The time-stamp tells no time.';
}

function timeOf(bytes: Buffer): Date | undefined {
  const digits = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(bytes.toString('latin1'));
  if (!digits) return undefined;
  const [, year, month, day, hour, minute, second] = digits;
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** The number in the signature's dictionary, which stands before the signature. */
function numberIn(bytes: Buffer, before: number): string | undefined {
  const near = bytes.toString('latin1', Math.max(0, before - 2_000), before);
  return new RegExp(`/${ROOM.numberKey} \\(([0-9A-Z.]{1,120})\\)`).exec(near)?.[1];
}
