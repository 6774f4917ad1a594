// The proof that a citizen's list is whole: for her alone, and what she is shown is what it proves.
import { hash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

describe('an auditor’s sample', () => {
  const stateOf = async (index: number) =>
    (await oversight.sampleMap(auditOfficer, { indexes: [index] }))[0];

  test('finds each entry in its subject’s list or among what she isn’t to be told yet, with proof', async () => {
    const { personId } = await house.aPerson();
    const open = await house.look({ subject: personId });
    const hidden = await house.look({
      subject: personId,
      discloseAt: new Date(Date.now() + 400 * hour),
    });
    const edition = await audit.publishMap();
    await eventually(async () => (await stateOf(open))?.state !== 'later');
    expect(edition).toBeDefined();
    const nobodys = await house.look({ subject: undefined });
    const samples = await oversight.sampleMap(auditOfficer, { indexes: [open, hidden, nobodys] });
    expect(samples.map(({ index, state }) => [index, state])).toEqual([
      [open, 'disclosed'],
      [hidden, 'pending'],
      [nobodys, 'later'],
    ]);
    for (const sample of samples.slice(0, 2)) {
      if (!('proof' in sample)) throw new Error('There is no proof.');
      const { reasons, facts } = await verify(JSON.stringify(sample.proof), audit.vkey);
      expect(reasons).toEqual([]);
      expect(facts.completeness?.indexes).toEqual([sample.index]);
      // The leaf commits to the very tag whose list was shown.
      expect(sample.opening?.value).toBe(sample.proof.tag);
      const { subj } = JSON.parse(Buffer.from(sample.leaf, 'base64').toString());
      const salt = Buffer.from(sample.opening?.salt ?? '', 'base64url');
      const value = Buffer.from(sample.opening?.value ?? '');
      expect(hash('sha256', Buffer.concat([salt, value]), 'base64url')).toBe(subj);
    }
    const pending = samples[1];
    if (pending?.state !== 'pending') throw new Error('It is hidden.');
    const later = { ...pending.proof.list, items: [[hidden, Date.now() + 800 * hour]] };
    expect(
      await verify(JSON.stringify({ ...pending.proof, list: later }), audit.vkey),
    ).toMatchObject({ valid: false });
    const other = { ...pending.proof.pending, salt: pending.proof.list.salt };
    expect(
      (await verify(JSON.stringify({ ...pending.proof, pending: other }), audit.vkey)).reasons,
    ).toEqual(['The entry does not commit to this root of what isn’t disclosed.']);
  });

  test('tells when an entry stands in no list: somebody filed it under another tag', async () => {
    const [{ personId }, other] = [await house.aPerson(), await house.aPerson()];
    const index = await house.look({ subject: personId });
    await house.look({ subject: other.personId });
    await audit.publishMap();
    await eventually(async () => (await stateOf(index))?.state === 'disclosed');
    await databases.ownerSql`
      update audit.lookups set subject_tag = (
        select audit_tag from identity.people where id = ${other.personId})
      where idx = ${index}`;
    expect((await stateOf(index))?.state).toBe('missing');
  });

  test('is for auditors alone, of entries there are, and each call is logged', async () => {
    await expect(oversight.sampleMap(desk, { count: 1 })).rejects.toMatchObject({
      kind: 'forbidden',
    });
    await expect(oversight.sampleMap(auditOfficer, { indexes: [9_999_999] })).rejects.toMatchObject(
      { code: 'audit.unknown_entry' },
    );
    expect(await oversight.sampleMap(auditOfficer, { count: 3 })).toHaveLength(3);
    const { items } = await oversight.search(auditOfficer, { type: 'audit.map_sampled' });
    expect(items.slice(0, 3).map(({ outcome }) => outcome)).toEqual(['ok', 'failed', 'refused']);
  });
});
