// C2SP signed-note: a text with signature lines; Ed25519 only (type 0x01), unknown keys are ignored.
import { createPublicKey, hash, verify } from 'node:crypto';
import { auditErrors } from './errors.ts';

/** An Ed25519 key that signs; the private half stays with its owner. */
export interface NoteSigner {
  /** The raw 32 bytes. */
  publicKey: Buffer;
  sign(bytes: Buffer): Buffer;
}

/** A known key: what a vkey says. */
export interface NoteVerifier {
  name: string;
  keyId: Buffer;
  publicKey: Buffer;
}

/** A note whose signatures by the known keys hold. */
export interface OpenedNote {
  text: string;
  /** Names of the known keys that signed. */
  signedBy: string[];
}

const ed25519Type = 0x01;
const ed25519KeyBytes = 32;
const ed25519SignatureBytes = 64;
// SubjectPublicKeyInfo of an Ed25519 key (RFC 8410) up to the key itself.
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** Key names hold no space and no plus sign. */
export function isKeyName(name: string): boolean {
  return name !== '' && !/[\s+]/u.test(name);
}

/** SHA-256(name ‖ LF ‖ type ‖ public key), first four bytes. */
export function noteKeyId(name: string, publicKey: Buffer): Buffer {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ed25519Type), publicKey]);
  return hash('sha256', input, 'buffer').subarray(0, 4);
}

/** `name+hex(key id)+base64(type ‖ public key)`. */
export function formatVkey(name: string, publicKey: Buffer): string {
  if (!isKeyName(name)) throw new TypeError('A key name holds no space and no plus sign.');
  const key = Buffer.concat([Buffer.of(ed25519Type), publicKey]).toString('base64');
  return `${name}+${noteKeyId(name, publicKey).toString('hex')}+${key}`;
}

/** Reads a vkey; refuses a key id that does not fit its key, and any other kind of key. */
export function parseVkey(vkey: string): NoteVerifier {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(vkey);
  const [, name, keyId, encoded] = match ?? [];
  const key = encoded === undefined ? undefined : decodeBase64(encoded);
  if (name && keyId && key?.length === 1 + ed25519KeyBytes && key[0] === ed25519Type) {
    const publicKey = key.subarray(1);
    const expected = noteKeyId(name, publicKey);
    if (expected.toString('hex') === keyId) return { name, keyId: expected, publicKey };
  }
  throw auditErrors.note_invalid('This is not the verifier key of an Ed25519 note signer.');
}

/** Puts the signature line of `signer` under a text that ends with a line feed. */
export function signNote(text: string, name: string, signer: NoteSigner): string {
  if (!isNoteText(text)) throw new TypeError('A note is UTF-8 text that ends with a line feed.');
  const payload = Buffer.concat([
    noteKeyId(name, signer.publicKey),
    signer.sign(Buffer.from(text)),
  ]);
  return `${text}\n— ${name} ${payload.toString('base64')}\n`;
}

/**
 * Opens a note: every signature by a known key must hold, and at least one must be there;
 * lines of unknown keys are passed over.
 */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): OpenedNote {
  const split = note.lastIndexOf('\n\n');
  const text = note.slice(0, split + 1);
  if (split < 0 || !note.endsWith('\n') || !isNoteText(text)) {
    throw auditErrors.note_invalid('This is not a signed note.');
  }
  const lines = note.slice(split + 2, -1).split('\n');
  const signedBy: string[] = [];
  for (const line of lines) {
    const match = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line);
    const [, name, encoded] = match ?? [];
    const payload = encoded === undefined ? undefined : decodeBase64(encoded);
    if (!name || !payload || payload.length < 5) {
      throw auditErrors.note_invalid('A signature line of this note is malformed.');
    }
    const known = verifiers.find((v) => v.name === name && v.keyId.equals(payload.subarray(0, 4)));
    if (!known || signedBy.includes(name)) continue;
    if (!isSignature(text, payload.subarray(4), known.publicKey)) {
      throw auditErrors.note_invalid(`The signature of ${name} does not hold.`);
    }
    signedBy.push(name);
  }
  if (signedBy.length === 0) {
    throw auditErrors.note_invalid('No known key has signed this note.');
  }
  return { text, signedBy };
}

function isSignature(text: string, signature: Buffer, publicKey: Buffer): boolean {
  if (signature.length !== ed25519SignatureBytes) return false;
  const key = createPublicKey({
    key: Buffer.concat([spkiPrefix, publicKey]),
    format: 'der',
    type: 'spki',
  });
  return verify(null, Buffer.from(text), key, signature);
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
