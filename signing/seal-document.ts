// Sealing a drawn document: PAdES B-T (ETSI EN 319 142-1), the signature over every byte but its own.
import { createHash } from 'node:crypto';
import { OID, signedData, timestampAttribute } from './cms.ts';
import { ROOM } from './document.ts';
import type { Signer } from './keystore.ts';

const RANGE = '/ByteRange [';
const CONTENTS = '/Contents <';

/** A document whose byte range is filled in; its signature's room still holds zeros. */
export interface Unsealed {
  bytes: Buffer;
  /** Where the signature's digits begin; the angle brackets stand around them. */
  contentsAt: number;
  /** SHA-256 of all that the signature will cover. */
  digest: Buffer;
}

/** Fills in the byte range: everything except `<…>`. */
export function prepareSeal(drawn: Uint8Array): Unsealed {
  const bytes = Buffer.from(drawn);
  const rangeAt = onlyPlaceOf(bytes, RANGE);
  const contentsAt = onlyPlaceOf(bytes, CONTENTS) + CONTENTS.length;
  const before = contentsAt - 1;
  const after = contentsAt + 2 * ROOM.signatureBytes + 1;
  const end = bytes.indexOf(']', rangeAt);
  const room = end - rangeAt - RANGE.length;
  const numbers = `0 ${before} ${after} ${bytes.length - after}`.padEnd(room);
  if (numbers.length !== room) throw new TypeError('The byte range has no room for its numbers.');
  bytes.write(numbers, rangeAt + RANGE.length, 'latin1');
  const digest = createHash('sha256')
    .update(bytes.subarray(0, before))
    .update(bytes.subarray(after))
    .digest();
  return { bytes, contentsAt, digest };
}

/** Seals it; `stamp` gives a time-stamp token over a SHA-256 digest. */
export async function seal(
  { bytes, contentsAt, digest }: Unsealed,
  signer: Signer,
  stamp: (digest: Buffer) => Promise<Buffer>,
): Promise<Buffer> {
  const signature = await signedData(
    {
      type: OID.data,
      digest,
      hasCertificates: true,
      unsigned: async (value) => {
        const token = await stamp(createHash('sha256').update(value).digest());
        return [timestampAttribute(token)];
      },
    },
    signer,
  );
  if (signature.length > ROOM.signatureBytes) throw new TypeError('The signature has no room.');
  bytes.write(signature.toString('hex'), contentsAt, 'latin1');
  return bytes;
}

function onlyPlaceOf(bytes: Buffer, text: string): number {
  const at = bytes.indexOf(text, 0, 'latin1');
  if (at < 0 || bytes.indexOf(text, at + 1, 'latin1') >= 0) {
    throw new TypeError(`A drawn document holds ${text} once.`);
  }
  return at;
}
