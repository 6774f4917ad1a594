// Seeded choices for invented people: the same seed gives the same city, on every machine.
import { createHash } from 'node:crypto';

/** Draws that depend on nothing but the seed and their order. */
export interface Seeded {
  int(maxExclusive: number): number;
  between(min: number, max: number): number;
  pick<T>(items: readonly T[]): T;
  chance(probability: number): boolean;
}

/** A stream of draws from SHA-256 in counter mode: slow beside a PRNG, but stable by definition. */
export function seeded(seed: string): Seeded {
  let counter = 0;
  let block = Buffer.alloc(0);
  let at = 0;
  const next = (): number => {
    if (at + 4 > block.length) {
      block = createHash('sha256').update(`${seed}|${counter++}`).digest();
      at = 0;
    }
    const value = block.readUInt32BE(at);
    at += 4;
    return value;
  };
  const int = (maxExclusive: number): number => next() % maxExclusive;
  return {
    int,
    between: (min, max) => min + int(max - min + 1),
    pick: (items) => {
      const item = items[int(items.length)];
      if (item === undefined) throw new TypeError('nothing to pick from');
      return item;
    },
    chance: (probability) => next() / 2 ** 32 < probability,
  };
}
