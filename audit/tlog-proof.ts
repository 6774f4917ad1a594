// C2SP tlog-proof: index, inclusion proof and checkpoint in one text, checked without the log.
import { auditErrors } from './errors.ts';
import { decodeBase64 } from './signed-note.ts';

const header = 'c2sp.org/tlog-proof@v1';
// 2^53 leaves need at most 53 hashes; the format itself allows 63.
const mostHashes = 63;

export interface TlogProof {
  index: number;
  hashes: Buffer[];
  /** The signed note, verbatim. */
  checkpoint: string;
  /** Carried along, not authenticated. */
  extra?: Buffer;
}

/** The proof as text. */
export function formatTlogProof({ index, hashes, checkpoint, extra }: TlogProof): string {
  const lines = [
    header,
    ...(extra ? [`extra ${extra.toString('base64')}`] : []),
    `index ${index}`,
    ...hashes.map((each) => each.toString('base64')),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/** Reads a proof; anything but the one canonical text of a proof is refused. */
export function parseTlogProof(text: string): TlogProof {
  const split = text.indexOf('\n\n');
  const [first, ...rest] = split < 0 ? [] : text.slice(0, split).split('\n');
  const extraLine = rest[0]?.startsWith('extra ')
    ? rest.shift()?.slice('extra '.length)
    : undefined;
  const extra = extraLine === undefined ? undefined : decodeBase64(extraLine);
  const index = /^index (0|[1-9]\d*)$/.exec(rest.shift() ?? '')?.[1];
  const hashes = rest.map(decodeBase64).filter((each) => each?.length === 32);
  const isProof =
    first === header &&
    (extraLine === undefined) === (extra === undefined) &&
    index !== undefined &&
    Number.isSafeInteger(Number(index)) &&
    hashes.length === rest.length &&
    hashes.length <= mostHashes;
  if (!isProof) throw auditErrors.proof_invalid('This is not a tlog-proof.');
  return {
    index: Number(index),
    hashes: hashes.filter((each) => each !== undefined),
    checkpoint: text.slice(split + 2),
    ...(extra && { extra }),
  };
}
