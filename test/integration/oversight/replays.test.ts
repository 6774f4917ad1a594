// Rules published by two, and rules run over history.
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scopeOfLog } from '../../../audit/index.ts';
import type { Actor } from '../../../identity/index.ts';
import type { RuleProposal } from '../../../oversight/index.ts';
import { selectRows } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { auditor, makeWatchedHouse, officer } from './vigilance-house.ts';

const databases = withDatabase();
// Long enough for a thread to start on a busy machine, and shorter than the slow rule below.
const house = makeWatchedHouse(databases, { seconds: 5 });
const { audit, identity, vigilance } = house;
const auditors: Actor[] = [];
let operator: Actor;

const period = { from: '2026-01-01', to: '2026-12-31' };

beforeAll(async () => {
  await house.start();
  await databases.database.transaction(async (tx) => {
    for (const [key, role] of [
      ['audit-auditor-1', 'auditor'],
      ['audit-auditor-2', 'auditor'],
      ['govsvc-operator-1', 'operator'],
    ] as const) {
      await identity.putOfficer(tx, {
        key,
        username: key,
        password: 'a-password-of-the-test',
        organisationId: 'housing',
        roles: [role],
        stretching: 'first-use',
      });
      const [row] = await selectRows<{ id: string }>(
        tx,
        sql`select id from identity.officers where key = ${key}`,
      );
      const actor: Actor = {
        ...officer(),
        officerId: row?.id ?? '',
        officerKey: key,
        organisationId: 'audit',
        roles: [role],
      };
      if (role === 'auditor') auditors.push(actor);
      else operator = actor;
    }
  });
});
afterAll(() => audit.stop());

const proposal = (changes: Partial<RuleProposal> = {}): RuleProposal => ({
  id: 'many-people',
  expression: 'look.isOfficer && actor.people24 > params.most',
  params: { most: 3 },
  group: 'actor',
  severity: 'low',
  deadlineDays: 7,
  isOn: true,
  titleZh: '一天查看多人',
  titleEn: 'Many people in a day',
  textZh: '二十四小时内查看三人以上。',
  textEn: 'More than three people in 24 hours.',
  ...changes,
});

const at = (number: number): Actor => auditors[number - 1] ?? officer();

async function peopleIds(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let made = 0; made < count; made += 1) ids.push((await house.aPerson()).personId);
  return ids;
}

async function replayed(input: Parameters<typeof vigilance.startReplay>[1]) {
  const { id } = await vigilance.startReplay(auditor(1), input);
  await vigilance.runReplays();
  return vigilance.getReplay(auditor(1), id);
}

test('a draft rehearsed over history shows its alarms, and raises none', async () => {
  const [people, who] = [await peopleIds(6), officer(3)];
  const indexes = await house.look(people, who);
  await vigilance.watchLog();
  const { id: rule, expression, params, group } = proposal();
  const result = await replayed({ rule, expression, params, group, ...period });
  expect(result).toMatchObject({ state: 'done', version: null, fault: null });
  expect(result.alarms).toMatchObject([
    { look: indexes[3], looks: 3, department: 'housing', alert: null },
  ]);
  expect(result.difference).toMatchObject({ onlyFound: [{ look: indexes[3] }], onlyRaised: [] });
  expect(result.progress.done).toBe(result.progress.total);
  expect(await house.alarms('many-people')).toEqual([]);
});

test('one auditor proposes a rule, another publishes it; its hash is in the log, and it judges from then on', async () => {
  const proposed = await vigilance.proposeRule(at(1), proposal());
  expect(proposed).toMatchObject({ id: 'many-people', version: 1, state: 'proposed' });
  const refusals: [() => Promise<unknown>, string][] = [
    [() => vigilance.approveRule(at(1), 'many-people', 1), 'oversight.own_rule'],
    [() => vigilance.approveRule(operator, 'many-people', 1), 'identity.scope_missing'],
    [() => vigilance.approveRule(auditor(2), 'many-people', 1), 'identity.role_missing'],
    [() => vigilance.approveRule(at(2), 'many-people', 2), 'oversight.rule_not_found'],
    [() => vigilance.proposeRule(at(2), proposal()), 'oversight.rule_open'],
    [() => vigilance.proposeRule(officer(), proposal()), 'identity.scope_missing'],
    [() => vigilance.proposeRule(operator, proposal({ id: 'other' })), 'identity.scope_missing'],
  ];
  for (const [act, code] of refusals) await expect(act()).rejects.toMatchObject({ code });
  const published = await vigilance.approveRule(at(2), 'many-people', 1);
  expect(published).toMatchObject({
    state: 'active',
    proposedBy: 'audit-auditor-1',
    decidedBy: 'audit-auditor-2',
  });
  const [entry] = await audit
    .as(scopeOfLog)
    .findEntries({ service: 'rule:many-people@1', type: 'vigilance.rule_published', limit: 1 });
  const [detail] = entry ? await identity.openAccess([entry]) : [];
  expect(detail?.purpose).toBe(`sha256:${published.hash}`);
  await house.look(await peopleIds(6), officer(4));
  await vigilance.watchLog();
  expect(await house.alarms('many-people')).toHaveLength(1);
});

test('the table itself refuses one auditor alone, and an operator', async () => {
  const { ownerSql } = databases;
  const insert = (id: string, by: string, decided: string) => ownerSql`
    insert into oversight.rules (id, version, definition, hash, origin, state, proposed_by,
      proposed_at, decided_by, decided_at)
    values (${id}, 1, '{}', ${'A'.repeat(43)}, 'proposed', 'active', ${by}, now(), ${decided}, now())`;
  const [one = '', two = ''] = auditors.map(({ officerId }) => officerId);
  await expect(insert('alone', one, one)).rejects.toThrow(/rules_four_eyes/);
  await expect(insert('by-operator', one, operator.officerId ?? '')).rejects.toThrow(
    /rules_decided_by_auditor/,
  );
  await expect(insert('of-operator', operator.officerId ?? '', two)).rejects.toThrow(
    /rules_proposed_by_auditor/,
  );
});

test('a rule that can’t be run is never proposed', async () => {
  const faults = [
    'look.nothing > 1',
    'actor.looks24',
    'look.role.matches("a+")',
    'look.isOfficer &&',
    `[1].exists(a, [1].exists(b, [1].exists(c, a + b + c > 0)))`,
    Array.from({ length: 200 }, () => 'look.isOfficer').join(' && '),
  ];
  for (const expression of faults) {
    for (const act of [
      () => vigilance.proposeRule(at(1), proposal({ id: 'faulty', expression })),
      () => vigilance.startReplay(auditor(1), { rule: 'faulty', expression, ...period }),
    ]) {
      await expect(act()).rejects.toMatchObject({ code: 'oversight.rule_invalid' });
    }
  }
  const { identifier } = await house.aPerson();
  await expect(
    vigilance.proposeRule(at(1), proposal({ id: 'named', textEn: `about ${identifier.value}` })),
  ).rejects.toMatchObject({ code: 'oversight.identifier_in_text' });
});

test('a replay of a published rule finds exactly what was raised, and goes on where it was cut off', async () => {
  await house.look(await peopleIds(700), officer(5));
  await house.look(await peopleIds(30), officer(6), { caseId: undefined });
  await vigilance.watchLog();
  for (const rule of ['no-case', 'many-people']) {
    const raised = (await house.alarms(rule)).map(({ id }) => id).sort();
    expect(raised.length).toBeGreaterThan(0);
    const { id } = await vigilance.startReplay(auditor(1), { rule, ...period });
    const stopped = new AbortController();
    stopped.abort();
    await vigilance.runReplays(stopped.signal);
    // Two processes at once: each step is taken by one of them.
    await Promise.all([vigilance.runReplays(), house.open().runReplays()]);
    const result = await vigilance.getReplay(auditor(2), id);
    expect(result.state).toBe('done');
    expect(result.alarms.map(({ alert }) => alert).sort()).toEqual(
      rule === 'no-case' ? raised : expect.arrayContaining(raised),
    );
    expect(result.difference.onlyRaised).toEqual([]);
    // What was looked at before the rule was in force is the only difference.
    expect(result.difference.onlyFound).toHaveLength(rule === 'no-case' ? 0 : 1);
  }
});

test('a rule that doesn’t end is an operator’s matter, and the other rules go on', async () => {
  // About 20 ms a view on a machine of its own, within every limit there is.
  const numbers = `[${Array.from({ length: 100 }, (_, each) => each).join(',')}]`;
  const words = Array.from({ length: 17 }, () => 'string(x * y)').join(' + ');
  const slow = `!${numbers}.exists(x, ${numbers}.exists(y, ${words} == look.type))`;
  await vigilance.proposeRule(at(1), proposal({ id: 'slow', expression: slow, params: {} }));
  await vigilance.approveRule(at(2), 'slow', 1);
  await house.look(await peopleIds(480), officer(7), { caseId: undefined });
  await vigilance.watchLog();
  const { items, faults } = await vigilance.listRules(auditor(1));
  expect(items.find(({ id }) => id === 'slow')).toMatchObject({ state: 'active' });
  expect(faults).toMatchObject([{ rule: 'slow', version: 1, reason: 'time' }]);
  expect(house.logLines.some((line) => line.includes('rule:slow@1'))).toBe(true);
  expect((await house.alarms('no-case'))[0]?.later).toHaveLength(200);
  const result = await replayed({ rule: 'slow', ...period });
  expect(result).toMatchObject({ state: 'failed', fault: 'time' });
  // Switched off by the next version, by two again.
  await vigilance.proposeRule(at(2), proposal({ id: 'slow', isOn: false }));
  await vigilance.approveRule(at(1), 'slow', 2);
  await house.look(await peopleIds(1), officer(8));
  await vigilance.watchLog();
  expect((await vigilance.listRules(auditor(1))).faults).toHaveLength(1);
}, 120_000);

test('replays refused: no period, no rule, too many at once, who is no auditor', async () => {
  const refusals: [() => Promise<unknown>, string][] = [
    [
      () =>
        vigilance.startReplay(auditor(1), {
          rule: 'no-case',
          from: '2026-02-02',
          to: '2026-02-01',
        }),
      'oversight.period_invalid',
    ],
    [
      () => vigilance.startReplay(auditor(1), { rule: 'no-case', from: 'x', to: 'y' }),
      'oversight.time_invalid',
    ],
    [
      () => vigilance.startReplay(auditor(1), { rule: 'nothing', ...period }),
      'oversight.rule_not_found',
    ],
    [
      () => vigilance.startReplay(auditor(1), { rule: 'no-case', version: 9, ...period }),
      'oversight.rule_not_found',
    ],
    [
      () => vigilance.startReplay(officer(), { rule: 'no-case', ...period }),
      'identity.scope_missing',
    ],
    [() => vigilance.getReplay(auditor(1), 'x'), 'oversight.replay_not_found'],
    [() => vigilance.listReplays(officer()), 'identity.scope_missing'],
  ];
  for (const [act, code] of refusals) await expect(act()).rejects.toMatchObject({ code });
  for (let asked = 0; asked < 5; asked += 1) {
    await vigilance.startReplay(auditor(9), { rule: 'no-case', ...period });
  }
  await expect(
    vigilance.startReplay(auditor(9), { rule: 'no-case', ...period }),
  ).rejects.toMatchObject({ code: 'oversight.replays_open' });
});
