// C2SP tlog-cosignature, Ed25519: a witness's signature over a checkpoint and the time it saw it.
import { auditErrors } from './errors.ts';
import {
  formatSignatureLine,
  isOf,
  isSignature,
  keyTypes,
  type NoteSigner,
  type NoteVerifier,
  noteKeyId,
  parseSignatureLines,
  type SignatureLine,
} from './signed-note.ts';

/** A cosignature that holds. */
export interface Cosignature {
  /** The witness's key name. */
  name: string;
  /** When the witness signed, by its own clock; to the second. */
  at: Date;
  /** The line as it goes under the checkpoint, with its line feed. */
  line: string;
}

const timeBytes = 8;

function signedBytes(text: string, seconds: bigint): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`);
}

/** The line of a witness under a checkpoint's text. */
export function cosign(text: string, name: string, signer: NoteSigner, at: Date): string {
  const seconds = BigInt(Math.floor(at.getTime() / 1000));
  const time = Buffer.alloc(timeBytes);
  time.writeBigUInt64BE(seconds);
  return formatSignatureLine({
    name,
    keyId: noteKeyId(name, signer.publicKey, keyTypes.cosigner),
    signature: Buffer.concat([time, signer.sign(signedBytes(text, seconds))]),
  });
}

/**
 * The cosignatures by known witnesses among signature lines under `text`, one a witness. Lines of
 * unknown keys are passed over; a known key's that does not hold refuses them all.
 */
export function openCosignatures(
  text: string,
  lines: readonly SignatureLine[],
  witnesses: readonly NoteVerifier[],
): Cosignature[] {
  const found = new Map<string, Cosignature>();
  for (const line of lines) {
    const witness = witnesses.find((known) => isOf(line, known));
    if (!witness || found.has(witness.name)) continue;
    const at = timeOf(text, line.signature, witness);
    if (!at) throw auditErrors.note_invalid(`The cosignature of ${line.name} does not hold.`);
    found.set(witness.name, { name: witness.name, at, line: formatSignatureLine(line) });
  }
  return [...found.values()];
}

/** The same from a witness's reply, which is nothing but lines. */
export function readCosignatures(
  text: string,
  reply: string,
  witnesses: readonly NoteVerifier[],
): Cosignature[] {
  return openCosignatures(text, parseSignatureLines(reply), witnesses);
}

function timeOf(text: string, payload: Buffer, { publicKey }: NoteVerifier): Date | undefined {
  if (payload.length <= timeBytes) return undefined;
  const seconds = payload.readBigUInt64BE(0);
  const isTrue = isSignature(signedBytes(text, seconds), payload.subarray(timeBytes), publicKey);
  const at = new Date(Number(seconds) * 1000);
  // A witness without a time, or with one no calendar has, says nothing.
  return isTrue && seconds > 0n && !Number.isNaN(at.getTime()) ? at : undefined;
}
