// Random lives over the act table: what must hold whatever is done in whatever order.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ACTS,
  type Act,
  actsPossible,
  isLive,
  isSuccession,
  type LicenceStatus,
  STATUSES,
  statusAfterAct,
  statusListValue,
  statusOn,
} from '../../../registry/licence.ts';

interface Version {
  status: LicenceStatus;
  listed: 0 | 1 | 2 | 3;
}

/** A lineage under acts, as the registry carries them out. */
function live(acts: readonly { on: number; act: Act }[]): Version[] {
  const versions: Version[] = [{ status: 'valid', listed: 0 }];
  for (const { on, act } of acts) {
    const version = versions[on % versions.length];
    const after = version && statusAfterAct(version.status, act);
    if (!version || !after) continue;
    version.status = after;
    version.listed = statusListValue(after) ?? version.listed;
    if (isSuccession(act)) versions.push({ status: 'valid', listed: 0 });
  }
  return versions;
}

const life = fc.array(fc.record({ on: fc.nat(20), act: fc.constantFrom(...ACTS) }), {
  maxLength: 40,
});

test('at most one version is live, and the list says how each stands', () => {
  fc.assert(
    fc.property(life, (acts) => {
      const versions = live(acts);
      expect(versions.filter(({ status }) => isLive(status)).length).toBeLessThanOrEqual(1);
      for (const { status, listed } of versions) {
        expect(listed === 0).toBe(status === 'valid');
        expect(listed === 2).toBe(status === 'suspended');
        expect(listed === 3).toBe(status === 'superseded');
      }
      // Only the newest version may still change.
      for (const { status } of versions.slice(0, -1)) expect(actsPossible(status)).toEqual([]);
    }),
    { numRuns: 10_000 },
  );
});

test('an act that ended a licence can not be taken back', () => {
  const ended = STATUSES.filter((status) => actsPossible(status).length === 0);
  expect(ended).toEqual(['superseded', 'cancelled', 'rescinded', 'revoked', 'transferred']);
  fc.assert(
    fc.property(fc.constantFrom(...ended), fc.constantFrom(...ACTS), (status, act) => {
      expect(statusAfterAct(status, act)).toBeUndefined();
    }),
  );
});

test('a date makes only a live licence expired, and only after its last day', () => {
  const day = fc
    .date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10));
  fc.assert(
    fc.property(fc.constantFrom(...STATUSES), day, fc.option(day), (stored, today, validTo) => {
      const status = statusOn(today, stored, validTo);
      const isOver = validTo !== null && validTo < today;
      expect(status).toBe(isLive(stored) && isOver ? 'expired' : stored);
    }),
  );
});
