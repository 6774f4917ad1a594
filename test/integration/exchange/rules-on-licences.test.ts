// The sample's rules over licences issued by the registry: references, dates and numbers as they
// really come, one question to each service that answers by rule.
import { beforeAll, expect, test } from 'vitest';
import { addMonths } from '../../../exchange/calendar-months.ts';
import { addDays, cityDay, type JsonObject } from '../../../platform/index.ts';
import {
  CANTEEN,
  CITY_TZ,
  citizen,
  department,
  LI,
  maritalQuestion,
  platformActor,
  sampleRules,
  sampleServices,
  WANG,
  withExchange,
} from './house.ts';

const house = withExchange({ queue: 'stopped' });
const today = cityDay(new Date(), CITY_TZ);
const lastMonth = addDays(`${today.slice(0, 7)}-01`, -1);
const project = '2401-990101-04-01-123456';

function licence(type: string, fields: JsonObject, holder: JsonObject = LI): JsonObject {
  return { type, holder, fields };
}

const li = [
  licence('LT-MARRIAGE', {
    certificate_no: 'J990101-2020-000001',
    spouse_name: WANG.name,
    spouse_id: WANG.value,
    registered_on: '2020-05-20',
    registry: '婚姻登记处',
  }),
  licence('LT-PROPERTY', {
    certificate_no: 'YZ-2021-0001',
    unit_no: '990101001001GB00001F00010001',
    location: '云珠市越华区海棠路1号',
    share_form: 'joint',
    use: 'residential',
    area_m2: 88.5,
  }),
  licence('LT-INSURED', {
    period_from: `${addMonths(lastMonth, -59).slice(0, 7)}-01`,
    period_to: lastMonth,
    pension_months: 60,
    unemployment_months: 60,
    injury_insured: true,
  }),
  licence('LT-MEDINS', { insured_kind: 'employee', status: 'ended' }),
  licence('LT-RESIDENCE', {
    permit_no: 'R1',
    current_address: '云珠市越华区海棠路1号',
    registered_address: '外省',
    basis: 'employment',
  }),
  licence('LT-HUKOU', {
    household_no: 'H1',
    household_kind: 'family',
    householder_name: LI.name,
    relation_to_householder: 'self',
    registered_address: '云珠市越华区海棠路1号',
    native_place: '云珠市',
  }),
  licence('LT-BIRTH', {
    certificate_no: 'B990101001',
    birth_at: '1990-01-01T00:00:00Z',
    mother_id: WANG.value,
  }),
  licence('LT-TAXREC', {
    period_from: addMonths(lastMonth, -11).slice(0, 7),
    period_to: lastMonth.slice(0, 7),
    declared_income: 48000,
  }),
  licence('LT-DISABILITY', { certificate_no: 'Z1', category: '4', grade: '2' }),
  licence('LT-DIBAO', { certificate_no: 'W1', household_size: 2, approved_on: '2026-01-01' }),
  licence('LT-GRADUATION', { certificate_no: 'G1', level: 'bachelor', school: '云珠大学' }),
  licence('LT-TEACHER', { certificate_no: 'T1', stage: 'primary', subject: '语文' }),
  licence('LT-VEHICLE', {
    plate_no: '云A12345',
    vehicle_type: '小型轿车',
    vin: 'VIN1',
    use_kind: 'private',
  }),
  licence('LT-DRIVER', {
    file_no: '990100000001',
    classes: ['C1', 'D'],
    first_issued_on: '2015-01-01',
    points: 3,
  }),
  licence('LT-HEALTHCERT', { certificate_no: 'JK1', trade: 'food', examined_on: '2026-03-01' }),
  licence('LT-PREFER', { voucher_no: 'V1', beneficiary_kind: 'veteran' }),
  licence('LT-HPF', { account_no: 'A1', months_paid: 30 }),
  licence('LT-RENTAL', { notice_no: 'N1', household_size: 2, mode: 'subsidy' }),
  licence('LT-EMPLOY', { certificate_no: 'E1', status: 'employed' }),
];

const others = [
  licence(
    'LT-HUKOU',
    {
      household_no: 'H1',
      household_kind: 'family',
      householder_name: LI.name,
      relation_to_householder: 'spouse',
      registered_address: '云珠市越华区海棠路1号',
      native_place: '云珠市',
    },
    WANG,
  ),
  // Her half of the same flat: it must not count twice.
  licence(
    'LT-PROPERTY',
    {
      certificate_no: 'YZ-2021-0002',
      unit_no: '990101001001GB00001F00010001',
      location: '云珠市越华区海棠路1号',
      share_form: 'joint',
      use: 'residential',
      area_m2: 88.5,
    },
    WANG,
  ),
  licence(
    'LT-BIZLIC',
    {
      entity_type: 'company',
      legal_rep_name: LI.name,
      legal_rep_id: LI.value,
      established_on: '2020-01-01',
      address: '海棠路1号',
      scope: '餐饮',
      registration_status: 'active',
    },
    CANTEEN,
  ),
  licence(
    'LT-FOODBIZ',
    { permit_no: 'JY1', premises: '海棠路1号', main_business: 'canteen', items: ['热食类'] },
    CANTEEN,
  ),
  licence(
    'LT-LANDUSE',
    { permit_no: 'LU1', project_code: project, land_location: 'A', land_area_m2: 1000 },
    CANTEEN,
  ),
];

type Expected = JsonObject | 'cannot_tell' | 'desk';

// What the licences above mean, worked out by hand.
const questions: [string, JsonObject, Expected][] = [
  ['VS-MARITAL', { declared: 'married' }, { matches: true }],
  ['VS-SPOUSE', { other_id: WANG.value }, { is_spouse: true }],
  ['VS-NOHOME', { scope: 'district', district_code: '990101' }, { has_home: true }],
  ['VS-HOMEAREA', { family_ids: [LI.value, WANG.value], threshold_m2: 44.3 }, { below: true }],
  ['VS-TITLE', { certificate_no: 'YZ-2021-0001' }, { valid: true, holder_matches: true }],
  ['VS-SIMONTHS', { at_least: 60, continuous: true }, { meets: true }],
  ['VS-SISTATUS', { kind: 'pension' }, { insured: true }],
  ['VS-MEDMONTHS', { months: 12 }, { meets: false }],
  ['VS-RESIDENCE', { at_least_months: 1 }, { permit_valid: true, meets: false }],
  ['VS-HUKOU', { district_code: '990102' }, { registered_here: false }],
  ['VS-KINSHIP', { other_id: WANG.value, declared: 'spouse' }, { matches: 'match' }],
  [
    'VS-BIRTH',
    { certificate_no: 'B990101001', mother_id: WANG.value },
    { genuine: true, mother_matches: true },
  ],
  ['VS-ALIVE', { reason: 'inheritance' }, { deceased: false }],
  ['VS-INCOME', { months: 12, threshold: 4000 }, { at_or_below: true }],
  ['VS-TAXCLEAR', {}, 'cannot_tell'],
  ['VS-DISABILITY', { grade_at_least: '3' }, { meets: true }],
  ['VS-DIBAO', {}, { covered: true }],
  ['VS-SCHOOLROLL', { kind: 'level_at_least', level: 'master' }, { answer: false }],
  ['VS-TEACHER', { stage: 'primary' }, { qualified: true }],
  ['VS-VEHICLE', { at_least: 2 }, { meets: false }],
  ['VS-DRIVER', { klass: 'D' }, { valid: true }],
  ['VS-BIZSTATUS', {}, { status: 'active' }],
  ['VS-BIZROLE', { entity_uscc: CANTEEN.value }, { has_role: true }],
  ['VS-FOODBIZ', { item: '热食类' }, { valid: true }],
  ['VS-HEALTHCERT', { trade: 'food' }, { valid: true }],
  ['VS-PREFER', { kind: 'any' }, { entitled: true }],
  ['VS-HPF', { at_least: 31 }, { meets: false }],
  ['VS-HOUSINGAID', { kind: 'allocation' }, { receiving: false }],
  ['VS-EMPLOY', {}, { employed: true }],
  ['VS-PLANNING', { project_code: project }, { land_use_valid: true, planning_valid: false }],
];

beforeAll(async () => {
  await house.registry.issueMany(platformActor, [...li, ...others]);
}, 30_000);

test('there is a question here for every rule', () => {
  expect(questions.map(([code]) => code).sort()).toEqual(Object.keys(sampleRules).sort());
});

for (const [code, params, expected] of questions) {
  test(`${code} says ${JSON.stringify(expected)}`, async () => {
    const service = sampleServices.find(({ id }) => id === code);
    if (!service) throw new TypeError(`There is no service ${code}.`);
    const requester = department(service.requesters[0] ?? '');
    const subject =
      service.subject_kind === 'legal_person'
        ? { scheme: 'uscc', value: CANTEEN.value }
        : { scheme: 'cn-id', value: LI.value };
    const question = maritalQuestion({
      service: code,
      subject,
      params,
      legalBasis: service.legal_basis[0],
    });
    // One that waits for consent doesn't end while somebody waits for it.
    const waitSeconds = service.consent === 'required' ? 0 : 5;
    const asked = await house.exchange.ask(requester, question, { waitSeconds });
    const ended = await afterConsent(asked.id, asked.state, requester);
    if (expected === 'cannot_tell') {
      expect(ended).toMatchObject({ state: 'refused', refusal: { reason: 'cannot_tell' } });
    } else {
      expect(ended.state).toBe('answered');
      expect(ended.answer).toEqual({ ...Object(expected), as_of: today });
    }
  });
}

/** Lets everybody named agree, and a worker answer. */
async function afterConsent(id: string, state: string, requester: ReturnType<typeof department>) {
  if (state === 'awaiting_consent') {
    for (const { scheme, value } of [LI, WANG]) {
      const personId = await house.identity.findPerson(house.database.db, { scheme, value });
      const actor = citizen(String(personId));
      for (const consent of await house.exchange.listConsents(actor, 'pending')) {
        await house.exchange.decideConsent(actor, consent.id, 'grant');
      }
    }
    const answer: ((data: Record<string, string | number>) => Promise<void>)[] = [];
    house.another({
      queue: {
        add: async () => {},
        handle: (name, handler) => void (name === 'exchange.answer' && answer.push(handler)),
      },
    });
    await answer[0]?.({ verificationId: id, dispatchNo: 1 });
  }
  return house.exchange.getVerification(requester, id);
}
