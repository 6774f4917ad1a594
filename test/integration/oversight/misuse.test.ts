// Misuse that is made up for the rules to find: every alarm is raised, its evidence opens, and a replay finds
// the same alarms.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scopeOfLog } from '../../../audit/index.ts';
import { createOversight } from '../../../oversight/index.ts';
import { createLogger, systemIds } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { auditor, makeWatchedHouse, officer } from './vigilance-house.ts';

const databases = withDatabase();
const house = makeWatchedHouse(databases);
const { audit, identity, vigilance, clock } = house;
const oversight = createOversight({
  database: databases.database,
  ids: systemIds,
  logger: createLogger({ level: 'silent' }),
  audit,
  identity,
  citationOf: (id) => id,
  cityTz: 'Asia/Shanghai',
  ticketDays: { answer: 10, escalate: 5 },
  ownRecords: async () => ({}),
});

const HOUR = 3_600_000;
const day = { from: '2026-03-01', to: '2026-03-31' };
/** Rule → the looks that are misuse in its eyes. */
const seeded = new Map<string, number[]>();

async function people(count: number, name?: string, birthDay?: string) {
  const made: Awaited<ReturnType<typeof house.aPerson>>[] = [];
  for (let at = 0; at < count; at += 1) made.push(await house.aPerson(name, birthDay));
  return made;
}
const idsOf = (some: readonly { personId: string }[]) => some.map(({ personId }) => personId);

/** Every department's officers at their work: many people, each with a case of her own, by day. */
async function ordinary(officers: number, looksEach: number) {
  const crowd = idsOf(await people(officers * looksEach));
  for (let who = 0; who < officers; who += 1) {
    const mine = crowd.slice(who * looksEach, (who + 1) * looksEach);
    await house.look(mine, officer(50 + who));
    clock.advance(HOUR / 4);
  }
  clock.advance((-officers * HOUR) / 4);
}

beforeAll(async () => {
  await house.start();
  await ordinary(8, 12);
  seeded.set(
    'no-case',
    await house.look(idsOf(await people(40)), officer(1), { caseId: undefined }),
  );

  const [herself] = await people(1, '陈某');
  const [relative] = await people(1, '林某');
  const [minister] = await people(1, '王某');
  if (!herself || !relative || !minister) throw new TypeError('Three people were made.');
  for (const { personId } of [herself, relative]) house.households.set(personId, 'H-001');
  const reason = '年度名单';
  await vigilance.addMark(auditor(1), { kind: 'listed', subject: minister.identifier, reason });
  await vigilance.addMark(auditor(1), {
    kind: 'officer',
    subject: herself.identifier,
    reason,
    department: 'housing',
    officer: 'housing-desk-2',
  });
  seeded.set('self', await house.look([herself.personId], officer(2)));
  seeded.set('same-household', await house.look([relative.personId], officer(2)));
  seeded.set('watch-list', await house.look([minister.personId], officer(3)));
  const [namesake] = await people(1, '陈二');
  seeded.set(
    'same-surname',
    await house.look([namesake?.personId], officer(2), { caseId: undefined }),
  );

  const [one] = await people(1);
  const fan: number[] = [];
  for (let who = 0; who < 6; who += 1) {
    fan.push(...(await house.look([one?.personId], officer(20 + who))));
  }
  seeded.set('fan-in', fan);
  seeded.set(
    'id-probing',
    await house.look(idsOf(await people(5, '张三', '19880808')), officer(4)),
  );
  seeded.set(
    'purpose-verbatim',
    await house.look(idsOf(await people(20)), officer(5), { purpose: '核实情况用' }),
  );
  const searching = { type: 'audit.searched', service: undefined, caseId: undefined };
  seeded.set('auditor-searches', await house.look(idsOf(await people(12)), auditor(7), searching));

  // Far more than on the officer's own days, and than her colleagues ever do.
  for (let past = 0; past < 6; past += 1) {
    clock.advance(24 * HOUR);
    await house.look(idsOf(await people(5)), officer(6));
  }
  clock.advance(24 * HOUR);
  const many = await house.look(idsOf(await people(60)), officer(6));
  seeded.set('rate-own', many);
  seeded.set('rate-peers', many);

  clock.advance(16.5 * HOUR);
  const night = await house.look(idsOf(await people(20)), officer(8));
  seeded.set('off-hours-bulk', night);
  seeded.set('first-contact-off-hours', night);
  clock.advance(-16.5 * HOUR);
  await vigilance.watchLog();
}, 120_000);
afterAll(() => audit.stop());

const rules = [
  'no-case',
  'self',
  'same-household',
  'same-surname',
  'watch-list',
  'fan-in',
  'id-probing',
  'purpose-verbatim',
  'auditor-searches',
  'rate-own',
  'rate-peers',
  'off-hours-bulk',
  'first-contact-off-hours',
];

describe('each rule finds what was made up for it', () => {
  for (const rule of rules) {
    test(rule, async () => {
      const looks = seeded.get(rule) ?? [];
      const alarms = await house.alarms(rule);
      const seen = alarms.flatMap(({ evidence, later }) => [...evidence, ...later]);
      expect(looks.filter((index) => !seen.includes(index))).toEqual([]);
    });
  }
});

test('ordinary work raises nothing, and nobody else is suspected', async () => {
  const alarms = await house.alarms();
  const suspects = new Set(alarms.map(({ actor }) => actor));
  for (let who = 0; who < 8; who += 1) {
    const tag = identity.actorTag('housing', `housing-desk-${50 + who}`).toString('base64url');
    expect(suspects.has(tag)).toBe(false);
  }
  const known = (await vigilance.listRules(auditor(1))).items.map(({ id }) => id);
  expect(known.sort()).toEqual([...rules].sort());
});

test('the evidence opens, and each opening is in the log', async () => {
  const alarms = await house.alarms();
  expect(alarms.length).toBeGreaterThanOrEqual(rules.length);
  for (const { evidence } of alarms) {
    const index = evidence.at(-1) ?? -1;
    const item = await oversight.entry(auditor(3), index);
    expect(item).toMatchObject({ index, leaf: expect.any(String) });
    const [call] = await audit.as(scopeOfLog).findEntries({ limit: 1, department: 'audit' });
    expect(call).toMatchObject({ type: 'audit.entry_read', outcome: 'ok' });
  }
});

test('replays of all rules find the same alarms, each begun by the same look', async () => {
  for (const rule of rules) {
    const { id } = await vigilance.startReplay(auditor(1), { rule, ...day });
    await vigilance.runReplays();
    const replay = await vigilance.getReplay(auditor(1), id);
    const raised = (await house.alarms(rule)).map(({ id: alert, evidence }) => ({
      alert,
      look: evidence.at(-1),
    }));
    const byId = (a: { alert: string | null }, b: { alert: string | null }) =>
      (a.alert ?? '').localeCompare(b.alert ?? '');
    expect(replay.state).toBe('done');
    expect(replay.alarms.map(({ alert, look }) => ({ alert, look })).sort(byId)).toEqual(
      raised.sort(byId),
    );
    expect(replay.difference).toEqual({ onlyFound: [], onlyRaised: [] });
  }
});

test('a mark tells nobody who it is, and is taken away again', async () => {
  const { items } = await vigilance.listMarks(auditor(1));
  expect(items.map(({ kind, officer: key }) => [kind, key])).toEqual([
    ['officer', 'housing-desk-2'],
    ['listed', null],
  ]);
  const listed = items.find(({ kind }) => kind === 'listed');
  const { identifier } = await house.aPerson();
  for (const [act, code] of [
    [() => vigilance.listMarks(officer()), 'identity.scope_missing'],
    [
      () =>
        vigilance.addMark(officer(), { kind: 'listed', subject: identifier, reason: 'curious' }),
      'identity.scope_missing',
    ],
    [() => vigilance.removeMark(officer(), listed?.id ?? ''), 'identity.scope_missing'],
    [
      () =>
        vigilance.addMark(auditor(1), {
          kind: 'listed',
          subject: identifier,
          reason: identifier.value,
        }),
      'oversight.identifier_in_text',
    ],
  ] as const) {
    await expect(act()).rejects.toMatchObject({ code });
  }
  await vigilance.removeMark(auditor(2), listed?.id ?? '');
  await expect(vigilance.removeMark(auditor(2), listed?.id ?? '')).rejects.toMatchObject({
    code: 'oversight.mark_not_found',
  });
});
