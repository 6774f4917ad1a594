// Folding and digests: one person, one index, however she is written; two people, two.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containsCitizenId, foldIdentifier, isCitizenId } from '../../../identity/index.ts';
import { createPersonIndex, normalise } from '../../../identity/person-index.ts';
import { systemIds } from '../../../platform/index.ts';
import { citizenId, versions } from '../../integration/identity/house.ts';

const index = createPersonIndex({
  indexRegistry: versions(),
  indexAudit: systemIds.bytes(32),
  pseudonym: systemIds.bytes(32),
});

const TODAY = '2026-03-04';

const ids = fc
  .record({
    day: fc.date({ min: new Date('1900-01-01'), max: new Date('2026-01-01'), noInvalidDate: true }),
    sequence: fc.integer({ min: 1, max: 999 }),
    area: fc.integer({ min: 100_000, max: 999_999 }),
  })
  .map(({ day, sequence, area }) =>
    citizenId(day.toISOString().slice(0, 10).replaceAll('-', ''), sequence, String(area)),
  );

const fullWidth = (text: string) =>
  [...text].map((c) => String.fromCodePoint((c.codePointAt(0) ?? 0) + 0xfee0)).join('');

/** The ways in which one and the same ID arrives. */
const writings = fc.constantFrom<((value: string) => string)[]>(
  (value) => value,
  (value) => value.toLowerCase(),
  (value) => ` ${value}\t`,
  fullWidth,
  (value) => fullWidth(value.slice(0, 9)) + value.slice(9),
);

const cnId = (value: string) => normalise({ scheme: 'cn-id', value }, TODAY);

describe('identifiers', () => {
  it('fold to one form, and folding twice changes nothing', () => {
    fc.assert(
      fc.property(ids, writings, (value, write) => {
        const folded = foldIdentifier(write(value));
        expect(folded).toBe(value);
        expect(foldIdentifier(folded)).toBe(folded);
        expect(index.blindIndex(cnId(write(value)), 1)).toEqual(index.blindIndex(cnId(value), 1));
        expect(index.subjectTag(cnId(write(value)))).toEqual(index.subjectTag(cnId(value)));
      }),
    );
  });

  it('have digests that differ between people, purposes and keys', () => {
    fc.assert(
      fc.property(ids, ids, (a, b) => {
        fc.pre(a !== b);
        const digests = [a, b].flatMap((value) => {
          const person = cnId(value);
          return [
            index.blindIndex(person, 1),
            index.subjectTag(person),
            index.caseTag(value),
            index.blindIndex({ scheme: 'uscc', value }, 1),
          ];
        });
        expect(new Set(digests.map((digest) => digest.toString('hex'))).size).toBe(8);
        expect(digests.every((digest) => digest.length === 32)).toBe(true);
      }),
    );
  });

  it('are found in any text around them, and no single changed digit still passes', () => {
    fc.assert(
      fc.property(ids, writings, fc.string(), fc.string(), (value, write, before, after) => {
        expect(containsCitizenId(`${before}${write(value)}${after}`)).toBe(true);
      }),
    );
    fc.assert(
      fc.property(ids, fc.nat(17), fc.nat(9), (value, at, digit) => {
        fc.pre(value[at] !== String(digit));
        expect(isCitizenId(`${value.slice(0, at)}${digit}${value.slice(at + 1)}`)).toBe(false);
      }),
    );
  });

  it('give an actor another pseudonym towards each subject', () => {
    fc.assert(
      fc.property(ids, ids, fc.uuid(), (a, b, officer) => {
        fc.pre(a !== b);
        const [tagA, tagB] = [index.subjectTag(cnId(a)), index.subjectTag(cnId(b))];
        const pseudonyms = [
          index.pseudonym(officer, tagA),
          index.pseudonym(officer, tagB),
          index.pseudonym(officer, null),
          index.pseudonym(`${officer}x`, tagA),
        ];
        expect(new Set(pseudonyms).size).toBe(4);
        expect(index.pseudonym(officer, tagA)).toBe(pseudonyms[0]);
      }),
    );
  });
});
