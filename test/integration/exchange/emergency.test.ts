// Break-glass: what it opens, for how long, who must look at it afterwards, and who learns of it.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Actor, ROLES, type Role } from '../../../identity/index.ts';
import { databaseFault, type JsonObject, systemScope } from '../../../platform/index.ts';
import { CANTEEN, codeOf, issued, LI, marriage, officer, WANG, withExchange } from './house.ts';

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
