// Citizen IDs by GB 11643: published and made-up examples.
import { describe, expect, it } from 'vitest';
import { isCitizenId } from '../../identity/index.ts';
import vectors from './gb11643.json' with { type: 'json' };

describe('GB 11643', () => {
  it.each(vectors.valid)('accepts %s', (value) => {
    expect(isCitizenId(value)).toBe(true);
  });

  it.each(Object.entries(vectors.invalid))('refuses one with %s', (_, value) => {
    expect(isCitizenId(value)).toBe(false);
  });

  it('accepts exactly one check character for each seventeen digits', () => {
    for (const value of vectors.valid) {
      const accepted = [...'0123456789X'].filter((check) =>
        isCitizenId(value.slice(0, 17) + check),
      );
      expect(accepted).toEqual([value.slice(17)]);
    }
  });
});
