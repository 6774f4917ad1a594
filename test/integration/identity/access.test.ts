// Looks at a person's data: one entry each, readable by those who may, provable, and erasable.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AccessEntry, type Actor, anonymousActor } from '../../../identity/index.ts';
import { systemScope } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { citizenId, makeAudit, makeIdentity, makeKeys } from './house.ts';

const { database, logDatabase, ownerSql } = withDatabase();
const audit = makeAudit(database, logDatabase);
const keys = makeKeys();
const identity = makeIdentity(database, { audit, keys });

beforeAll(() => audit.startSequencer());
afterAll(() => audit.stop());

let people = 0;
const someone = () => {
  people += 1;
  return identity.ensurePerson(database.db, {
    scheme: 'cn-id',
    value: citizenId('19811224', people),
  });
};

const officer: Actor = {
  ...anonymousActor('request-1'),
  kind: 'officer',
  organisationId: 'housing',
  officerId: '019a0000-0000-7000-8000-000000000001',
  officerKey: 'housing-desk-1',
  roles: ['desk'],
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};
const system: Actor = {
  ...anonymousActor('request-2'),
  kind: 'client',
  organisationId: 'housing',
  clientId: 'housing-1',
  onBehalfOf: 'clerk-7',
};

async function look(actor: Actor, entry: Partial<AccessEntry>) {
  const { stageId } = await database.transaction((tx) =>
    identity.recordAccess(tx, actor, { type: 'verification.asked', outcome: 'ok', ...entry }),
  );
  const [index] = await audit.sequenced([stageId]);
  return audit.as(systemScope).getEntry(index ?? -1);
}

const committed = (opening: { salt: string; value: string } | undefined) =>
  createHash('sha256')
    .update(Buffer.from(opening?.salt ?? '', 'base64url'))
    .update(opening?.value ?? '', 'utf8')
    .digest('base64url');

describe('a look', () => {
  it('is found by the subject’s tag, and opened with what was said', async () => {
    const subject = await someone();
    const entry = await look(officer, {
      subject,
      service: 'VS-MARITAL',
      legalBasis: 'LB-716-7',
      purpose: '公租房资格核查',
      caseId: 'HJ-2026-0304',
      question: '婚姻登记状况',
      verification: '019a0000-0000-7000-8000-00000000000a',
      answerKind: 'match',
    });
    expect(entry).toMatchObject({
      type: 'verification.asked',
      outcome: 'ok',
      department: 'housing',
      role: 'desk',
      service: 'VS-MARITAL',
      legalBasis: 'LB-716-7',
      answerKind: 'match',
      subjectTag: await identity.subjectTagOf(database.db, subject),
      caseTag: identity.caseTag('HJ-2026-0304'),
    });
    const [detail] = await identity.openAccess([entry]);
    const opening = { salt: expect.stringMatching(/^[\w-]{43}$/), value: expect.any(String) };
    expect(detail).toEqual({
      purpose: '公租房资格核查',
      caseId: 'HJ-2026-0304',
      question: '婚姻登记状况',
      officer: 'housing-desk-1',
      delegation: null,
      trace: officer.traceparent,
      openings: {
        subject: { ...opening, value: entry.subjectTag?.toString('base64url') },
        purpose: { ...opening, value: '公租房资格核查' },
        case: { ...opening, value: 'HJ-2026-0304' },
      },
    });
    const leaf = JSON.parse(entry.leaf.toString('utf8'));
    expect([leaf.subj, leaf.purpose, leaf.case]).toEqual([
      committed(detail?.openings.subject),
      committed(detail?.openings.purpose),
      committed(detail?.openings.case),
    ]);
  });

  it('shows in its leaf neither words, nor tags, nor who acted', async () => {
    const subject = await someone();
    const entry = await look(officer, {
      subject,
      purpose: '低保核查',
      caseId: 'C-1',
      officer: '王五',
    });
    const leaf = entry.leaf.toString('utf8');
    const tag = entry.subjectTag ?? Buffer.alloc(0);
    for (const secret of [
      '低保核查',
      'C-1',
      '王五',
      'housing-desk-1',
      String(officer.officerId),
      subject,
      tag.toString('base64url'),
      tag.toString('hex'),
      tag.toString('base64'),
    ]) {
      expect(leaf).not.toContain(secret);
    }
    expect(entry.sealed?.includes(Buffer.from('低保核查', 'utf8'))).toBe(false);
  });

  it('gives its actor one pseudonym towards one subject, and another towards the next', async () => {
    const [a, b] = [await someone(), await someone()];
    const looks = [
      await look(officer, { subject: a }),
      await look(officer, { subject: a, purpose: 'again' }),
      await look(officer, { subject: b }),
      await look(system, { subject: a }),
      await look({ ...system, onBehalfOf: 'clerk-8' }, { subject: a }),
    ].map(({ actor }) => actor);
    expect(looks[0]).toBe(looks[1]);
    expect(new Set(looks).size).toBe(4);
  });

  it('at nobody’s data is sealed for the platform', async () => {
    const entry = await look(system, { type: 'audit.searched', purpose: 'review', code: 'x.y' });
    expect(entry).toMatchObject({ subjectTag: null, caseTag: null, role: 'client', code: 'x.y' });
    expect(await identity.openAccess([entry])).toMatchObject([
      { purpose: 'review', caseId: null, question: null, officer: 'clerk-7' },
    ]);
  });

  it('is recorded with others in their order, for as many subjects', async () => {
    const subjects = [await someone(), await someone()];
    const staged = await identity.recordAccessMany(
      database.db,
      officer,
      [...subjects, undefined].map((subject, at) => ({
        type: 'licence.read',
        outcome: 'ok' as const,
        subject,
        purpose: `purpose ${at}`,
      })),
    );
    const indexes = await audit.sequenced(staged.map(({ stageId }) => stageId));
    const entries = await Promise.all(
      indexes.map((index) => audit.as(systemScope).getEntry(index)),
    );
    expect(entries.map(({ subjectTag }) => subjectTag)).toEqual([
      ...(await Promise.all(subjects.map((id) => identity.subjectTagOf(database.db, id)))),
      null,
    ]);
    expect((await identity.openAccess(entries)).map(({ purpose }) => purpose)).toEqual([
      'purpose 0',
      'purpose 1',
      'purpose 2',
    ]);
  });

  it('vanishes with the transaction that made it', async () => {
    const subject = await someone();
    const failed = database.transaction(async (tx) => {
      await identity.recordAccess(tx, officer, { type: 'licence.read', outcome: 'ok', subject });
      throw new Error('afterwards');
    });
    await expect(failed).rejects.toThrow('afterwards');
    await look(officer, { subject: await someone() });
    const subjectTag = await identity.subjectTagOf(database.db, subject);
    expect(await audit.as(systemScope).findEntries({ subjectTag, limit: 10 })).toEqual([]);
  });
});

describe('an erased subject’s entries', () => {
  it('lose their words and keep their place in the tree', async () => {
    const subject = await someone();
    const kept = await look(officer, { subject: await someone(), purpose: 'stays' });
    const entry = await look(officer, { subject, purpose: 'goes', caseId: 'C-2' });
    await ownerSql`delete from identity.data_keys where person_id = ${subject}`;
    const house = makeIdentity(database, { audit, keys });
    const nothing = { purpose: null, caseId: null, question: null, officer: null, openings: {} };
    expect(await house.openAccess([entry, kept, { ...entry, subjectTag: null }])).toMatchObject([
      nothing,
      { purpose: 'stays' },
      nothing,
    ]);
    await expect(
      house.recordAccess(database.db, officer, { type: 'licence.read', outcome: 'ok', subject }),
    ).rejects.toMatchObject({ code: 'identity.erased' });
    expect((await audit.verify()).ok).toBe(true);
  });

  it('are not mistaken for tampered ones', async () => {
    const entry = await look(officer, { subject: await someone(), purpose: 'x' });
    const sealed = Buffer.from(entry.sealed ?? Buffer.alloc(0));
    sealed.writeUInt8(sealed.readUInt8(20) ^ 1, 20);
    await expect(identity.openAccess([{ ...entry, sealed }])).rejects.toThrow('authenticate');
  });
});
