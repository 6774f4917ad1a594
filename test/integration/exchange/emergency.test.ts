// Break-glass: what it opens, for how long, who must look at it afterwards, and who learns of it.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Actor, ROLES, type Role } from '../../../identity/index.ts';
import { databaseFault, type JsonObject, systemScope } from '../../../platform/index.ts';
import {
  CANTEEN,
  codeOf,
  department,
  issued,
  LI,
  marriage,
  officer,
  WANG,
  withExchange,
} from './house.ts';

const house = withExchange({ queue: 'stopped' });
const HOUR = 3_600_000;
const nurse = officer('health-desk-1', 'desk');
const approver = officer('health-approver-1', 'approver');
let number: string;

beforeAll(async () => {
  ({ number } = await issued(house, officerOf('civil'), marriage()));
  await house.exchange.allowEmergencies(house.database.db, 'health');
});

afterEach(() => house.setClockOffset(0));

function officerOf(id: string): Actor {
  return { ...officer(`${id}-issuer-1`, 'issuer'), organisationId: id };
}

/** The hospital must know whom Li is married to. */
function emergency(changes: JsonObject = {}): JsonObject {
  return {
    licenceType: 'LT-MARRIAGE',
    subject: { scheme: 'cn-id', value: LI.value },
    fields: ['registered_on'],
    legalBasis: 'LB-716-7',
    caseId: 'ER-2026-7',
    reason: '昏迷,须联系近亲属',
    minutes: 60,
    ...changes,
  };
}

const opened = async (actor = nurse, changes: JsonObject = {}) =>
  (await house.exchange.openEmergency(actor, emergency(changes))).id;

const review = (actor: Actor, id: string, verdict = 'justified') =>
  house.exchange.reviewEmergency(actor, id, { verdict, note: '核实属实' });

let serial = 0;
/** An officer who has opened nothing yet. */
const another = (): Actor => {
  serial += 1;
  return officer(`health-desk-${100 + serial}`, 'desk');
};

test('shows the fields asked for, of one licence type of one person, and no more', async () => {
  const actor = another();
  const open = await house.exchange.openEmergency(actor, emergency());
  expect(open).toMatchObject({
    state: 'open',
    organisation: 'health',
    reason: '昏迷,须联系近亲属',
    caseId: 'ER-2026-7',
    looks: 0,
    isMine: true,
  });
  expect(Date.parse(open.endsAt) - Date.parse(open.openedAt)).toBe(HOUR);
  const look = await house.exchange.readEmergency(actor, open.id);
  expect(look.items.map((item) => [item.number, Object.keys(item.fields)])).toEqual([
    [number, ['registered_on']],
  ]);
  const { items } = await house.exchange.listEmergencies(actor);
  expect(items.map(({ id, looks }) => [id, looks])).toEqual([[open.id, 1]]);
});

test('is told to its subject within seven days, and to the alarms at once', async () => {
  const id = await opened(another());
  const entries = await house.audit
    .as(systemScope)
    .findEntries({ type: 'emergency.opened', limit: 1 });
  const [entry] = entries;
  const delay = (entry?.discloseAt?.getTime() ?? 0) - (entry?.at.getTime() ?? 0);
  expect(Math.abs(delay - 7 * 24 * HOUR)).toBeLessThan(60_000);
  expect(entry).toMatchObject({ department: 'health', legalBasis: 'LB-716-7', role: 'desk' });
  const events = await house.ownerSql`select payload from platform.outbox
    where topic = 'exchange.emergency_opened' and key = ${id}`;
  expect(events.map(({ payload }) => payload)).toEqual([
    { emergency: id, organisation: 'health', licenceType: 'LT-MARRIAGE' },
  ]);
});

test('ends by itself, by the database’s clock, and is then to be reviewed in time', async () => {
  const actor = another();
  const id = await opened(actor, { minutes: 5 });
  const stateOf = async () => {
    const { items } = await house.exchange.listEmergencies(actor);
    return items.find((one) => one.id === id)?.state;
  };
  await house.setClockOffset(6 * 60_000);
  expect(await codeOf(house.exchange.readEmergency(actor, id))).toBe('exchange.emergency_ended');
  expect(await stateOf()).toBe('to_review');
  await house.setClockOffset(73 * HOUR);
  expect(await stateOf()).toBe('overdue');
  await house.sweep('exchange.emergencies');
  await house.sweep('exchange.emergencies');
  const told = await house.ownerSql`select from platform.outbox
    where topic = 'exchange.emergency_overdue' and key = ${id}`;
  expect(told).toHaveLength(1);
});

test('is not prolonged by opening it again: another officer reviews first', async () => {
  const actor = another();
  const id = await opened(actor);
  const again = () => codeOf(opened(actor));
  expect(await again()).toBe('exchange.emergency_unreviewed');
  await house.setClockOffset(100 * HOUR);
  expect(await again()).toBe('exchange.emergency_unreviewed');
  await house.setClockOffset(0);
  await review(approver, id);
  expect(await again()).toBe('not refused');
});

test('opened twice at once is opened once', async () => {
  const actor = another();
  const codes = await Promise.all([1, 2, 3].map(() => codeOf(opened(actor))));
  expect(codes.sort()).toEqual([
    'exchange.emergency_unreviewed',
    'exchange.emergency_unreviewed',
    'not refused',
  ]);
});

describe('a review', () => {
  test('is another account’s, final, and ends the emergency', async () => {
    const both = { ...another(), roles: ['desk', 'approver'] as Role[] };
    const id = await opened(both);
    expect(await codeOf(review(both, id))).toBe('exchange.own_emergency');
    expect(await codeOf(review(nurse, id))).toBe('identity.role_missing');
    expect(await codeOf(review(officer('civil-approver-1', 'approver'), id))).toBe(
      'exchange.emergency_not_found',
    );
    expect(await review(approver, id, 'not_justified')).toMatchObject({ state: 'not_justified' });
    expect(await codeOf(review(approver, id))).toBe('exchange.emergency_reviewed');
    expect(await codeOf(house.exchange.readEmergency(both, id))).toBe('exchange.emergency_ended');
  });

  test('and the time box hold in the database around the code', async () => {
    const id = await opened(another());
    const set = async (change: ReturnType<typeof sql>, of = id) => {
      try {
        await house.database
          .as({ organisation: 'health' })
          .transaction((tx) =>
            tx.execute(sql`update exchange.emergencies set ${change} where id = ${of}`),
          );
        return 'not refused';
      } catch (error) {
        const fault = databaseFault(error);
        return fault?.constraint ?? fault?.code;
      }
    };
    const own = sql`verdict = 'justified', reviewed_at = now(), reviewed_by = opened_by`;
    expect([
      await set(own),
      await set(sql`ends_at = ends_at + interval '1 hour'`),
      await set(sql`subject_id = subject_id`),
      await set(sql`verdict = 'justified'`),
    ]).toEqual(['emergencies_two_accounts', '42501', '42501', 'emergencies_check']);
    await review(approver, id);
    expect(await set(sql`verdict = 'not_justified'`)).toBe('23001');
    const long = house.ownerSql`update exchange.emergencies
      set ends_at = opened_at + interval '5 hours' where id = ${id}`;
    await expect(long).rejects.toMatchObject({ constraint_name: 'emergencies_time_box' });
  });
});

test('opens nothing to others: neither a colleague nor another department finds it', async () => {
  const id = await opened(another());
  for (const actor of [nurse, officer('civil-desk-1', 'desk')]) {
    expect(await codeOf(house.exchange.readEmergency(actor, id))).toBe(
      'exchange.emergency_not_found',
    );
  }
  expect(await codeOf(house.exchange.readEmergency(nurse, 'no-id'))).toBe(
    'exchange.emergency_not_found',
  );
});

test('is opened by a desk of an allow-listed department alone, where no usual way leads', async () => {
  const cases: [Actor, JsonObject, string][] = [
    [officer('housing-desk-1', 'desk'), {}, 'exchange.emergency_not_allowed'],
    [another(), { licenceType: 'LT-HEALTHCERT' }, 'exchange.emergency_not_needed'],
    [another(), { licenceType: 'LT-NONE' }, 'exchange.request_invalid'],
    [another(), { fields: ['no_such_field'] }, 'exchange.request_invalid'],
    [another(), { fields: [] }, 'exchange.request_invalid'],
    [another(), { minutes: 241 }, 'exchange.request_invalid'],
    [another(), { reason: ' ' }, 'exchange.request_invalid'],
    [another(), { reason: `见 ${WANG.value}` }, 'exchange.identifier_in_text'],
    [another(), { caseId: LI.value }, 'exchange.identifier_in_text'],
    [
      another(),
      { subject: { scheme: 'cn-id', value: CANTEEN.value } },
      'identity.citizen_id_invalid',
    ],
  ];
  for (const [actor, changes, code] of cases) {
    expect([changes, await codeOf(opened(actor, changes))]).toEqual([changes, code]);
  }
  for (const role of ROLES.filter((one) => one !== 'desk')) {
    const actor = { ...another(), roles: [role] };
    expect([role, await codeOf(opened(actor))]).toEqual([role, 'identity.role_missing']);
  }
});

test('is listed to auditors with its reason, and that look is logged too', async () => {
  const id = await opened(another());
  const auditor = officer('audit-auditor-1', 'auditor');
  const { items } = await house.exchange.listAllEmergencies(auditor, { limit: 1 });
  expect(items).toMatchObject([{ id, reason: '昏迷,须联系近亲属', state: 'open' }]);
  expect(JSON.stringify(items)).not.toContain(LI.value);
  const [entry] = await house.audit
    .as(systemScope)
    .findEntries({ type: 'audit.emergencies_read', limit: 1 });
  expect(entry).toMatchObject({ department: 'audit', outcome: 'ok' });
  expect(await codeOf(house.exchange.listAllEmergencies(nurse))).toBe('identity.scope_missing');
});

describe('a question in an emergency', () => {
  // Market supervision has no agreement with civil affairs.
  let marketSerial = 0;
  const inspector = (): Actor => {
    marketSerial += 1;
    return officer(`market-desk-${100 + marketSerial}`, 'desk');
  };
  const marketApprover = officer('market-approver-1', 'approver');
  beforeAll(() => house.exchange.allowEmergencies(house.database.db, 'market'));

  /** After an explosion: is Li, who lies there, married? */
  const question = (changes: JsonObject = {}): JsonObject => {
    const { licenceType, fields, ...rest } = emergency();
    return { ...rest, service: 'VS-MARITAL', ...changes };
  };
  const openedQuestion = async (actor: Actor, changes: JsonObject = {}) =>
    (await house.exchange.openEmergency(actor, question(changes))).id;
  const declared = (word: string) => ({ params: { declared: word } });
  const ask = (actor: Actor, id: string, word = 'married') =>
    house.exchange.askEmergency(actor, id, declared(word), { waitSeconds: 20 });

  test('is asked without an agreement, and answered as little as to anybody', async () => {
    const actor = inspector();
    const open = await house.exchange.openEmergency(actor, question());
    expect(open).toMatchObject({
      service: 'VS-MARITAL',
      licenceType: null,
      state: 'open',
      fields: expect.arrayContaining(['matches']),
    });
    const asked = await ask(actor, open.id);
    expect(asked).toMatchObject({ state: 'answered', answer: { matches: true } });
    expect(Object.keys(asked.answer ?? {}).sort()).toEqual(open.fields.toSorted());
    const { items } = await house.exchange.listEmergencies(actor);
    expect(items.map(({ id, looks }) => [id, looks])).toEqual([[open.id, 1]]);
  });

  test('is told to its subject within seven days, question, answer and each later look', async () => {
    const actor = inspector();
    const { id } = await ask(actor, await openedQuestion(actor));
    await house.exchange.getVerification(actor, id);
    const log = house.audit.as(systemScope);
    for (const type of ['emergency.asked', 'verification.answered', 'answer.read']) {
      const entries = await log.findEntries({ type, limit: 20 });
      const entry = entries.find(({ verification }) => verification === id);
      const delay = (entry?.discloseAt?.getTime() ?? 0) - (entry?.at.getTime() ?? 0);
      expect([type, Math.abs(delay - 7 * 24 * HOUR) < 60_000]).toEqual([type, true]);
    }
  });

  test('waits for no consent, and may be for an officer to answer', async () => {
    const actor = inspector();
    const id = await openedQuestion(actor, { service: 'VS-NOCRIME' });
    const asked = await house.exchange.askEmergency(actor, id, {
      params: { post_kind: 'teacher' },
    });
    expect(asked.state).toBe('dispatched');
    const consents = await house.ownerSql`
      select from exchange.consents where verification_id = ${asked.id}`;
    expect(consents).toHaveLength(0);
    const clerk = officer('police-provider-1', 'provider');
    const { items } = await house.exchange.listQuestions(clerk, { limit: 200 });
    expect(items.map((one) => one.id)).toContain(asked.id);
  });

  test('is hers alone who opened it, until another officer has reviewed it', async () => {
    const actor = inspector();
    const id = await openedQuestion(actor);
    const asked = await ask(actor, id);
    expect((await house.exchange.getVerification(actor, asked.id)).state).toBe('answered');
    const colleague = inspector();
    const codes = async () => [
      await codeOf(ask(colleague, id)),
      await codeOf(house.exchange.getVerification(colleague, asked.id)),
      await codeOf(house.exchange.getVerification(department('market'), asked.id)),
    ];
    const notHers = [
      'exchange.emergency_not_found',
      'exchange.verification_not_found',
      'exchange.verification_not_found',
    ];
    expect(await codes()).toEqual(notHers);
    await review(marketApprover, id);
    expect(await codes()).toEqual(notHers);
    expect([
      await codeOf(ask(actor, id)),
      await codeOf(house.exchange.getVerification(actor, asked.id)),
    ]).toEqual(['exchange.emergency_ended', 'exchange.verification_not_found']);
  });

  test('can’t be asked after its end, nor to guess, nor what the service does not take', async () => {
    const actor = inspector();
    const id = await openedQuestion(actor, { minutes: 5 });
    expect(
      await codeOf(house.exchange.askEmergency(actor, id, { params: { declared: 'who knows' } })),
    ).toBe('exchange.params_invalid');
    expect(await codeOf(ask(actor, id, 'married'))).toBe('not refused');
    expect(await codeOf(ask(actor, id, 'divorced'))).toBe('not refused');
    expect(await codeOf(ask(actor, id, 'widowed'))).toBe('exchange.probing');
    // What was refused was no use of it.
    const { items } = await house.exchange.listEmergencies(actor);
    expect(items.find((one) => one.id === id)?.looks).toBe(2);
    await house.setClockOffset(6 * 60_000);
    expect(await codeOf(ask(actor, id))).toBe('exchange.emergency_ended');
  });

  test('is opened only where no agreement leads, for a service that there is', async () => {
    await house.exchange.allowEmergencies(house.database.db, 'housing');
    await house.exchange.allowEmergencies(house.database.db, 'civil');
    const cases: [Actor, JsonObject, string][] = [
      [officer('housing-desk-7', 'desk'), {}, 'exchange.emergency_not_needed'],
      [officer('civil-desk-7', 'desk'), {}, 'exchange.emergency_not_needed'],
      [inspector(), { service: 'VS-NONE' }, 'exchange.request_invalid'],
      [inspector(), { licenceType: 'LT-MARRIAGE' }, 'exchange.request_invalid'],
      [inspector(), { fields: ['matches'] }, 'exchange.request_invalid'],
    ];
    for (const [actor, changes, code] of cases) {
      const refused = codeOf(house.exchange.openEmergency(actor, question(changes)));
      expect([changes, await refused]).toEqual([changes, code]);
    }
  });

  test('and a look at licences are different things', async () => {
    const actor = inspector();
    const [asking, reading] = [await openedQuestion(actor), await opened(actor)];
    expect([
      await codeOf(house.exchange.readEmergency(actor, asking)),
      await codeOf(ask(actor, reading)),
    ]).toEqual(['exchange.emergency_other_use', 'exchange.emergency_other_use']);
    expect(await codeOf(openedQuestion(actor))).toBe('exchange.emergency_unreviewed');
  });

  test('stands on exactly one ground in the database', async () => {
    const actor = inspector();
    const { id } = await ask(actor, await openedQuestion(actor));
    const [row] = await house.ownerSql`
      select agreement_id, emergency_id from exchange.verifications where id = ${id}`;
    expect(row).toMatchObject({ agreement_id: null, emergency_id: expect.any(String) });
    for (const change of [
      house.ownerSql`insert into exchange.verifications
        select (jsonb_populate_record(v, jsonb_build_object('id', gen_random_uuid(),
          'emergency_id', null))).* from exchange.verifications v where v.id = ${id}`,
      house.ownerSql`insert into exchange.verifications
        select (jsonb_populate_record(v, jsonb_build_object('id', gen_random_uuid(),
          'agreement_id', gen_random_uuid(), 'agreement_version', 1))).*
        from exchange.verifications v where v.id = ${id}`,
    ]) {
      await expect(change).rejects.toMatchObject({
        constraint_name: 'verifications_one_ground',
      });
    }
  });
});
