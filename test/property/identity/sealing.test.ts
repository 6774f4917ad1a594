// Sealed values open under their own key and context, and under nothing else.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveKey, open, seal } from '../../../identity/sealing.ts';
import { systemIds } from '../../../platform/index.ts';

const key = systemIds.bytes(32);
const bytes = fc.uint8Array({ maxLength: 300 });

describe('sealing', () => {
  it('gives back what was sealed, and never the same ciphertext twice', () => {
    fc.assert(
      fc.property(bytes, fc.string(), (plaintext, context) => {
        const sealed = seal(systemIds, key, plaintext, context);
        expect(open(key, sealed, context)).toEqual(Buffer.from(plaintext));
        expect(sealed.length).toBe(plaintext.length + 29);
        expect(seal(systemIds, key, plaintext, context).equals(sealed)).toBe(false);
      }),
    );
  });

  it('refuses another context, another key, and any changed, missing or added byte', () => {
    fc.assert(
      fc.property(bytes, fc.string(), fc.string(), fc.nat(), (plaintext, context, other, at) => {
        fc.pre(context !== other);
        const sealed = seal(systemIds, key, plaintext, context);
        const flipped = Buffer.from(sealed);
        const place = at % sealed.length;
        flipped.writeUInt8(flipped.readUInt8(place) ^ 1, place);
        expect(() => open(key, sealed, other)).toThrow();
        expect(() => open(systemIds.bytes(32), sealed, context)).toThrow();
        expect(() => open(key, flipped, context)).toThrow();
        expect(() => open(key, sealed.subarray(0, place), context)).toThrow();
        expect(() => open(key, Buffer.concat([sealed, Buffer.of(0)]), context)).toThrow();
      }),
    );
  });

  it('draws a different key for each purpose from each key', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        fc.pre(a !== b);
        expect(deriveKey(key, a).equals(deriveKey(key, b))).toBe(false);
        expect(deriveKey(key, a).equals(deriveKey(systemIds.bytes(32), a))).toBe(false);
        expect(deriveKey(key, a)).toEqual(deriveKey(key, a));
      }),
    );
  });
});
