// What leaves is inside every one of the three lists, whatever a rule or a desk said.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { disclose, disclosedFields } from '../../../exchange/disclosure.ts';
import { shardLimits } from '../../../exchange/guards-store.ts';
import type { ObjectSchema } from '../../../exchange/schema-check.ts';
import {
  isFinal,
  mayFollow,
  VERIFICATION_STATES,
  type VerificationState,
} from '../../../exchange/verification.ts';

const names = ['matches', 'recorded', 'as_of', 'cause', '__proto__', 'constructor', 'toString'];
const subset = fc.subarray(names);

function schemaOf(fields: string[]): ObjectSchema {
  const properties = Object.fromEntries(fields.map((name) => [name, { type: 'string' }]));
  return { type: 'object', properties };
}

test('an answer is cut to schema ∩ minimal disclosure ∩ agreement', () => {
  fc.assert(
    fc.property(subset, subset, subset, subset, (said, schema, minimalFields, agreementFields) => {
      const terms = { answerSchema: schemaOf(schema), minimalFields, agreementFields };
      const answer = Object.fromEntries(said.map((name) => [name, `the ${name}`]));
      const disclosed = disclose(answer, terms);
      const allowed = names.filter((name) =>
        [schema, minimalFields, agreementFields].every((list) => list.includes(name)),
      );
      expect(disclosedFields(terms).sort()).toEqual([...allowed].sort());
      expect(Object.keys(disclosed).sort()).toEqual(
        allowed.filter((name) => said.includes(name)).sort(),
      );
      for (const name of Object.keys(disclosed)) expect(disclosed[name]).toBe(`the ${name}`);
    }),
  );
});

test('the shards of a quota add up to it, and none is empty', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000_000 }), (perDay) => {
      const limits = shardLimits(perDay);
      expect(limits.reduce((sum, limit) => sum + limit, 0)).toBe(perDay);
      expect(Math.min(...limits)).toBeGreaterThan(0);
    }),
  );
});

test('every walk through the states ends in exactly one final state, from which nothing follows', () => {
  const walk = fc.array(fc.nat(), { minLength: 10, maxLength: 10 });
  fc.assert(
    fc.property(walk, (choices) => {
      let state: VerificationState = 'accepted';
      const finals: VerificationState[] = [];
      for (const choice of choices) {
        const next = VERIFICATION_STATES.filter((to) => mayFollow(state, to));
        const to = next[choice % Math.max(1, next.length)];
        if (to === undefined) break;
        state = to;
        if (isFinal(state)) finals.push(state);
      }
      expect(finals).toHaveLength(1);
      expect(VERIFICATION_STATES.some((to) => mayFollow(state, to))).toBe(false);
    }),
  );
});
