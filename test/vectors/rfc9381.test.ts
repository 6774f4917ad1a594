// RFC 9381, appendix B.3, for the key's holder (signing/) and for the offline verifier, which share no code.
import { describe, expect, it } from 'vitest';
import { openVrf, verifyVrf } from '../../signing/index.ts';
import { vrfOutput } from '../../verifier/vrf.ts';
import vectors from './rfc9381.json' with { type: 'json' };

const bytes = (hex: string) => Buffer.from(hex, 'hex');
const offline = async (key: Uint8Array, alpha: Uint8Array, proof: Uint8Array) => {
  const output = await vrfOutput(key, alpha, proof);
  return output && Buffer.from(output);
};

describe.each(vectors.examples)('RFC 9381, for the input "$alpha"', (example) => {
  const key = bytes(example.publicKey);
  const alpha = bytes(example.alpha);
  const proof = bytes(example.proof);
  const vrf = openVrf(bytes(example.secretKey));

  it('gives the key, the output and the proof of the standard', () => {
    expect(vrf.publicKey).toEqual(key);
    expect(vrf.output(alpha)).toEqual(bytes(example.output));
    expect(vrf.prove(alpha)).toEqual(proof);
  });

  it('finds the output in the proof, here and offline', async () => {
    expect(verifyVrf(key, alpha, proof)).toEqual(bytes(example.output));
    expect(await offline(key, alpha, proof)).toEqual(bytes(example.output));
  });

  it('finds none when a bit of the proof, another input or another key', async () => {
    const other = openVrf(Buffer.alloc(32, 7)).publicKey;
    for (const at of [0, 31, 32, 47, 48, 78]) {
      const changed = Buffer.from(proof);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(verifyVrf(key, alpha, changed)).toBeUndefined();
      expect(await offline(key, alpha, changed)).toBeUndefined();
    }
    for (const [k, a, pi] of [
      [key, Buffer.from('another'), proof],
      [other, alpha, proof],
      [key, alpha, proof.subarray(0, 79)],
      [key, alpha, Buffer.concat([proof, Buffer.of(0)])],
    ] as const) {
      expect(verifyVrf(k, a, pi)).toBeUndefined();
      expect(await offline(k, a, pi)).toBeUndefined();
    }
  });
});

describe('a key or proof that would prove everything', () => {
  const vrf = openVrf(Buffer.alloc(32, 9));
  const alpha = Buffer.from('a tag');

  it.each([
    ['the neutral point', `01${'00'.repeat(31)}`],
    ['a point of order 2', `ec${'ff'.repeat(30)}7f`],
    ['a point of order 4', '00'.repeat(32)],
    ['a second encoding of a point', `ee${'ff'.repeat(30)}7f`],
  ])('is refused: %s as the key', async (_, hex) => {
    const proof = vrf.prove(alpha);
    expect(verifyVrf(bytes(hex), alpha, proof)).toBeUndefined();
    expect(await offline(bytes(hex), alpha, proof)).toBeUndefined();
  });

  it('is refused: a scalar of the proof beyond the order of the group', async () => {
    const proof = vrf.prove(alpha);
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${Buffer.from(proof.subarray(48)).reverse().toString('hex')}`) + order;
    const written = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
    const changed = Buffer.concat([proof.subarray(0, 48), written]);
    expect(verifyVrf(vrf.publicKey, alpha, changed)).toBeUndefined();
    expect(await offline(vrf.publicKey, alpha, changed)).toBeUndefined();
  });
});

it('agrees offline with the library over many inputs', async () => {
  const vrf = openVrf(Buffer.alloc(32, 3));
  for (let n = 0; n < 12; n++) {
    const alpha = Buffer.alloc(32, n);
    const proof = vrf.prove(alpha);
    expect(verifyVrf(vrf.publicKey, alpha, proof)).toEqual(vrf.output(alpha));
    expect(await offline(vrf.publicKey, alpha, proof)).toEqual(vrf.output(alpha));
  }
});
