// C2SP signed-note: a text with signature lines. Logs sign with Ed25519 (type 0x01), witnesses with
// Ed25519 cosignatures (type 0x04, cosignature.ts); unknown keys are passed over.
import { createPublicKey, hash, verify } from 'node:crypto';
import { auditErrors } from './errors.ts';

/** An Ed25519 key that signs; the private half stays with its owner. */
export interface NoteSigner {
  /** The raw 32 bytes. */
  publicKey: Buffer;
  sign(bytes: Buffer): Buffer;
}

/** What a key's signatures say: a log's over the text, a witness's over the text and a time. */
export const keyTypes = { log: 0x01, cosigner: 0x04 } as const;
export type KeyType = (typeof keyTypes)[keyof typeof keyTypes];

/** A known key: what a vkey says. */
export interface NoteVerifier {
  name: string;
  keyId: Buffer;
  publicKey: Buffer;
}

/** One line under a note's text. */
export interface SignatureLine {
  name: string;
  keyId: Buffer;
  signature: Buffer;
}

/** A note whose signatures by the known keys hold. */
export interface OpenedNote {
  text: string;
  /** Names of the known keys that signed. */
  signedBy: string[];
}

const ed25519KeyBytes = 32;
const ed25519SignatureBytes = 64;
// SubjectPublicKeyInfo of an Ed25519 key (RFC 8410) up to the key itself.
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** Key names hold no space and no plus sign. */
export function isKeyName(name: string): boolean {
  return name !== '' && !/[\s+]/u.test(name);
}

/** SHA-256(name ‖ LF ‖ type ‖ public key), first four bytes. */
export function noteKeyId(name: string, publicKey: Buffer, type: KeyType = keyTypes.log): Buffer {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), publicKey]);
  return hash('sha256', input, 'buffer').subarray(0, 4);
}

/** `name+hex(key id)+base64(type ‖ public key)`. */
export function formatVkey(name: string, publicKey: Buffer, type: KeyType = keyTypes.log): string {
  if (!isKeyName(name)) throw new TypeError('A key name holds no space and no plus sign.');
  const key = Buffer.concat([Buffer.of(type), publicKey]).toString('base64');
  return `${name}+${noteKeyId(name, publicKey, type).toString('hex')}+${key}`;
}

/** Reads a vkey; refuses a key id that does not fit its key, and any other type of key. */
export function parseVkey(vkey: string, type: KeyType = keyTypes.log): NoteVerifier {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(vkey);
  const [, name, keyId, encoded] = match ?? [];
  const key = encoded === undefined ? undefined : decodeBase64(encoded);
  if (name && keyId && key?.length === 1 + ed25519KeyBytes && key[0] === type) {
    const publicKey = key.subarray(1);
    const expected = noteKeyId(name, publicKey, type);
    if (expected.toString('hex') === keyId) return { name, keyId: expected, publicKey };
  }
  const whose = type === keyTypes.log ? 'a log (Ed25519, type 1)' : 'a witness (Ed25519, type 4)';
  throw auditErrors.note_invalid(`This is not the verifier key of ${whose}.`);
}

/** Puts the signature lines of `signers`, all of one name, under a text that ends with a line feed. */
export function signNote(
  text: string,
  name: string,
  ...signers: [NoteSigner, ...NoteSigner[]]
): string {
  if (!isNoteText(text)) throw new TypeError('A note is UTF-8 text that ends with a line feed.');
  const lines = signers.map((signer) =>
    formatSignatureLine({
      name,
      keyId: noteKeyId(name, signer.publicKey),
      signature: signer.sign(Buffer.from(text)),
    }),
  );
  return `${text}\n${lines.join('')}`;
}

/** The line of one signature, with its line feed. */
export function formatSignatureLine({ name, keyId, signature }: SignatureLine): string {
  return `— ${name} ${Buffer.concat([keyId, signature]).toString('base64')}\n`;
}

/** Reads signature lines, each ended by a line feed; refuses anything else. */
export function parseSignatureLines(lines: string): SignatureLine[] {
  if (!lines.endsWith('\n')) throw auditErrors.note_invalid('A signature line is not ended.');
  return lines
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      const [, name, encoded] = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? [];
      const payload = encoded === undefined ? undefined : decodeBase64(encoded);
      if (!name || !payload || payload.length < 5) {
        throw auditErrors.note_invalid('A signature line of this note is malformed.');
      }
      return { name, keyId: payload.subarray(0, 4), signature: payload.subarray(4) };
    });
}

/** A note's text and the lines under it, nothing verified. */
export function splitNote(note: string): { text: string; lines: SignatureLine[] } {
  const split = note.lastIndexOf('\n\n');
  const text = note.slice(0, split + 1);
  if (split < 0 || !isNoteText(text)) {
    throw auditErrors.note_invalid('This is not a signed note.');
  }
  return { text, lines: parseSignatureLines(note.slice(split + 2)) };
}

/** Whether the line is by this key, right or wrong. */
export function isOf(line: SignatureLine, verifier: NoteVerifier): boolean {
  return line.name === verifier.name && line.keyId.equals(verifier.keyId);
}

/**
 * Opens a note: every signature by a known key must hold, and at least one must be there;
 * lines of unknown keys are passed over.
 */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): OpenedNote {
  const { text, lines } = splitNote(note);
  const signedBy: string[] = [];
  const seen = new Set<NoteVerifier>();
  for (const line of lines) {
    const known = verifiers.find((verifier) => isOf(line, verifier));
    if (!known || seen.has(known)) continue;
    seen.add(known);
    if (!isSignature(Buffer.from(text), line.signature, known.publicKey)) {
      throw auditErrors.note_invalid(`The signature of ${line.name} does not hold.`);
    }
    if (!signedBy.includes(line.name)) signedBy.push(line.name);
  }
  if (signedBy.length === 0) {
    throw auditErrors.note_invalid('No known key has signed this note.');
  }
  return { text, signedBy };
}

/** Whether `signature` is this Ed25519 key's over `bytes`. */
export function isSignature(bytes: Buffer, signature: Buffer, publicKey: Buffer): boolean {
  if (signature.length !== ed25519SignatureBytes) return false;
  const key = createPublicKey({
    key: Buffer.concat([spkiPrefix, publicKey]),
    format: 'der',
    type: 'spki',
  });
  return verify(null, bytes, key, signature);
}

/** No control characters but the line feed; the last line is ended. */
function isNoteText(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what the format forbids
  return text.endsWith('\n') && !/[\u0000-\u0009\u000b-\u001f]/.test(text);
}

/** Canonical base64 (RFC 4648 section 4); undefined for anything else. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
