// Acts on licences through the real rooms: each possible one, each refusal, and races.
import { beforeEach, describe, expect, test } from 'vitest';
import type { Actor } from '../../../identity/index.ts';
import { parseLicenceNumber, scopeOfSubjects } from '../../../registry/index.ts';
import {
  citizen,
  column,
  department,
  entriesOf,
  healthCertificate,
  issued,
  LI,
  marriage,
  WANG,
  withRegistry,
} from './house.ts';

const house = withRegistry();
const health = department('health');
const because = { reason: '从业人员申请', legalBasis: 'LB-716-7' };

let number: string;
let statusListIndex: number;

beforeEach(async () => {
  ({ number, statusListIndex } = await issued(house, health, healthCertificate()));
});

const statusOf = async (of = number) => (await house.registry.get(health, of)).status;

async function listed(index: number): Promise<number> {
  const [row] = await house.ownerSql<{ uri: string }[]>`
    select status_list_uri as uri from registry.licences where status_list_index = ${index}`;
  return house.signing.getStatus(house.database.db, { uri: row?.uri ?? '', idx: index });
}

async function act(name: string, changes: object = {}, actor: Actor = health, of = number) {
  return house.registry.act(actor, of, name, { ...because, ...changes });
}

async function succeed(name: string, changes: object = {}, actor: Actor = health, of = number) {
  const result = await act(name, changes, actor, of);
  if (!('credential' in result)) throw new Error('A new version was expected.');
  return result;
}

describe('an act that changes the status says so everywhere at once', () => {
  const cases: [string, string, number, string][] = [
    ['suspend', 'suspended', 2, 'licence.suspended'],
    ['cancel', 'cancelled', 1, 'licence.cancelled'],
    ['rescind', 'rescinded', 1, 'licence.rescinded'],
    ['revoke', 'revoked', 1, 'licence.revoked'],
  ];
  for (const [name, status, value, event] of cases) {
    test(name, async () => {
      expect(await act(name)).toEqual({ number, status, changedAt: expect.any(String) });
      expect(await entriesOf(house, number)).toEqual(['licence.issued ok', `${event} ok`]);
      expect([await statusOf(), await listed(statusListIndex)]).toEqual([status, value]);
      expect(
        await column(
          house,
          `select topic from platform.outbox where key = '${number}' order by id`,
        ),
      ).toEqual(['licence.issued', event]);
    });
  }
});

test('what was suspended is resumed', async () => {
  await act('suspend');
  expect(await act('resume')).toMatchObject({ status: 'valid' });
  expect([await statusOf(), await listed(statusListIndex)]).toEqual(['valid', 0]);
});

test('a renewal is the next version: new number, new code, a new period; the old is superseded', async () => {
  const before = await house.registry.get(health, number);
  const next = await succeed('renew');
  const [old, renewed] = [parseLicenceNumber(number), parseLicenceNumber(next.number)];
  expect(renewed).toEqual({ ...old, version: 2 });
  expect(next).toMatchObject({ supersedes: number, version: 2, status: 'valid' });
  expect(next.statusListIndex).not.toBe(statusListIndex);
  expect(await house.registry.get(health, number)).toEqual({
    ...before,
    status: 'superseded',
    supersededBy: next.number,
    changedAt: expect.any(String),
    etag: '"1.2"',
  });
  expect([await listed(statusListIndex), await listed(next.statusListIndex)]).toEqual([3, 0]);
  expect(await entriesOf(house, number)).toContain('licence.renewed ok');
  expect(await entriesOf(house, next.number)).toContain('licence.issued ok');
});

test('an amendment changes what it names, takes away what is null, keeps the period', async () => {
  const before = await house.registry.get(health, number);
  const next = await succeed('amend', { fields: { trade: 'cosmetics', facility: null } });
  const { fields, validFrom, validTo } = await house.registry.get(health, next.number);
  expect({ fields, validFrom, validTo }).toEqual({
    fields: { certificate_no: 'JK990101-000001', trade: 'cosmetics', examined_on: '2026-03-01' },
    validFrom: before.validFrom,
    validTo: before.validTo,
  });
});

test('an amendment keeps the people a licence names', async () => {
  const civil = department('civil');
  const first = await issued(house, civil, marriage());
  const next = await succeed(
    'amend',
    { fields: { registry: '海湾区民政局' } },
    civil,
    first.number,
  );
  const whole = await house.registry.get(civil, next.number);
  expect(whole.fields).toMatchObject({ spouse_id: WANG.value, registry: '海湾区民政局' });
  const wang = await house.identity.findPerson(house.database.db, WANG);
  const naming = await house.database
    .as(scopeOfSubjects(wang ?? ''))
    .transaction((tx) => house.registry.licencesNaming(tx, wang ?? '', ['LT-MARRIAGE']));
  expect(naming.map((licence) => licence.number)).toEqual(
    expect.arrayContaining([first.number, next.number]),
  );
});

test('a transfer hands the licence to another authority, which acts on it from now on', async () => {
  const next = await succeed('transfer', { toAuthority: 'market' });
  expect(parseLicenceNumber(next.number)).toMatchObject({
    authority: '119901000099000569',
    version: 2,
  });
  expect([await statusOf(), await listed(statusListIndex)]).toEqual(['transferred', 1]);
  await expect(act('suspend', {}, health, next.number)).rejects.toMatchObject({
    code: 'registry.not_issuer',
  });
  await expect(act('suspend', {}, department('market'), next.number)).resolves.toMatchObject({
    status: 'suspended',
  });
});

describe('not possible in this state', () => {
  const cases: [string[], string][] = [
    [[], 'resume'],
    [['suspend'], 'suspend'],
    [['suspend'], 'renew'],
    [['suspend'], 'amend'],
    [['revoke'], 'resume'],
    [['revoke'], 'cancel'],
    [['cancel'], 'renew'],
    [['rescind'], 'amend'],
    [['renew'], 'suspend'],
    [['renew'], 'renew'],
    [['suspend', 'resume', 'cancel'], 'cancel'],
  ];
  for (const [before, name] of cases) {
    test([...before, name].join(', then '), async () => {
      for (const done of before) await act(done);
      const stood = await statusOf();
      await expect(act(name)).rejects.toMatchObject({
        code: 'registry.act_not_allowed',
        kind: 'conflict',
      });
      expect(await statusOf()).toBe(stood);
    });
  }
});

describe('refused', () => {
  const cases: [string, string, object, Actor, string][] = [
    ['another department', 'suspend', {}, department('civil'), 'registry.not_issuer'],
    [
      'a system without the scope',
      'suspend',
      {},
      department('health', ['licences:read']),
      'identity.scope_missing',
    ],
    [
      'the holder',
      'cancel',
      {},
      citizen('0198f5a0-0000-7000-8000-000000000001'),
      'identity.scope_missing',
    ],
    ['no reason', 'suspend', { reason: ' ' }, health, 'registry.input_invalid'],
    ['no legal basis', 'suspend', { legalBasis: undefined }, health, 'registry.input_invalid'],
    [
      'a reason that names a person',
      'revoke',
      { reason: `举报人 ${WANG.value}` },
      health,
      'exchange.identifier_in_text',
    ],
    ['an act nobody knows', 'shred', {}, health, 'registry.input_invalid'],
    [
      'fields the type has not',
      'amend',
      { fields: { shoe: 43 } },
      health,
      'registry.fields_invalid',
    ],
    [
      'a period that is too long',
      'renew',
      { validTo: '2099-01-01' },
      health,
      'registry.validity_invalid',
    ],
    ['a transfer to nobody', 'transfer', {}, health, 'registry.unknown_authority'],
    [
      'a transfer to itself',
      'transfer',
      { toAuthority: 'health' },
      health,
      'registry.unknown_authority',
    ],
    [
      'a transfer to one that issues nothing',
      'transfer',
      { toAuthority: 'audit' },
      health,
      'registry.unknown_authority',
    ],
  ];
  for (const [title, name, changes, actor, code] of cases) {
    test(title, async () => {
      await expect(act(name, changes, actor)).rejects.toMatchObject({ code });
      expect(await statusOf()).toBe('valid');
    });
  }

  test('a licence nobody issued', async () => {
    for (const none of ['', 'x', number.replace(/.$/, (check) => (check === '0' ? '1' : '0'))]) {
      await expect(act('suspend', {}, health, none)).rejects.toMatchObject({
        code: 'registry.licence_not_found',
      });
    }
  });
});

test('If-Match lets an act through only on what was read', async () => {
  const { etag } = await house.registry.get(health, number);
  await act('suspend');
  await expect(
    house.registry.act(health, number, 'resume', because, { ifMatch: etag }),
  ).rejects.toMatchObject({ code: 'registry.changed_meanwhile' });
  const fresh = await house.registry.get(health, number);
  await expect(
    house.registry.act(health, number, 'resume', because, { ifMatch: fresh.etag }),
  ).resolves.toMatchObject({ status: 'valid' });
});

test('of ten renewals at the same moment one goes through', async () => {
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => act('renew')));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(
    await column(
      house,
      `select count(*) from registry.licence_keys k where is_live and lineage =
      (select lineage from registry.licence_keys where number = '${number}')`,
    ),
  ).toEqual(['1']);
});

test('the database itself allows one live version of a licence', async () => {
  await act('renew');
  await expect(
    house.ownerSql`update registry.licence_keys set is_live = true where number = ${number}`,
  ).rejects.toThrow('licence_keys_one_live');
});

test('the app role can not change what was signed', async () => {
  for (const change of [
    'holder_id = gen_random_uuid()',
    "valid_to = '2099-01-01'",
    "type_id = 'X'",
  ]) {
    await expect(
      house.database.db.execute(`update registry.licences set ${change}`),
    ).rejects.toMatchObject({ cause: { code: '42501' } });
  }
  await expect(
    house.database.db.execute('delete from registry.licence_events'),
  ).rejects.toMatchObject({
    cause: { code: '42501' },
  });
});

test('the history tells every step of every version, with reason and legal basis', async () => {
  await act('suspend', { reason: '体检结果复核' });
  await act('resume', { reason: '复核合格' });
  const next = await succeed('renew');
  const history = await house.registry.history(health, next.number);
  expect(history).toEqual([
    {
      number,
      version: 1,
      at: expect.any(String),
      act: 'issue',
      status: 'valid',
      organisation: 'health',
      legalBasis: null,
      reason: null,
      related: null,
    },
    {
      number,
      version: 1,
      at: expect.any(String),
      act: 'suspend',
      status: 'suspended',
      organisation: 'health',
      legalBasis: 'LB-716-7',
      reason: '体检结果复核',
      related: null,
    },
    {
      number,
      version: 1,
      at: expect.any(String),
      act: 'resume',
      status: 'valid',
      organisation: 'health',
      legalBasis: 'LB-716-7',
      reason: '复核合格',
      related: null,
    },
    {
      number,
      version: 1,
      at: expect.any(String),
      act: 'renew',
      status: 'superseded',
      organisation: 'health',
      legalBasis: 'LB-716-7',
      reason: '从业人员申请',
      related: next.number,
    },
    {
      number: next.number,
      version: 2,
      at: expect.any(String),
      act: 'issue',
      status: 'valid',
      organisation: 'health',
      legalBasis: 'LB-716-7',
      reason: null,
      related: number,
    },
  ]);
});

test('after a transfer the new authority knows the past, the old one not the future', async () => {
  const market = department('market');
  const next = await succeed('transfer', { toAuthority: '119901000099000569', reason: '迁入' });
  await act('suspend', { reason: '新机关的事' }, market, next.number);
  const acts = async (actor: Actor, of: string) =>
    (await house.registry.history(actor, of)).map((event) => event.act);
  expect(await acts(health, number)).toEqual(['issue', 'transfer']);
  expect(await acts(market, next.number)).toEqual(['issue', 'transfer', 'issue', 'suspend']);
  const holder = await house.identity.findPerson(house.database.db, LI);
  expect(await acts(citizen(holder ?? ''), number)).toHaveLength(4);
});

test('a licence past its last day is expired for every act, before any job ran', async () => {
  const old = await issued(
    house,
    health,
    healthCertificate({ holder: LI, validFrom: '2020-01-01' }),
  );
  await expect(act('suspend', {}, health, old.number)).rejects.toMatchObject({
    code: 'registry.act_not_allowed',
  });
  const next = await succeed('renew', {}, health, old.number);
  expect([next.status, await statusOf(old.number)]).toEqual(['valid', 'superseded']);
});
