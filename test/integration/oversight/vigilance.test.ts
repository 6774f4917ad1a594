// Vigilance: which looks raise which alarms, once each, whatever dies on the way.
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scopeOfLog } from '../../../audit/index.ts';
import { selectRows, systemScope } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { auditor, makeWatchedHouse, officer } from './vigilance-house.ts';

const databases = withDatabase();
const house = makeWatchedHouse(databases);
const { audit, identity, vigilance, clock } = house;

beforeAll(() => house.start());
afterAll(() => audit.stop());

async function peopleIds(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < count; at += 1) ids.push((await house.aPerson()).personId);
  return ids;
}

test('the rules that come with the house are published once, each with its hash in the log', async () => {
  await Promise.all([vigilance.publishShipped(), house.open().publishShipped()]);
  const rules = await house.rows<{ id: string; hash: string }>((tx) =>
    selectRows(tx, sql`select id, hash from oversight.rules order by id`),
  );
  expect(rules.length).toBeGreaterThanOrEqual(13);
  const told = async () => {
    const entries = await audit
      .as(scopeOfLog)
      .findEntries({ type: 'vigilance.rule_published', limit: 50 });
    const details = await identity.openAccess(entries);
    return entries.map((entry, at) => `${entry.service} ${details[at]?.purpose}`).sort();
  };
  await eventually(async () => (await told()).length >= rules.length);
  expect(await told()).toEqual(rules.map(({ id, hash }) => `rule:${id}@1 sha256:${hash}`).sort());
});

test('many looks without a case are one alarm a day, with the looks as evidence, in the log too', async () => {
  const who = officer(11);
  const indexes = await house.look(await peopleIds(40), who, { caseId: undefined });
  await vigilance.watchLog();
  const [alarm, ...others] = await house.alarms('no-case');
  expect(others).toEqual([]);
  expect(alarm).toMatchObject({
    rule: 'no-case',
    version: 1,
    state: 'new',
    overdue: false,
    department: 'housing',
    evidence: indexes.slice(0, 21),
    later: indexes.slice(21),
    note: null,
    closed: null,
  });
  const indexOf = async () => (await house.alarms('no-case'))[0]?.index ?? -1;
  await expect.poll(indexOf).toBeGreaterThan(indexes.at(-1) ?? 0);
  const entry = await audit.as(scopeOfLog).getEntry(await indexOf());
  const [detail] = await identity.openAccess([entry]);
  expect(entry).toMatchObject({ type: 'vigilance.alerted', service: 'rule:no-case@1' });
  expect(JSON.parse(detail?.purpose ?? '')).toMatchObject({
    rule: 'no-case',
    version: 1,
    evidence: indexes.slice(0, 21),
  });
});

test('a case that stands for more than ten people is no case', async () => {
  await house.look(await peopleIds(40), officer(12), { caseId: 'GZF-ALL' });
  await vigilance.watchLog();
  expect(await house.alarms('no-case')).toHaveLength(2);
});

test('bulk looks at night raise an alarm, the same by day do not', async () => {
  const people = await peopleIds(20);
  await house.look(people, officer(13));
  const untilNight = 16.5 * 3_600_000;
  clock.advance(untilNight);
  const indexes = await house.look(people, officer(14));
  clock.advance(-untilNight);
  await vigilance.watchLog();
  const alarms = await house.alarms('off-hours-bulk');
  expect(alarms.map(({ evidence, later }) => [...evidence, ...later])).toEqual([indexes]);
});

test('two watches at once, and one cut off, raise each alarm once and lose none', async () => {
  const before = (await house.alarms('no-case')).length;
  const people = await peopleIds(25);
  const rival = house.open();
  for (const number of [15, 16, 17])
    await house.look(people, officer(number), { caseId: undefined });
  // The judging's transaction dies at its end: cursor, alarms and their entries die with it.
  await databases.ownerSql`
    create function oversight.die() returns trigger language plpgsql as $$
    begin raise exception 'killed'; end $$`;
  await databases.ownerSql`
    create constraint trigger die after insert on oversight.alerts
      deferrable initially deferred for each row execute function oversight.die()`;
  await expect(vigilance.watchLog()).rejects.toThrow();
  expect(await house.alarms('no-case')).toHaveLength(before);
  await databases.ownerSql`drop trigger die on oversight.alerts`;
  await Promise.all([vigilance.watchLog(), rival.watchLog(), vigilance.watchLog()]);
  await vigilance.watchLog();
  expect(await house.alarms('no-case')).toHaveLength(before + 3);
  const entries = await audit
    .as(scopeOfLog)
    .findEntries({ service: 'rule:no-case@1', type: 'vigilance.alerted', limit: 50 });
  expect(entries).toHaveLength(before + 3);
});

test('an alarm is noted, closed with a finding, and then stays as it is; each act is in the log', async () => {
  const [alarm] = await house.alarms('no-case');
  const id = alarm?.id ?? '';
  const noted = await vigilance.noteAlert(auditor(1), id, { note: '已联系该部门' });
  expect(noted).toMatchObject({
    state: 'noted',
    note: { by: 'audit-auditor-1', text: '已联系该部门' },
  });
  const closed = await vigilance.closeAlert(auditor(2), id, { finding: 'unjustified' });
  expect(closed).toMatchObject({
    state: 'closed',
    closed: { by: 'audit-auditor-2', finding: 'unjustified', text: '' },
  });
  for (const act of [
    () => vigilance.noteAlert(auditor(1), id, {}),
    () => vigilance.closeAlert(auditor(1), id, { finding: 'justified' }),
  ]) {
    await expect(act()).rejects.toMatchObject({ code: 'oversight.alert_closed' });
  }
  const calls = await audit.as(scopeOfLog).findEntries({ department: 'audit', limit: 4 });
  expect(calls.map(({ type, outcome }) => `${type} ${outcome}`)).toEqual([
    'vigilance.alert_closed refused',
    'vigilance.alert_noted refused',
    'vigilance.alert_closed ok',
    'vigilance.alert_noted ok',
  ]);
  await expect(
    databases.ownerSql`update oversight.alerts set finding = 'justified' where id = ${id}`,
  ).rejects.toThrow(/refused/);
});

test('refused: who audits nothing, an identifier in a note, an alarm nobody raised', async () => {
  const [alarm] = await house.alarms('off-hours-bulk');
  const id = alarm?.id ?? '';
  const { identifier } = await house.aPerson();
  const cases: [() => Promise<unknown>, string][] = [
    [() => vigilance.listAlerts(officer()), 'identity.scope_missing'],
    [() => vigilance.getAlert(officer(), id), 'identity.scope_missing'],
    [() => vigilance.noteAlert(officer(), id, {}), 'identity.scope_missing'],
    [() => vigilance.closeAlert(officer(), id, { finding: 'justified' }), 'identity.scope_missing'],
    [
      () => vigilance.noteAlert({ ...auditor(1), onBehalfOf: undefined }, id, {}),
      'oversight.officer_needed',
    ],
    [
      () => vigilance.noteAlert(auditor(1), id, { note: identifier.value }),
      'oversight.identifier_in_text',
    ],
    [() => vigilance.getAlert(auditor(1), 'x'), 'oversight.alert_not_found'],
    [
      () => vigilance.getAlert(auditor(1), '019a0000-0000-7000-8000-000000000000'),
      'oversight.alert_not_found',
    ],
  ];
  for (const [act, code] of cases) await expect(act()).rejects.toMatchObject({ code });
});

test('without the scope of the whole log nothing of the watch is in sight', async () => {
  const { database } = databases;
  for (const table of ['looks', 'look_views', 'alerts', 'pairs', 'marks', 'actor_days']) {
    const count = sql`select count(*)::int as count from ${sql.identifier('oversight')}.${sql.identifier(table)}`;
    const [bare] = await selectRows<{ count: number }>(database.db, count);
    expect([table, bare?.count]).toEqual([table, 0]);
    if (table === 'marks') continue;
    const [open] = await database
      .as(systemScope)
      .transaction((tx) => selectRows<{ count: number }>(tx, count));
    expect([table, (open?.count ?? 0) > 0]).toEqual([table, true]);
  }
});
