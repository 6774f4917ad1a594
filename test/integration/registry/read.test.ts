// Reads of licences: for whom, what is logged, what the exchange gets.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Actor } from '../../../identity/index.ts';
import { systemScope } from '../../../platform/index.ts';
import { type IssuedLicence, scopeOfLicences, scopeOfSubjects } from '../../../registry/index.ts';
import { eventually } from '../../support/eventually.ts';
import {
  citizen,
  department,
  entriesOf,
  healthCertificate,
  issued,
  LI,
  marriage,
  officer,
  WANG,
  withRegistry,
} from './house.ts';

const house = withRegistry();
const [civil, health] = [department('civil'), department('health')];
let wedding: IssuedLicence;
let certificate: IssuedLicence;
let li: string;
let wang: string;

beforeAll(async () => {
  wedding = await issued(house, civil, marriage({ validFrom: '2026-03-04' }));
  certificate = await issued(house, health, healthCertificate());
  const { db } = house.database;
  [li = '', wang = ''] = await Promise.all(
    [LI, WANG].map(async (person) => (await house.identity.findPerson(db, person)) ?? ''),
  );
});

test('the issuer reads the licence whole, and each look is logged', async () => {
  const { number, issuedAt, statusListIndex } = wedding;
  expect(await house.registry.get(civil, number)).toEqual({
    number,
    type: 'LT-MARRIAGE',
    typeVersion: 1,
    version: 1,
    status: 'valid',
    issuer: 'civil',
    holder: LI,
    validFrom: '2026-03-04',
    validTo: null,
    issuedAt,
    changedAt: issuedAt,
    statusListIndex,
    fields: marriage().fields,
    etag: '"1.1"',
  });
  await house.registry.get(officer('civil-desk-1', 'desk'), number);
  expect(await entriesOf(house, number)).toEqual([
    'licence.issued ok',
    'licence.read ok',
    'licence.read ok',
  ]);
});

test('issuer and holder get the credential as it was issued', async () => {
  for (const actor of [civil, citizen(li)]) {
    expect(await house.registry.credential(actor, wedding.number)).toBe(wedding.credential);
  }
});

describe('anyone else is told to state a purpose, and the holder sees the attempt', () => {
  const others: [string, () => Actor][] = [
    ['another department', () => health],
    ['an officer of another department', () => officer('health-issuer-1', 'issuer')],
    ['the issuer without the scope', () => department('civil', ['verifications:ask'])],
    ['another citizen', () => citizen(wang)],
    ['an auditor', () => officer('audit-1', 'auditor')],
  ];
  for (const [title, actor] of others) {
    test(title, async () => {
      const before = await entriesOf(house, wedding.number);
      for (const read of ['get', 'credential', 'history'] as const) {
        await expect(house.registry[read](actor(), wedding.number)).rejects.toMatchObject({
          kind: 'forbidden',
          code: 'exchange.purpose_required',
        });
      }
      await eventually(async () => {
        const refused = (await entriesOf(house, wedding.number)).slice(before.length);
        return (
          refused.join() === Array(3).fill('licence.read refused exchange.purpose_required').join()
        );
      });
    });
  }
});

test('that a number exists is told to departments and hidden from strangers', async () => {
  const unknown = '1.2.156.3005.2.11990100009900013U001.11990100009900013U.NONE.001.';
  const { checkCharacter } = await import('../../../registry/licence-number.ts');
  const number = unknown + checkCharacter('11990100009900013U00111990100009900013UNONE001');
  const asked = (actor: Actor) =>
    house.registry.get(actor, number).catch((error: { code: string }) => error.code);
  const stranger: Actor = { ...citizen(wang), kind: 'anonymous', personId: undefined };
  expect(await Promise.all([health, citizen(wang), stranger].map(asked))).toEqual([
    'registry.licence_not_found',
    'exchange.purpose_required',
    'exchange.purpose_required',
  ]);
});

test('the holder has her codes, and one log entry for the session', async () => {
  const session = citizen(li, '0198f5a0-0000-7000-8000-00000000000a');
  const own = await house.registry.ownLicences(session);
  await house.registry.ownLicences(session);
  await house.registry.get(session, wedding.number);
  expect(
    own.map(({ number, verificationCode, verificationUrl }) => ({
      number,
      verificationCode,
      verificationUrl,
    })),
  ).toEqual(
    [certificate, wedding].map(({ number, verificationCode }) => ({
      number,
      verificationCode,
      verificationUrl: `http://127.0.0.1:4100/verify#${verificationCode}`,
    })),
  );
  const subjectTag = await house.identity.subjectTagOf(house.database.db, li);
  const entries = await house.audit
    .as(systemScope)
    .findEntries({ subjectTag, type: 'licence.own_read', limit: 9 });
  expect(entries.map(({ role }) => role)).toEqual(['holder']);
  await house.registry.ownLicences(citizen(li, '0198f5a0-0000-7000-8000-00000000000b'));
  expect(
    await house.audit
      .as(systemScope)
      .findEntries({ subjectTag, type: 'licence.own_read', limit: 9 }),
  ).toHaveLength(2);
});

test('only a citizen has licences of her own', async () => {
  await expect(house.registry.ownLicences(civil)).rejects.toMatchObject({
    code: 'exchange.purpose_required',
  });
});

test('the exchange gets a person’s licences with references in place of citizen IDs', async () => {
  const { registry, database } = house;
  const of = (who: string, ...types: string[]) =>
    database.as(scopeOfSubjects(who)).transaction((tx) => registry.licencesOf(tx, who, types));
  const views = await of(li, 'LT-MARRIAGE', 'LT-DIVORCE');
  expect(views).toEqual([
    {
      number: wedding.number,
      type: 'LT-MARRIAGE',
      typeVersion: 1,
      version: 1,
      status: 'valid',
      issuerId: 'civil',
      validFrom: '2026-03-04',
      validTo: null,
      issuedAt: wedding.issuedAt,
      fields: { ...marriage().fields, spouse_id: { $person: wang } },
    },
  ]);
  expect(await of(li)).toEqual([]);
  expect(await of(wang, 'LT-MARRIAGE')).toEqual([]);
  const naming = await database
    .as(scopeOfSubjects(wang))
    .transaction((tx) => registry.licencesNaming(tx, wang, ['LT-MARRIAGE']));
  expect(naming).toEqual([{ ...views[0], holderId: li }]);
});

test('a department finds only what it issued itself', async () => {
  const numbers = async (of: string, types?: string[]) => {
    const found = await house.database
      .as(scopeOfSubjects(li))
      .transaction((tx) => house.registry.searchOwn(tx, of, li, types));
    return found.map(({ number }) => number);
  };
  expect(await numbers('civil')).toEqual([wedding.number]);
  expect(await numbers('health')).toEqual([certificate.number]);
  expect(await numbers('health', ['LT-BIRTH'])).toEqual([]);
  expect(await numbers('housing')).toEqual([]);
});

test('what the exchange reads for others comes with holder and credential', async () => {
  const read = (number: string) =>
    house.database
      .as(scopeOfLicences(number))
      .transaction((tx) => house.registry.getForReading(tx, number));
  const reading = await read(wedding.number);
  expect(reading).toMatchObject({
    number: wedding.number,
    holderId: li,
    holderName: LI.name,
    issuerId: 'civil',
    credential: wedding.credential,
  });
  expect(await read('none')).toBeNull();
});

test('reads of one licence or one person touch no more than their partitions', async () => {
  const plan = async (query: string) =>
    (await house.ownerSql.unsafe(`explain (costs off) ${query}`))
      .map((row) => String(row['QUERY PLAN']))
      .join('\n');
  const scans = (text: string) => text.match(/Scan .*on licences_\d+/g)?.length ?? 0;
  await house.ownerSql`set enable_seqscan = off`;
  expect(
    scans(await plan(`select * from registry.licences where number = '${wedding.number}'`)),
  ).toBe(1);
  const byHolder = await plan(
    `select l.* from registry.licence_keys k join registry.licences l on l.number = k.number
      where k.holder_id = '${li}'`,
  );
  expect(byHolder).toMatch(/Index (Only )?Scan .*licence_keys_holder/);
  expect(byHolder).not.toMatch(/Seq Scan on licences/);
});
