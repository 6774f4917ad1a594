// What anyone may ask with a code: look-up, comparison and presented credentials, and their limits.
import { beforeEach, describe, expect, test } from 'vitest';
import { systemScope } from '../../../platform/index.ts';
import type { IssuedLicence } from '../../../registry/index.ts';
import { eventually } from '../../support/eventually.ts';
import {
  CANTEEN,
  column,
  department,
  entriesOf,
  healthCertificate,
  issued,
  LI,
  marriage,
  withRegistry,
} from './house.ts';

const house = withRegistry();
const health = department('health');
const because = { reason: '检查', legalBasis: 'LB-716-7' };
let licence: IssuedLicence;

beforeEach(async () => {
  licence = await issued(house, health, healthCertificate());
});

test('a look-up shows what anyone may see, with the name masked', async () => {
  expect(await house.registry.lookup(licence.verificationCode)).toEqual({
    result: 'genuine',
    type: 'LT-HEALTHCERT',
    typeName: { zh: '从业人员健康证明', en: 'Worker health certificate' },
    issuer: 'health',
    issuerName: { zh: '云珠市卫生健康委员会', en: 'Yunzhu Health Commission' },
    holderName: '李＊＊',
    validTo: licence.validTo,
    publicFields: { trade: 'food', certificate_no: 'JK990101-000001' },
    checkedAt: expect.any(String),
  });
});

test('a company is shown by its name', async () => {
  const { verificationCode } = await issued(house, department('market'), {
    type: 'LT-FOODBIZ',
    holder: CANTEEN,
    fields: { permit_no: 'JY1', premises: '越华区一号', main_business: 'caterer', items: ['热食'] },
  });
  expect(await house.registry.lookup(verificationCode)).toMatchObject({ holderName: CANTEEN.name });
});

test('a code nobody has, or that is none, is unknown', async () => {
  for (const code of ['0000000000000000', 'nonsense', '', licence.number]) {
    expect(await house.registry.lookup(code)).toEqual({
      result: 'unknown',
      checkedAt: expect.any(String),
    });
  }
});

test('the same code tells of every change at once', async () => {
  const result = async () => (await house.registry.lookup(licence.verificationCode)).result;
  await house.registry.act(health, licence.number, 'suspend', because);
  expect(await result()).toBe('suspended');
  await house.registry.act(health, licence.number, 'resume', because);
  expect(await result()).toBe('genuine');
  await house.registry.act(health, licence.number, 'revoke', because);
  expect(await result()).toBe('revoked');
});

test('a code is read as people write it', async () => {
  const typed = licence.verificationCode.toLowerCase().replace(/(.{4})(?!$)/g, '$1-');
  expect((await house.registry.lookup(typed)).result).toBe('genuine');
});

test('looks of a finished hour become one entry per licence', async () => {
  for (let look = 0; look < 3; look += 1) await house.registry.lookup(licence.verificationCode);
  expect(await house.registry.logLooks()).toBe(0);
  await house.ownerSql`update registry.lookup_counts set hour = hour - interval '1 hour'`;
  expect(await house.registry.logLooks()).toBeGreaterThanOrEqual(1);
  expect(await house.registry.logLooks()).toBe(0);
  await eventually(async () =>
    (await entriesOf(house, licence.number)).includes('licence.looked_up ok'),
  );
  const entries = await house.audit
    .as(systemScope)
    .findEntries({ type: 'licence.looked_up', limit: 20 });
  const ours = entries.filter((entry) => entry.licence === licence.number);
  const [detail] = await house.identity.openAccess(ours);
  expect(ours).toHaveLength(1);
  expect(detail?.question).toMatch(/^3 × \d{4}-\d\d-\d\dT\d\d:00Z$/);
});

describe('a comparison', () => {
  test('says which values agree, folding what people write differently', async () => {
    const fields = {
      holderName: ' 李 小明',
      holderId: LI.value.toLowerCase(),
      validTo: licence.validTo,
      certificate_no: 'jk990101-000001',
    };
    expect(await house.registry.compare(licence.verificationCode, fields)).toEqual({
      fields: { holderName: true, holderId: true, validTo: true, certificate_no: true },
    });
    const wrong = { holderName: '李', holderId: LI.value.slice(0, 17), validTo: null };
    expect(await house.registry.compare(licence.verificationCode, wrong)).toEqual({
      fields: { holderName: false, holderId: false, validTo: false },
    });
  });

  test('is logged and shown to the holder with what was asked', async () => {
    await house.registry.compare(licence.verificationCode, { holderName: '王芳' });
    const entries = await house.audit
      .as(systemScope)
      .findEntries({ type: 'licence.compared', limit: 1 });
    const [detail] = await house.identity.openAccess(entries);
    expect(entries[0]).toMatchObject({
      licence: licence.number,
      outcome: 'ok',
      answerKind: 'match',
    });
    expect(detail?.question).toBe('holderName');
  });

  test('is refused after five a day, from anywhere; the first refusal is logged', async () => {
    const compare = () => house.registry.compare(licence.verificationCode, { holderName: 'x' });
    for (let tries = 0; tries < 5; tries += 1) await compare();
    for (let tries = 0; tries < 3; tries += 1) {
      await expect(compare()).rejects.toMatchObject({
        code: 'registry.compare_limit',
        kind: 'rate_limited',
        retryAfterSeconds: expect.any(Number),
      });
    }
    await eventually(async () =>
      (await entriesOf(house, licence.number)).some((entry) => entry.includes('refused')),
    );
    const refused = (await entriesOf(house, licence.number)).filter((one) =>
      one.includes('refused'),
    );
    expect(refused).toEqual(['licence.compared refused registry.compare_limit']);
    await house.ownerSql`update registry.compare_tries set day = day - 1`;
    await expect(compare()).resolves.toEqual({ fields: { holderName: false } });
  });

  test('is not raced: of twenty at once five are answered', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () =>
        house.registry.compare(licence.verificationCode, { holderName: LI.name }),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
  });

  test('of what could be guessed is refused and costs no try', async () => {
    const cases: object[] = [
      { trade: 'food' },
      { examined_on: '2026-03-01' },
      { facility: 'a', trade: 'food' },
      { shoe_size: '43' },
      { status: 'valid' },
      { holderName: 7 },
      { holderName: '' },
      { holderId: ['990101199001010019'] },
      {},
    ];
    for (const fields of cases) {
      await expect(
        house.registry.compare(licence.verificationCode, JSON.parse(JSON.stringify(fields))),
        JSON.stringify(fields),
      ).rejects.toMatchObject({ code: 'registry.not_comparable', kind: 'invalid' });
    }
    expect(
      await column(
        house,
        `select count(*) from registry.compare_tries where number = '${licence.number}'`,
      ),
    ).toEqual(['0']);
  });

  test('needs a code that someone has', async () => {
    await expect(
      house.registry.compare('0000000000000000', { holderName: 'x' }),
    ).rejects.toMatchObject({ code: 'registry.licence_not_found' });
  });
});

describe('a presented credential', () => {
  const checkOf = (
    result: Awaited<ReturnType<typeof house.registry.verifyPresented>>,
    name: string,
  ) => result.checks.find((check) => check.name === name)?.result;

  test('is genuine and holds', async () => {
    const result = await house.registry.verifyPresented(licence.credential);
    expect(result).toMatchObject({ ok: true, verdict: 'genuine', status: 'valid' });
    expect(result.checks.filter((check) => check.result === 'fail')).toEqual([]);
    expect(await entriesOf(house, licence.number)).toContain('licence.checked ok');
  });

  test('is still genuine with fewer disclosures', async () => {
    const [jwt, first] = licence.credential.split('~');
    expect(await house.registry.verifyPresented(`${jwt}~${first}~`)).toMatchObject({ ok: true });
    expect(await house.registry.verifyPresented(`${jwt}~`)).toMatchObject({ ok: true });
  });

  test('is genuine but does not hold after an act', async () => {
    const acts = [
      ['suspend', 'suspended'],
      ['resume', 'valid'],
      ['renew', 'superseded'],
    ] as const;
    for (const [act, status] of acts) {
      await house.registry.act(health, licence.number, act, because);
      const result = await house.registry.verifyPresented(licence.credential);
      expect(result).toMatchObject({ ok: status === 'valid', verdict: 'genuine', status });
    }
  });

  test('is genuine and expired after its last day', async () => {
    const old = await issued(house, health, healthCertificate({ validFrom: '2020-01-01' }));
    const result = await house.registry.verifyPresented(old.credential);
    expect(result).toMatchObject({ ok: false, verdict: 'genuine', status: 'expired' });
    expect(checkOf(result, 'expiry')).toBe('fail');
  });

  test('is not genuine when anything in it was changed', async () => {
    const [jwt = '', ...disclosures] = licence.credential.split('~');
    const [head, body, signature] = jwt.split('.');
    const forged = Buffer.from(JSON.stringify(['salt', 'holder_name', '张三'])).toString(
      'base64url',
    );
    const other = await issued(house, department('civil'), marriage());
    const cases = [
      [jwt, ...disclosures.slice(0, -1), forged, ''].join('~'),
      [jwt, disclosures[0], disclosures[0], ''].join('~'),
      [jwt, other.credential.split('~')[1], ''].join('~'),
      [[head, body, signature?.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))].join('.'), ''].join(
        '~',
      ),
    ];
    for (const compact of cases) {
      const result = await house.registry.verifyPresented(compact);
      expect(result).toMatchObject({ ok: false, verdict: 'not_genuine' });
      expect(result.status).toBeUndefined();
      expect([checkOf(result, 'register'), checkOf(result, 'status')]).toEqual([
        'skipped',
        'skipped',
      ]);
    }
  });

  test('is unknown when we signed it but the register does not hold it', async () => {
    const credential = await house.signing.issueCredential({
      vct: 'http://127.0.0.1:4100/vct/11990100009900048E003/1',
      claims: { licence_id: licence.number },
      disclosable: { holder_name: LI.name },
      iat: new Date(),
    });
    const result = await house.registry.verifyPresented(credential);
    expect(result).toMatchObject({ ok: false, verdict: 'unknown' });
    expect(checkOf(result, 'register')).toBe('fail');
  });

  test('that is none is unreadable', async () => {
    for (const text of ['', 'hello', '{"a":1}', 'a.b.c', '~', '%PDF-1.7', 'x'.repeat(1_100_000)]) {
      await expect(house.registry.verifyPresented(text)).rejects.toMatchObject({
        code: 'registry.credential_unreadable',
      });
    }
  });
});
