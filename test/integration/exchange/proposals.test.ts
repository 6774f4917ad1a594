// Answers that take two officers: who proposes, who approves, and what keeps them apart.
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Actor, ROLES, type Role } from '../../../identity/index.ts';
import { databaseFault, type JsonObject, systemScope } from '../../../platform/index.ts';
import {
  codeOf,
  department,
  LI,
  maritalQuestion,
  officer,
  operator,
  sampleServices,
  WANG,
  withExchange,
} from './house.ts';

const house = withExchange({ queue: 'stopped' });
const police = department('police');
const clerk = officer('civil-provider-1', 'provider');
const colleague = officer('civil-provider-2', 'provider');
const approver = officer('civil-approver-1', 'approver');
const answer = { matches: true, as_of: '2026-03-04' };

beforeAll(async () => {
  const adoption = sampleServices.find(({ id }) => id === 'VS-ADOPTION');
  await house.exchange.publishService(operator, { ...adoption, answer_four_eyes: true });
});

const question = (changes: JsonObject = {}): JsonObject =>
  maritalQuestion({
    service: 'VS-ADOPTION',
    params: { adoptee_id: WANG.value },
    legalBasis: 'LB-ADOPT',
    ...changes,
  });

const ask = async () => (await house.exchange.ask(police, question())).id;

async function proposed(by: Actor = clerk): Promise<string> {
  const id = await ask();
  await house.exchange.answerQuestion(by, id, { answer });
  return id;
}

const read = (id: string, by = approver) => house.exchange.readProposal(by, id);
const approve = (id: string, proposal: string, by = approver) =>
  house.exchange.approveAnswer(by, id, { proposal });
const sendBack = (id: string, proposal: string, reason = '请核对档案') =>
  house.exchange.returnAnswer(approver, id, { proposal, reason });
const stateOf = async (id: string) => (await house.exchange.getVerification(police, id)).state;

test('an answer waits until another officer has read and approved exactly it', async () => {
  const id = await ask();
  expect(await house.exchange.claimQuestion(clerk, id)).toMatchObject({ answerFourEyes: true });
  expect(await house.exchange.answerQuestion(clerk, id, { answer })).toEqual({
    id,
    state: 'dispatched',
  });
  expect(await stateOf(id)).toBe('dispatched');
  const { items } = await house.exchange.listProposals(approver);
  expect(items.find((one) => one.id === id)).toMatchObject({ requester: 'police', isMine: false });
  expect(JSON.stringify(items)).not.toContain(LI.value);
  const shown = await read(id);
  expect(shown).toMatchObject({ answer, subject: { value: LI.value } });
  expect(await approve(id, shown.proposal)).toEqual({ id, state: 'answered' });
  expect(await house.exchange.getVerification(police, id)).toMatchObject({
    state: 'answered',
    answer,
    receipt: expect.any(String),
  });
  const [row] = await house.ownerSql`
    select answered_by, approved_by, four_eyes from exchange.answers where verification_id = ${id}`;
  expect(row?.four_eyes).toBe(true);
  expect(row?.answered_by).not.toBe(row?.approved_by);
  expect(await codeOf(approve(id, shown.proposal))).toBe('exchange.question_not_found');
});

test('each step is in the log, under who took it', async () => {
  const id = await proposed();
  const { proposal } = await read(id);
  await sendBack(id, proposal);
  await house.exchange.answerQuestion(clerk, id, { answer });
  await house.exchange.withdrawAnswer(clerk, id);
  const log = house.audit.as(systemScope);
  for (const type of [
    'answer.proposed',
    'answer.reviewed',
    'answer.sent_back',
    'answer.withdrawn',
  ]) {
    const entries = await log.findEntries({ type, limit: 50 });
    expect([type, entries.some(({ verification }) => verification === id)]).toEqual([type, true]);
  }
});

describe('a proposed answer', () => {
  test('sent back is its proposer’s again, with the reason', async () => {
    const id = await proposed();
    const { proposal } = await read(id);
    await sendBack(id, proposal);
    expect(await codeOf(read(id))).toBe('exchange.question_not_found');
    expect(await codeOf(house.exchange.claimQuestion(colleague, id))).toBe(
      'exchange.question_claimed',
    );
    expect((await house.exchange.claimQuestion(clerk, id)).sentBack).toBe('请核对档案');
    const other = { ...answer, matches: false };
    await house.exchange.answerQuestion(clerk, id, { answer: other });
    expect(await codeOf(approve(id, proposal))).toBe('exchange.answer_changed');
    await approve(id, (await read(id)).proposal);
    expect((await house.exchange.getVerification(police, id)).answer).toEqual(other);
  });

  test('is withdrawn by its proposer alone, and only then answered otherwise or refused', async () => {
    const id = await proposed();
    const refusal = { reason: 'no_record', text: '档案缺失' };
    expect([
      await codeOf(house.exchange.answerQuestion(clerk, id, { answer })),
      await codeOf(house.exchange.refuseQuestion(clerk, id, refusal)),
      await codeOf(house.exchange.withdrawAnswer(colleague, id)),
    ]).toEqual([
      'exchange.answer_proposed',
      'exchange.answer_proposed',
      'exchange.question_not_found',
    ]);
    const { proposal } = await read(id);
    await house.exchange.withdrawAnswer(clerk, id);
    expect(await codeOf(approve(id, proposal))).toBe('exchange.question_not_found');
    await house.exchange.refuseQuestion(clerk, id, refusal);
    expect(await stateOf(id)).toBe('refused');
  });

  test('is not approved by who answered or asked, nor in another role or department', async () => {
    const both = { ...clerk, roles: ['provider', 'approver'] as Role[] };
    const id = await proposed(both);
    const { proposal } = await read(id);
    expect(await codeOf(approve(id, proposal, both))).toBe('exchange.own_answer');
    for (const role of ROLES.filter((one) => one !== 'approver')) {
      const actor = { ...approver, roles: [role] };
      expect([role, await codeOf(approve(id, proposal, actor))]).toEqual([
        role,
        'identity.role_missing',
      ]);
    }
    expect(await codeOf(approve(id, proposal, officer('health-approver-1', 'approver')))).toBe(
      'exchange.question_not_found',
    );
    const asker = officer('police-desk-9', 'desk');
    const own = await house.exchange.ask(asker, question());
    await house.exchange.answerQuestion(clerk, own.id, { answer });
    const moved = { ...asker, organisationId: 'civil', roles: approver.roles };
    expect(await codeOf(read(own.id, moved))).toBe('exchange.own_answer');
  });

  test('approved twice at once, or approved and withdrawn at once, has one end', async () => {
    const other = officer('civil-approver-2', 'approver');
    const id = await proposed();
    const { proposal } = await read(id);
    const codes = await Promise.all(
      [approver, other].map((by) => codeOf(approve(id, proposal, by))),
    );
    expect(codes.sort()).toEqual(['exchange.question_not_found', 'not refused']);
    const again = await proposed();
    const { proposal: second } = await read(again);
    const both = await Promise.all([
      codeOf(approve(again, second)),
      codeOf(house.exchange.withdrawAnswer(clerk, again)),
    ]);
    expect(both.sort()).toEqual(['exchange.question_not_found', 'not refused']);
  });

  test('keeps its two accounts apart in the database around the code', async () => {
    const id = await proposed();
    const set = async (change: ReturnType<typeof sql>) => {
      try {
        await house.database
          .as({ organisation: 'civil' })
          .transaction((tx) =>
            tx.execute(sql`update exchange.questions set ${change} where verification_id = ${id}`),
          );
        return 'not refused';
      } catch (error) {
        return databaseFault(error)?.constraint;
      }
    };
    expect([
      await set(sql`approved_by = proposed_by`),
      await set(sql`approved_by = asked_by`),
      await set(sql`proposed_by = asked_by, claimed_by = asked_by`),
      await set(sql`proposal_sealed = null`),
    ]).toEqual([
      'questions_approver',
      'questions_approver',
      expect.stringMatching(/^questions_(proposer|two_accounts)$/),
      'questions_proposal_whole',
    ]);
    const alone = house.ownerSql`
      insert into exchange.answers (verification_id, subject_id, kind, content_sealed, answered_at,
        erase_after, answered_by, four_eyes)
      values (gen_random_uuid(), gen_random_uuid(), 'answer', 'x', now(), now(), 'officer:a', true)`;
    await expect(alone).rejects.toMatchObject({ constraint_name: 'answers_four_eyes' });
  });
});
