// draft-ietf-oauth-status-list: the official lists.
import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decodeBase64url } from '../../platform/index.ts';
import { type BitsPerStatus, encodeStatusList, writeStatus } from '../../signing/status-list.ts';

interface Vectors {
  short: { bits: BitsPerStatus; statuses: number[]; bytes: string; lst: string }[];
  long: { bits: BitsPerStatus; size: number; ones: number[] };
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL('./token-status-list.json', import.meta.url), 'utf8'),
);

test.each(vectors.short)('$bits bit(s) pack to $bytes and compress to $lst', async (vector) => {
  const { bits, statuses } = vector;
  const list = Buffer.alloc((statuses.length * bits) / 8);
  statuses.forEach((status, idx) => {
    writeStatus(list, bits, idx, status);
  });
  expect({ bytes: list.toString('hex'), lst: await encodeStatusList(list) }).toEqual({
    bytes: vector.bytes,
    lst: vector.lst,
  });
});

test('the list of a million has its ones where the standard has them', async () => {
  const { bits, size, ones } = vectors.long;
  const list = Buffer.alloc((size * bits) / 8);
  for (const idx of ones) writeStatus(list, bits, idx, 1);
  // Compressors differ in their bytes; what is inside must not.
  const inflated = inflateSync(decodeBase64url(await encodeStatusList(list)));
  const found = Array.from({ length: size }, (_, idx) => idx).filter(
    (idx) => (inflated.readUInt8(idx >> 3) >> (idx & 7)) & 1,
  );
  expect(found).toEqual(ones);
});
