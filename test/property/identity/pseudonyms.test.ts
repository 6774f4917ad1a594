// An officer's pseudonym: towards one person the same from look to look, so that she can tell that it was the
// same officer again; towards two people nothing that they could lay side by side to find that it was one.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPersonIndex } from '../../../identity/person-index.ts';

const index = createPersonIndex({
  indexRegistry: { at: () => Buffer.alloc(32, 1) },
  indexAudit: Buffer.alloc(32, 2),
  pseudonym: Buffer.alloc(32, 3),
});
const elsewhere = createPersonIndex({
  indexRegistry: { at: () => Buffer.alloc(32, 1) },
  indexAudit: Buffer.alloc(32, 2),
  pseudonym: Buffer.alloc(32, 4),
});

const tag = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const household = fc.uniqueArray(tag, {
  minLength: 2,
  maxLength: 5,
  selector: (bytes) => bytes.toString('hex'),
});
const key = fc.stringMatching(/^[A-Za-z0-9._:/-]{1,64}$/);
const actor = fc.oneof(
  key.map((id) => `officer|${id}`),
  fc.tuple(key, key).map(([client, officer]) => `client|${client}|${officer}`),
);
const office = fc.uniqueArray(actor, { minLength: 1, maxLength: 5 });

test('one officer has one pseudonym towards one person, and others towards each other person', () => {
  fc.assert(
    fc.property(household, office, (people, officers) => {
      const table = people.map((person) => officers.map((one) => index.pseudonym(one, person)));
      // The same again, whenever it is made.
      expect(people.map((person) => officers.map((one) => index.pseudonym(one, person)))).toEqual(
        table,
      );
      const all = table.flat();
      expect(new Set(all).size).toBe(all.length);
    }),
  );
});

test('no part of two pseudonyms of an officer tells that they are of one', () => {
  fc.assert(
    fc.property(household, actor, (people, one) => {
      const given = people.map((person) => index.pseudonym(one, person));
      // 43 characters of a keyed digest: 256 bits. Eight in a row in common, by chance, once in 10^11.
      for (const [at, pseudonym] of given.entries()) {
        expect(pseudonym).toMatch(/^[\w-]{43}$/);
        for (const other of given.slice(at + 1)) {
          for (let start = 0; start + 8 <= pseudonym.length; start += 1) {
            expect(other).not.toContain(pseudonym.slice(start, start + 8));
          }
        }
        // Nor can anybody make it who knows officer and tag, but not the key.
        expect(elsewhere.pseudonym(one, people[at] ?? null)).not.toBe(pseudonym);
      }
    }),
  );
});

test('an entry about nobody has a pseudonym of its own', () => {
  fc.assert(
    fc.property(household, actor, (people, one) => {
      const toNobody = index.pseudonym(one, null);
      expect(people.map((person) => index.pseudonym(one, person))).not.toContain(toNobody);
    }),
  );
});
