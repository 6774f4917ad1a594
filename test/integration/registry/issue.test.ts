// Issuing through the real rooms: what comes back, what is stored, what is refused and leaves nothing.
import { beforeAll, describe, expect, test } from 'vitest';
import { AppError, systemScope } from '../../../platform/index.ts';
import { parseLicenceNumber } from '../../../registry/index.ts';
import { eventually } from '../../support/eventually.ts';
import {
  CANTEEN,
  citizenId,
  column,
  department,
  entriesOf,
  healthCertificate,
  issued,
  LI,
  marriage,
  officer,
  platformActor,
  WANG,
  withRegistry,
  world,
} from './house.ts';

const house = withRegistry();
const health = department('health');

const today = () =>
  new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(new Date());

test('a licence comes back whole: number, code, validity, credential', async () => {
  const licence = await issued(house, health, healthCertificate({ validFrom: '2026-03-04' }));
  expect(licence).toEqual({
    number: expect.any(String),
    verificationCode: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{16}$/),
    type: 'LT-HEALTHCERT',
    code: '11990100009900048E003',
    version: 1,
    typeVersion: 1,
    status: expect.any(String),
    validFrom: '2026-03-04',
    validTo: '2027-03-04',
    issuedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    statusListIndex: expect.any(Number),
    credential: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+~/),
  });
  expect(parseLicenceNumber(licence.number)).toEqual({
    type: '11990100009900048E003',
    authority: '11990100009900048E',
    serial: expect.stringMatching(/^[0-9A-Z]{20}$/),
    version: 1,
  });
});

test('the credential says who, what and how long, and discloses each field by itself', async () => {
  const licence = await issued(house, department('civil'), marriage({ validFrom: '2026-03-04' }));
  const verified = await house.signing.verifyCredential(licence.credential, { now: new Date() });
  expect(verified.isAuthentic).toBe(true);
  expect(verified.claims).toMatchObject({
    vct: 'http://127.0.0.1:4100/vct/11990100009900013U001/1',
    licence_id: licence.number,
    licence_version: 1,
    issuing_authority: { name: '云珠市民政局', uscc: '11990100009900013U' },
    valid_from: '2026-03-04',
    holder_name: LI.name,
    holder_id: LI.value,
    spouse_id: WANG.value,
    registered_on: '2020-05-20',
    status: { status_list: { idx: licence.statusListIndex } },
  });
  expect(licence.credential.split('~')).toHaveLength(1 + 7 + 1);
});

test('a field whose name the credential needs itself is disclosed under another', async () => {
  const licence = await issued(house, department('medins'), {
    type: 'LT-MEDINS',
    holder: LI,
    fields: { insured_kind: 'employee', status: 'active' },
  });
  const { claims } = await house.signing.verifyCredential(licence.credential, { now: new Date() });
  expect(claims).toMatchObject({ field_status: 'active' });
});

test('a credential ends with its last valid day in the city', async () => {
  const { credential } = await issued(
    house,
    health,
    healthCertificate({ validTo: '2026-12-31', validFrom: '2026-03-04' }),
  );
  const { claims } = await house.signing.verifyCredential(credential, { now: new Date() });
  expect(claims?.exp).toBe(Date.parse('2026-12-31T16:00:00Z') / 1000);
});

test('the type may be given by its GB code, the day defaults to today', async () => {
  const licence = await issued(house, health, healthCertificate({ type: '11990100009900048E003' }));
  expect([licence.type, licence.validFrom, licence.status]).toEqual([
    'LT-HEALTHCERT',
    today(),
    'valid',
  ]);
});

test('a holding whose last day is over is taken in as expired', async () => {
  const licence = await issued(house, health, healthCertificate({ validFrom: '2020-01-01' }));
  expect([licence.status, licence.validTo]).toEqual(['expired', '2021-01-01']);
});

test('an entry of the log stands for each licence before it leaves', async () => {
  const licence = await issued(house, health, healthCertificate());
  expect(await entriesOf(house, licence.number)).toEqual(['licence.issued ok']);
  expect(
    await column(house, `select topic from platform.outbox where key = '${licence.number}'`),
  ).toEqual(['licence.issued']);
});

test('nothing in the tables tells who holds what, or the code', async () => {
  const { verificationCode } = await issued(house, department('civil'), marriage());
  const dump = (
    await Promise.all(
      ['licences', 'licence_keys', 'credentials', 'licence_events', 'mentions'].map((table) =>
        column(
          house,
          `select t::text || encode(t::text::bytea, 'escape') from registry.${table} t`,
        ),
      ),
    )
  ).join();
  expect(dump.length).toBeGreaterThan(1000);
  for (const secret of [LI.value, WANG.value, LI.name, verificationCode, 'J990101-2020']) {
    const hex = Buffer.from(secret).toString('hex');
    expect(dump.includes(secret) || dump.includes(hex), secret).toBe(false);
  }
});

describe('refused, and nothing is stored', () => {
  const civil = department('civil');
  const cases: [string, Parameters<typeof house.registry.issue>, string, string | undefined][] = [
    [
      'an unknown type',
      [health, healthCertificate({ type: 'LT-NONE' })],
      'registry.unknown_type',
      '/type',
    ],
    ['another department', [civil, healthCertificate()], 'registry.not_issuer', undefined],
    [
      'a system without the scope',
      [department('health', ['licences:read']), healthCertificate()],
      'identity.scope_missing',
      undefined,
    ],
    [
      'a desk officer',
      [officer('health-desk-1', 'desk'), healthCertificate()],
      'identity.scope_missing',
      undefined,
    ],
    [
      'a company as a person',
      [health, healthCertificate({ holder: CANTEEN })],
      'registry.holder_kind',
      '/holder/scheme',
    ],
    [
      'a wrong check digit',
      [health, healthCertificate({ holder: { ...LI, value: '990101199001010010' } })],
      'identity.citizen_id_invalid',
      '/holder/value',
    ],
    [
      'a holder without a name',
      [health, healthCertificate({ holder: { scheme: 'cn-id', value: LI.value } })],
      'registry.input_invalid',
      '/holder/name',
    ],
    [
      'an empty name',
      [health, healthCertificate({ holder: { ...LI, name: '  ' } })],
      'registry.input_invalid',
      '/holder/name',
    ],
    [
      'a field out of its list',
      [
        health,
        healthCertificate({
          fields: { certificate_no: '1', trade: 'circus', examined_on: '2026-03-01' },
        }),
      ],
      'registry.fields_invalid',
      '/fields/trade',
    ],
    [
      'a missing field',
      [health, healthCertificate({ fields: { trade: 'food', examined_on: '2026-03-01' } })],
      'registry.fields_invalid',
      '/fields/certificate_no',
    ],
    [
      'a reference from outside',
      [civil, marriage({ fields: { ...marriage().fields, spouse_id: { $person: 'x' } } })],
      'registry.fields_invalid',
      '/fields/spouse_id',
    ],
    [
      'a key nobody knows',
      [health, { ...healthCertificate(), colour: 'red' }],
      'registry.input_invalid',
      '',
    ],
    [
      'a day that is none',
      [health, healthCertificate({ validFrom: '2026-02-30' })],
      'registry.input_invalid',
      '/validFrom',
    ],
    [
      'a beginning in the future',
      [health, healthCertificate({ validFrom: '2099-01-01' })],
      'registry.validity_invalid',
      '/validFrom',
    ],
    [
      'longer than the type holds',
      [health, healthCertificate({ validTo: '2099-01-01' })],
      'registry.validity_invalid',
      '/validTo',
    ],
    [
      'a purpose that names a person',
      [health, healthCertificate({ purpose: `for ${WANG.value}` })],
      'exchange.identifier_in_text',
      '/purpose',
    ],
    ['no object at all', [health, 'licence'], 'registry.input_invalid', ''],
  ];
  for (const [title, call, code, pointer] of cases) {
    test(title, async () => {
      const before = await column(house, 'select count(*) from registry.licence_keys');
      const refusal = await house.registry.issue(...call).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(AppError);
      if (!(refusal instanceof AppError)) return;
      expect(refusal.code).toBe(code);
      if (pointer !== undefined) expect(refusal.fields?.[0]?.pointer).toBe(pointer);
      expect(JSON.stringify(refusal.fields) + refusal.detail).not.toContain(WANG.value);
      expect(await column(house, 'select count(*) from registry.licence_keys')).toEqual(before);
    });
  }
});

describe('a type that only some purposes are left for', () => {
  const single = (purpose?: string) => ({
    type: 'LT-NOMARRIAGE',
    holder: WANG,
    fields: {
      searched_from: '2005-01-01',
      searched_to: '2026-03-01',
      result: 'no_record',
      destination: 'DE',
    },
    ...(purpose === undefined ? {} : { purpose }),
  });

  test('is issued for one of them', async () => {
    const licence = await issued(house, department('civil'), single('PUR-NOTARY-ABROAD'));
    expect(licence.type).toBe('LT-NOMARRIAGE');
  });

  test('is refused for any other, and the holder can see it', async () => {
    for (const purpose of ['PUR-BANK', undefined]) {
      await expect(
        house.registry.issue(department('civil'), single(purpose)),
      ).rejects.toMatchObject({ code: 'registry.use_exchange_instead' });
    }
    const wang = await house.identity.findPerson(house.database.db, WANG);
    const subjectTag = await house.identity.subjectTagOf(house.database.db, wang ?? '');
    await eventually(async () => {
      const entries = await house.audit.as(systemScope).findEntries({ subjectTag, limit: 50 });
      return entries.filter(({ type }) => type === 'licence.issue_refused').length === 2;
    });
  });
});

describe('many at once', () => {
  test('come back in their order, references and all', async () => {
    const inputs = Array.from({ length: 30 }, (_, at) => ({
      ...marriage({
        holder: { scheme: 'cn-id', value: citizenId('1991-02-03', at), name: `人${at}` },
      }),
    }));
    const licences = await house.registry.issueMany(platformActor, inputs);
    expect(new Set(licences.map(({ number }) => number)).size).toBe(30);
    const last = licences[29];
    const { claims } = await house.signing.verifyCredential(last?.credential ?? '', {
      now: new Date(),
    });
    expect(claims).toMatchObject({ holder_name: '人29', spouse_id: WANG.value });
  });

  test('are all issued or none, and the fault is pointed at', async () => {
    const before = await column(house, 'select count(*) from registry.licence_keys');
    const inputs = [marriage(), marriage({ fields: {} })];
    await expect(house.registry.issueMany(platformActor, inputs)).rejects.toMatchObject({
      code: 'registry.fields_invalid',
      fields: expect.arrayContaining([{ pointer: '/1/fields/registry', detail: 'is required' }]),
    });
    const late = [healthCertificate(), healthCertificate({ validTo: '2099-01-01' })];
    await expect(house.registry.issueMany(health, late)).rejects.toMatchObject({
      fields: [{ pointer: '/1/validTo', detail: expect.any(String) }],
    });
    expect(await column(house, 'select count(*) from registry.licence_keys')).toEqual(before);
  });
});

describe('four eyes', () => {
  beforeAll(async () => {
    const type = world.licence_types.find(({ id }) => id === 'LT-HEALTHCERT');
    await house.registry.publishType(platformActor, {
      ...type,
      id: 'LT-FOUREYES',
      type_code: '11990100009900048E901',
      four_eyes: true,
    });
  });
  const input = healthCertificate({ type: 'LT-FOUREYES' });
  const asks = officer('health-issuer-1', 'issuer');

  test('an application is approved by another officer, once', async () => {
    const applied = await house.registry.issue(asks, input);
    expect(applied).toEqual({ id: expect.any(String), state: 'awaiting_approval' });
    if (!('state' in applied)) return;
    const approver = officer('health-approver-1', 'approver');
    expect(await house.registry.listApplications(approver)).toEqual([
      {
        id: applied.id,
        type: 'LT-FOUREYES',
        requester: 'officer:health-issuer-1',
        requestedAt: expect.any(String),
      },
    ]);
    const licence = await house.registry.approveApplication(approver, applied.id);
    expect(licence).toMatchObject({ type: 'LT-FOUREYES', status: 'valid' });
    await expect(house.registry.approveApplication(approver, applied.id)).rejects.toMatchObject({
      code: 'registry.application_decided',
    });
  });

  test('nobody approves her own, one of another department, or without the role', async () => {
    const applied = await house.registry.issue({ ...asks, roles: ['issuer', 'approver'] }, input);
    if (!('state' in applied)) throw new Error('An application was expected.');
    const cases: [ReturnType<typeof officer>, string][] = [
      [{ ...asks, roles: ['issuer', 'approver'] }, 'registry.own_application'],
      [officer('civil-approver-1', 'approver'), 'registry.application_not_found'],
      [officer('health-issuer-2', 'issuer'), 'identity.role_missing'],
    ];
    for (const [actor, code] of cases) {
      await expect(house.registry.approveApplication(actor, applied.id)).rejects.toMatchObject({
        code,
      });
    }
    await expect(
      house.ownerSql`update registry.applications set state = 'approved', number = 'x',
        approver = requester where id = ${applied.id}`,
    ).rejects.toThrow('applications_four_eyes');
    await expect(
      house.registry.refuseApplication(officer('health-approver-1', 'approver'), applied.id),
    ).resolves.toEqual({ id: applied.id, state: 'refused' });
  });

  test('a department can not go round it by issuing many', async () => {
    await expect(house.registry.issueMany(health, [input])).rejects.toMatchObject({
      code: 'registry.own_application',
    });
  });
});
