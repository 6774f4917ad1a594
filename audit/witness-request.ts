// The body of C2SP tlog-witness add-checkpoint: old size, consistency proof, checkpoint.
import { decodeBase64 } from './signed-note.ts';

/** What a log asks a witness to sign. */
export interface WitnessRequest {
  /** The size the witness has recorded, as far as the log knows. */
  oldSize: number;
  /** The consistency proof from there (RFC 6962 section 2.1.2); empty from size 0. */
  proof: Buffer[];
  /** The checkpoint, signed by the log. */
  note: string;
}

const mostHashes = 63;

export function formatWitnessRequest({ oldSize, proof, note }: WitnessRequest): string {
  const lines = [`old ${oldSize}`, ...proof.map((hash) => hash.toString('base64'))];
  return `${lines.join('\n')}\n\n${note}`;
}

/** The request in a body; undefined when it isn't exactly one. */
export function parseWitnessRequest(body: string): WitnessRequest | undefined {
  const split = body.indexOf('\n\n');
  const [old = '', ...rest] = split < 0 ? [] : body.slice(0, split).split('\n');
  const oldSize = parseSize(/^old (\S+)$/.exec(old)?.[1] ?? '');
  const proof = rest.map(decodeBase64).filter((hash) => hash?.length === 32);
  if (oldSize === undefined || rest.length > mostHashes || proof.length < rest.length) {
    return undefined;
  }
  const hashes = proof.filter((hash) => hash !== undefined);
  return { oldSize, proof: hashes, note: body.slice(split + 2) };
}

/** A tree size in decimal without leading zeroes; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const size = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(size) ? size : undefined;
}
