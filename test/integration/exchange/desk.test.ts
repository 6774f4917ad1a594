// The provider's desk: questions no rule answers.
import { sql } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import { databaseFault, type JsonObject, systemScope } from '../../../platform/index.ts';
import { eventually } from '../../support/eventually.ts';
import { codeOf, department, LI, maritalQuestion, officer, WANG, withExchange } from './house.ts';

const house = withExchange({ queue: 'running' });
const police = department('police');
const clerk = officer('civil-provider-1', 'provider');
const colleague = officer('civil-provider-2', 'provider');

/** Is Li the registered adopter of Wang? Civil affairs answers by hand. */
function adoptionQuestion(changes: JsonObject = {}): JsonObject {
  return maritalQuestion({
    service: 'VS-ADOPTION',
    params: { adoptee_id: WANG.value },
    legalBasis: 'LB-ADOPT',
    ...changes,
  });
}

async function ask(): Promise<string> {
  return (await house.exchange.ask(police, adoptionQuestion())).id;
}

async function listed(id: string, actor = clerk) {
  const { items } = await house.exchange.listQuestions(actor, { limit: 200 });
  return items.find((item) => item.id === id);
}

test('a manual question waits at its provider’s desk, with nothing of its subject in the list', async () => {
  const asked = await house.exchange.ask(police, adoptionQuestion());
  expect(asked.state).toBe('dispatched');
  expect(await listed(asked.id)).toEqual({
    id: asked.id,
    service: 'VS-ADOPTION',
    requester: 'police',
    createdAt: asked.createdAt,
    deadline: asked.deadline,
    isClaimed: false,
    isClaimedByMe: false,
    isProposed: false,
  });
  expect(await listed(asked.id, officer('health-provider-1', 'provider'))).toBeUndefined();
});

test('who claims it sees whom it is about, and that look is in the log', async () => {
  const id = await ask();
  const question = await house.exchange.claimQuestion(clerk, id);
  expect(question).toMatchObject({
    id,
    requesterName: '云珠市公安局',
    subject: { scheme: 'cn-id', value: LI.value },
    params: { adoptee_id: WANG.value },
    legalBasis: 'LB-ADOPT',
    isClaimedByMe: true,
  });
  const entries = await house.audit
    .as(systemScope)
    .findEntries({ type: 'question.claimed', limit: 50 });
  expect(entries.map(({ verification }) => verification)).toContain(id);
});

describe('a claimed question', () => {
  test('is answered once, cut to what may leave', async () => {
    const id = await ask();
    await house.exchange.claimQuestion(clerk, id);
    const answer = { matches: true, as_of: '2026-03-04' };
    expect(await house.exchange.answerQuestion(clerk, id, { answer })).toEqual({
      id,
      state: 'answered',
    });
    const seen = await house.exchange.getVerification(police, id);
    expect(seen).toMatchObject({ state: 'answered', answer, answeredBy: { id: 'civil' } });
    expect((await house.signing.verifyReceipt(String(seen.receipt))).isAuthentic).toBe(true);
    expect(await codeOf(house.exchange.answerQuestion(clerk, id, { answer }))).toBe(
      'exchange.question_not_found',
    );
    expect(await listed(id)).toBeUndefined();
  });

  test('is refused with a reason its requester sees', async () => {
    const id = await ask();
    const refusal = { reason: 'no_such_register', text: '档案未电子化' };
    await house.exchange.refuseQuestion(clerk, id, refusal);
    expect(await house.exchange.getVerification(police, id)).toMatchObject({
      state: 'refused',
      refusal,
    });
  });

  test('is not another officer’s', async () => {
    const id = await ask();
    await house.exchange.claimQuestion(clerk, id);
    const answer = { matches: true, as_of: '2026-03-04' };
    const codes = await Promise.all([
      codeOf(house.exchange.claimQuestion(colleague, id)),
      codeOf(house.exchange.answerQuestion(colleague, id, { answer })),
      codeOf(house.exchange.refuseQuestion(colleague, id, { reason: 'x', text: 'x' })),
    ]);
    expect(new Set(codes)).toEqual(new Set(['exchange.question_claimed']));
  });

  test('takes no answer that its schema does not allow', async () => {
    const id = await ask();
    const answers: JsonObject[] = [
      {},
      { matches: 'yes', as_of: '2026-03-04' },
      { matches: true },
      { matches: true, as_of: 'today' },
      { matches: true, as_of: '2026-03-04', cause: 'x' },
    ];
    for (const answer of answers) {
      expect(await codeOf(house.exchange.answerQuestion(clerk, id, { answer }))).toBe(
        'exchange.answer_invalid',
      );
    }
    expect(await codeOf(house.exchange.refuseQuestion(clerk, id, { reason: 'Because!' }))).toBe(
      'exchange.answer_invalid',
    );
    expect(
      await codeOf(house.exchange.refuseQuestion(clerk, id, { reason: 'x', text: LI.value })),
    ).toBe('exchange.identifier_in_text');
  });

  test('is not there for other departments, and closed to other roles', async () => {
    const id = await ask();
    const stranger = officer('health-provider-1', 'provider');
    expect(await codeOf(house.exchange.claimQuestion(stranger, id))).toBe(
      'exchange.question_not_found',
    );
    expect(await codeOf(house.exchange.claimQuestion(clerk, 'no-id'))).toBe(
      'exchange.question_not_found',
    );
    const deskOfficer = officer('civil-desk-1', 'desk');
    expect(await codeOf(house.exchange.claimQuestion(deskOfficer, id))).toBe('exchange.scope');
    expect(await codeOf(house.exchange.listQuestions(deskOfficer))).toBe('exchange.scope');
  });

  test('is not answered by who asked it, wherever she sits now', async () => {
    const asker = officer('police-desk-1', 'desk');
    const { id } = await house.exchange.ask(asker, adoptionQuestion());
    const moved = { ...asker, organisationId: 'civil', roles: clerk.roles };
    const answer = { matches: true, as_of: '2026-03-04' };
    expect([
      await codeOf(house.exchange.claimQuestion(moved, id)),
      await codeOf(house.exchange.answerQuestion(moved, id, { answer })),
    ]).toEqual(['exchange.own_question', 'exchange.own_question']);
    const claim = house.database.as({ organisation: 'civil' }).transaction((tx) =>
      tx.execute(
        sql`update exchange.questions set claimed_by = asked_by, claimed_at = now()
          where verification_id = ${id}`,
      ),
    );
    await expect(claim).rejects.toSatisfy(
      (error) => databaseFault(error)?.constraint === 'questions_two_accounts',
    );
  });

  test('goes when its requester takes it back', async () => {
    const id = await ask();
    await house.exchange.claimQuestion(clerk, id);
    await house.exchange.cancel(police, id);
    const answer = { matches: true, as_of: '2026-03-04' };
    expect(await codeOf(house.exchange.answerQuestion(clerk, id, { answer }))).toBe(
      'exchange.question_not_found',
    );
  });

  test('answered and taken back at once has one ending', async () => {
    for (let round = 0; round < 5; round += 1) {
      const id = await ask();
      const answer = { matches: true, as_of: '2026-03-04' };
      const [answered, cancelled] = await Promise.all([
        codeOf(house.exchange.answerQuestion(clerk, id, { answer })),
        codeOf(house.exchange.cancel(police, id)),
      ]);
      const { state } = await house.exchange.getVerification(police, id);
      expect([answered, cancelled]).toEqual(
        state === 'answered'
          ? ['not refused', 'exchange.already_ended']
          : ['exchange.question_not_found', 'not refused'],
      );
    }
  });

  test('answered twice at once has one answer', async () => {
    const id = await ask();
    const codes = await Promise.all(
      [true, false].map((matches) =>
        codeOf(
          house.exchange.answerQuestion(clerk, id, { answer: { matches, as_of: '2026-03-04' } }),
        ),
      ),
    );
    expect(codes.sort()).toEqual(['exchange.question_not_found', 'not refused']);
  });
});

test('a question the rule can’t tell goes to the desk where the service says so', async () => {
  const justice = department('justice');
  const asked = await house.exchange.ask(
    justice,
    maritalQuestion({
      service: 'VS-KINSHIP',
      params: { other_id: WANG.value, declared: 'parent' },
      legalBasis: 'LB-NOT29',
    }),
  );
  const kin = officer('police-provider-1', 'provider');
  await eventually(async () => (await listed(asked.id, kin)) !== undefined);
  expect((await house.exchange.getVerification(justice, asked.id)).state).toBe('dispatched');
  const answer = { matches: 'cannot_tell', as_of: '2026-03-04' };
  await house.exchange.answerQuestion(kin, asked.id, { answer });
  expect((await house.exchange.getVerification(justice, asked.id)).answer).toEqual(answer);
});
