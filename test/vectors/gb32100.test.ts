// Unified social credit codes by GB 32100: published examples.
import { describe, expect, it } from 'vitest';
import { isUscc } from '../../identity/index.ts';
import vectors from './gb32100.json' with { type: 'json' };

describe('GB 32100', () => {
  it.each(vectors.valid)('accepts %s', (value) => {
    expect(isUscc(value)).toBe(true);
  });

  it.each(Object.entries(vectors.invalid))('refuses one with %s', (_, value) => {
    expect(isUscc(value)).toBe(false);
  });

  it('accepts exactly one check character for each seventeen', () => {
    for (const value of vectors.valid) {
      const accepted = [...'0123456789ABCDEFGHJKLMNPQRTUWXY'].filter((check) =>
        isUscc(value.slice(0, 17) + check),
      );
      expect(accepted).toEqual([value.slice(17)]);
    }
  });
});
