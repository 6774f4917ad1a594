// Another department's use of licences: by agreement over the type, logged, and no more than agreed.
import { describe, expect, test } from 'vitest';
import { type JsonObject, systemScope } from '../../../platform/index.ts';
import { formatLicenceNumber, parseLicenceNumber } from '../../../registry/index.ts';
import { eventually } from '../../support/eventually.ts';
import {
  CANTEEN,
  citizenId,
  codeOf,
  department,
  healthCertificate,
  issued,
  LI,
  marriage,
  officer,
  operator,
  platformActor,
  WANG,
  withExchange,
} from './house.ts';

const house = withExchange({ queue: 'stopped' });
const justice = department('justice');
const civil = department('civil');
const why = { legalBasis: 'LB-NOT29', purpose: '公证核验', caseId: 'N-1' };
const holder = { scheme: 'cn-id', value: LI.value };

/** Justice may use marriage certificates: these fields, on this basis. */
async function agree(changes: JsonObject = {}): Promise<void> {
  await house.ownerSql`update exchange.agreements set state = 'revoked'
    where licence_type is not null`;
  await house.database.as(systemScope).transaction((tx) =>
    house.exchange.installAgreement(tx, operator, {
      requester: 'justice',
      licenceType: 'LT-MARRIAGE',
      legalBases: ['LB-NOT29'],
      fields: ['registered_on', 'spouse_id'],
      quota: { perDay: 1000 },
      validFrom: '2020-01-01',
      validTo: '2099-12-31',
      ...changes,
    }),
  );
}

function read(number: string, changes: JsonObject = {}, actor = justice) {
  return house.exchange.readLicence(actor, number, { as: 'json', ...why, ...changes });
}

async function aMarriage() {
  return (await issued(house, platformActor, marriage())).number;
}

describe('a licence of another department', () => {
  test('shows only the agreed fields, and its holder finds the look', async () => {
    await agree();
    const number = await aMarriage();
    expect(await read(number)).toMatchObject({
      number,
      type: 'LT-MARRIAGE',
      status: 'valid',
      issuer: 'civil',
      fields: { registered_on: '2020-05-20', spouse_id: WANG.value },
    });
    const entries = await house.audit
      .as(systemScope)
      .findEntries({ type: 'licence.read', limit: 5 });
    const [detail] = await house.identity.openAccess(entries);
    expect(entries[0]).toMatchObject({
      department: 'justice',
      licence: number,
      legalBasis: 'LB-NOT29',
      outcome: 'ok',
      answerKind: 'document',
    });
    expect(detail).toMatchObject({ purpose: '公证核验', caseId: 'N-1' });
  });

  test('as a credential opens only the agreed claims, and still verifies', async () => {
    await agree();
    const number = await aMarriage();
    const compact = String(await read(number, { as: 'credential' }));
    const verified = await house.signing.verifyCredential(compact, { now: new Date() });
    expect(verified.isAuthentic).toBe(true);
    const { claims = {} } = verified;
    expect(claims).toMatchObject({ registered_on: '2020-05-20', spouse_id: WANG.value });
    for (const hidden of ['spouse_name', 'certificate_no', 'holder_name', 'holder_id']) {
      expect(claims).not.toHaveProperty(hidden);
    }
  });

  test('as a PDF shows the agreed fields alone, marked as an extract', async () => {
    await agree();
    const number = await aMarriage();
    const pdf = await read(number, { as: 'pdf' });
    if (!Buffer.isBuffer(pdf)) throw new TypeError('A PDF comes in bytes.');
    expect(await house.registry.verifyDocument(pdf)).toMatchObject({
      ok: true,
      verdict: 'genuine',
    });
    const rows = await house.ownerSql`select cut from registry.documents where number = ${number}`;
    expect(rows).toEqual([{ cut: expect.stringMatching(/^[\w-]{43}$/) }]);
    await agree({ fields: ['registered_on'] });
    const less = await read(number, { as: 'pdf' });
    expect(Buffer.isBuffer(less) && !less.equals(pdf)).toBe(true);
  }, 60_000);

  test('shows its holder’s name only when that is agreed', async () => {
    await agree({ fields: ['registered_on'] });
    expect(await read(await aMarriage())).not.toHaveProperty('holderName');
    await agree({ fields: ['registered_on', 'holder_name'] });
    expect(await read(await aMarriage())).toMatchObject({ holderName: LI.name });
  });

  test('is refused alike without an agreement, whether or not there is such a licence', async () => {
    await agree();
    const number = await aMarriage();
    const parts = parseLicenceNumber(number);
    const none = parts ? formatLicenceNumber({ ...parts, serial: '000000000' }) : '';
    const fund = department('fund');
    for (const asked of [number, none]) {
      expect(await codeOf(read(asked, {}, fund))).toBe('exchange.no_agreement');
    }
    expect(await codeOf(read(none))).toBe('registry.licence_not_found');
    const cases: [JsonObject, string][] = [
      [{ legalBasis: 'LB-VET' }, 'exchange.legal_basis_not_allowed'],
      [{ purpose: `核验 ${LI.value}` }, 'exchange.identifier_in_text'],
      [{ caseId: LI.value }, 'exchange.identifier_in_text'],
      [{ legalBasis: LI.value }, 'exchange.identifier_in_text'],
      [{ as: 'xml' }, 'exchange.request_invalid'],
    ];
    for (const [changes, code] of cases) {
      expect(await codeOf(read(number, changes)), code).toBe(code);
    }
    expect(await codeOf(read('1.2.3'))).toBe('registry.licence_not_found');
    expect(await codeOf(read(number, {}, officer('justice-provider-1', 'provider')))).toBe(
      'exchange.scope',
    );
  });

  test('stays closed when the agreement’s quota is used up', async () => {
    await agree({ quota: { perDay: 1 } });
    const number = await aMarriage();
    await read(number);
    expect(await codeOf(read(number))).toBe('exchange.quota');
  });

  test('refused is logged and shown to its holder', async () => {
    await agree();
    const number = await aMarriage();
    await codeOf(read(number, { legalBasis: 'LB-VET' }));
    const subjectTag = house.identity.subjectTag({ scheme: 'cn-id', value: LI.value });
    const [entry] = await eventually(async () => {
      const query = { subjectTag, outcome: 'refused', type: 'licence.read', limit: 1 } as const;
      const found = await house.audit.as(systemScope).findEntries(query);
      return found[0]?.licence === number && found;
    });
    expect(entry).toMatchObject({
      code: 'exchange.legal_basis_not_allowed',
      department: 'justice',
    });
  });
});

describe('a search', () => {
  const search = (actor: typeof justice, changes: JsonObject = {}) =>
    house.exchange.searchLicences(actor, { holder, ...why, ...changes });

  test('finds the caller’s own types and what an agreement covers, cut to it', async () => {
    await agree();
    const number = await aMarriage();
    await issued(house, platformActor, healthCertificate());
    const own = await search(civil);
    expect(own.find((licence) => licence.number === number)?.fields).toMatchObject({
      spouse_name: WANG.name,
    });
    expect(new Set(own.map(({ issuer }) => issuer))).toEqual(new Set(['civil']));
    const agreed = await search(justice);
    expect(new Set(agreed.map(({ type }) => type))).toEqual(new Set(['LT-MARRIAGE']));
    expect(Object.keys(agreed[0]?.fields ?? {}).sort()).toEqual(['registered_on', 'spouse_id']);
  });

  test('for a type without an agreement is refused; among several it is left out', async () => {
    await agree();
    expect(await codeOf(search(justice, { types: ['LT-HEALTHCERT'] }))).toBe(
      'exchange.no_agreement',
    );
    const found = await search(justice, { types: ['LT-HEALTHCERT', 'LT-MARRIAGE'] });
    expect(new Set(found.map(({ type }) => type))).toEqual(new Set(['LT-MARRIAGE']));
    expect(await codeOf(search(justice, { types: ['LT-NONE'] }))).toBe('exchange.request_invalid');
  });

  test('for somebody nobody knows finds nothing, like one without licences', async () => {
    await agree();
    const value = citizenId('1966-06-06', 66);
    expect(await search(justice, { holder: { scheme: 'cn-id', value } })).toEqual([]);
    const badValue = { scheme: 'cn-id', value: '990101199001010010' };
    expect(await codeOf(search(justice, { holder: badValue }))).toBe('identity.citizen_id_invalid');
  });

  test('for a company works as well', async () => {
    const company = { scheme: 'uscc', value: CANTEEN.value };
    expect(await search(department('market'), { holder: company })).toEqual([]);
  });
});
