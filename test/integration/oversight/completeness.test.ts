// The proof that a citizen's list is whole: for her alone, and what she is shown is what it proves.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verify } from '../../../verifier/index.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { auditOfficer, desk, makeHouse } from './house.ts';

const databases = withDatabase();
const house = makeHouse(databases);
const { audit, oversight } = house;

beforeAll(() => house.start());
afterAll(() => audit.stop());

const hour = 3_600_000;

test('before the first map she is asked to wait', async () => {
  const { actor } = await house.aPerson();
  await expect(oversight.completeness(actor)).rejects.toMatchObject({
    code: 'audit.not_yet_checkpointed',
    retryAfterSeconds: 5,
  });
});

test('the proof holds offline and lists what she is shown; delayed looks join when due', async () => {
  const { actor, personId } = await house.aPerson();
  await house.look({ subject: personId });
  await house.look({ subject: personId, outcome: 'refused', code: 'exchange.no_agreement' });
  await house.look({ subject: personId, discloseAt: new Date(Date.now() + hour) });
  const shown = async () => (await oversight.accessLog(actor)).items.map(({ index }) => index);
  const proven = async () => {
    const { proof } = await oversight.completeness(actor);
    const verdict = await verify(JSON.stringify(proof), audit.vkey);
    expect(verdict.reasons).toEqual([]);
    return verdict.facts.completeness?.indexes ?? [];
  };
  await audit.publishMap();
  await eventually(async () => (await proven()).length === 2);
  expect((await proven()).sort()).toEqual((await shown()).sort());
  try {
    await databases.setClockOffset(2 * hour);
    await audit.publishMap();
    await eventually(async () => (await proven()).length === 3);
    expect((await proven()).sort()).toEqual((await shown()).sort());
  } finally {
    await databases.setClockOffset(0);
  }
});

test('nobody else gets it', async () => {
  for (const actor of [desk, auditOfficer]) {
    await expect(oversight.completeness(actor)).rejects.toMatchObject({
      code: 'oversight.not_the_subject',
    });
  }
});

test('a proof that somebody changed does not hold, whatever it is called', async () => {
  const { actor } = await house.aPerson();
  const { proof } = await oversight.completeness(actor);
  for (const changed of [
    { ...proof, kind: 'yihao-completeness/2' },
    { ...proof, root: { ...proof.root, leaf: 'AAAA' } },
    { ...proof, siblings: 'none' },
    { ...proof, list: { salt: '', indexes: [-1] } },
  ]) {
    const verdict = await verify(JSON.stringify(changed), audit.vkey);
    expect(verdict).toMatchObject({ valid: false });
    expect(verdict.reasons).toHaveLength(1);
  }
});
