// "Ask about this": who may ask and answer, the clock, the auditors, and that the words go with her.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Actor } from '../../../identity/index.ts';
import { forgetTickets } from '../../../oversight/ticket-store.ts';
import { systemScope } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { auditOfficer, desk, makeHouse } from './house.ts';

const databases = withDatabase();
const { database, ownerSql, setClockOffset } = databases;
const house = makeHouse(databases);
const { audit, oversight } = house;
const steward: Actor = { ...desk, officerKey: 'housing-steward-1', roles: ['steward'] };
const DAY = 86_400_000;

beforeAll(() => house.start());
afterAll(async () => {
  await setClockOffset(0);
  await audit.stop();
});

type Person = Awaited<ReturnType<typeof house.aPerson>>;

const eventsOf = async (person: Person) =>
  (await oversight.accessLog(person.actor)).items.map(({ type }) => type);

async function asked(text = 'Why did you look?') {
  const person = await house.aPerson();
  const index = await house.look({ subject: person.personId });
  const ticket = await oversight.openTicket(person.actor, { index, text });
  return { person, index, ticket };
}

test('is asked once, answered once, and each step stands in her own log', async () => {
  const { person, index, ticket } = await asked();
  expect(ticket).toMatchObject({
    index,
    state: 'open',
    question: 'Why did you look?',
    department: { id: 'housing' },
    answer: null,
  });
  await expect(oversight.openTicket(person.actor, { index, text: 'again' })).rejects.toMatchObject({
    code: 'oversight.ticket_exists',
  });
  const list = await oversight.departmentTickets(steward, { state: 'open' });
  expect(list.items).toMatchObject([{ id: ticket.id, question: null }]);
  const seen = await oversight.departmentTicket(steward, ticket.id);
  expect(seen).toMatchObject({
    question: 'Why did you look?',
    look: { purpose: 'public rental housing', caseId: 'GZF-1', service: 'VS-MARITAL' },
  });
  expect(JSON.stringify(seen)).not.toContain(person.identifier.value);
  await oversight.answerTicket(steward, ticket.id, { text: 'For your own application.' });
  await expect(
    oversight.answerTicket(steward, ticket.id, { text: 'or not' }),
  ).rejects.toMatchObject({ code: 'oversight.ticket_state' });
  expect((await oversight.ownTickets(person.actor)).items).toMatchObject([
    { state: 'answered', answer: 'For your own application.' },
  ]);
  expect(await eventsOf(person)).toEqual([
    'ticket.answered',
    'ticket.answered',
    'ticket.read',
    'ticket.opened',
    'ticket.opened',
    'verification.answered',
  ]);
});

test('an answer that does not content her comes before the auditors, once, and is concluded', async () => {
  const { person, ticket } = await asked();
  const complain = () => oversight.complainOfTicket(person.actor, ticket.id, { text: 'evasive' });
  await expect(complain()).rejects.toMatchObject({ code: 'oversight.ticket_state' });
  await expect(oversight.escalatedTicket(auditOfficer, ticket.id)).rejects.toMatchObject({
    code: 'oversight.ticket_not_found',
  });
  await oversight.answerTicket(steward, ticket.id, { text: 'Because.' });
  const results = await Promise.allSettled([complain(), complain()]);
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(await oversight.escalatedTicket(auditOfficer, ticket.id)).toMatchObject({
    state: 'escalated',
    complaint: 'evasive',
    answer: 'Because.',
  });
  const text = 'The look was lawful; the department was told to answer in full.';
  await oversight.concludeTicket(auditOfficer, ticket.id, { text });
  await expect(
    oversight.concludeTicket(auditOfficer, ticket.id, { text: 'or not' }),
  ).rejects.toMatchObject({ code: 'oversight.ticket_state' });
  expect(await oversight.ownTicket(person.actor, ticket.id)).toMatchObject({
    state: 'concluded',
    conclusion: text,
  });
});

test('what nobody answers is overdue, then the auditors’, by the database’s clock and once', async () => {
  const { person, ticket } = await asked();
  const late = Date.parse(ticket.dueAt) - Date.now();
  // Ten working days are two weeks at least.
  expect(late).toBeGreaterThan(13 * DAY);
  const stateAfter = async (offset: number) => {
    await setClockOffset(offset);
    await Promise.all([oversight.moveLateTickets(), oversight.moveLateTickets()]);
    return (await oversight.ownTicket(person.actor, ticket.id)).state;
  };
  expect(await stateAfter(late - 60_000)).toBe('open');
  expect(await stateAfter(late + 60_000)).toBe('overdue');
  expect(await stateAfter(late + 6 * 3_600_000)).toBe('overdue');
  expect(await stateAfter(late + 15 * DAY)).toBe('escalated');
  expect(await stateAfter(late + 30 * DAY)).toBe('escalated');
  // Late is better than never.
  await oversight.answerTicket(steward, ticket.id, { text: 'Sorry, late.' });
  await setClockOffset(0);
  expect(await oversight.ownTicket(person.actor, ticket.id)).toMatchObject({
    state: 'escalated',
    answer: 'Sorry, late.',
  });
  const told = (await eventsOf(person)).filter((type) => /overdue|escalated/.test(type));
  expect(told).toEqual(['ticket.escalated', 'ticket.overdue']);
});

describe('nobody else', () => {
  test('asks, reads or answers: another person, department or role finds nothing', async () => {
    const { index, ticket } = await asked();
    const other = (await house.aPerson()).actor;
    const otherSteward = { ...steward, organisationId: 'civil' };
    const found: [() => Promise<unknown>, string][] = [
      [() => oversight.openTicket(other, { index, text: 'x' }), 'oversight.unknown_entry'],
      [() => oversight.openTicket(desk, { index, text: 'x' }), 'oversight.not_the_subject'],
      [() => oversight.ownTicket(other, ticket.id), 'oversight.ticket_not_found'],
      [() => oversight.complainOfTicket(other, ticket.id, {}), 'oversight.ticket_not_found'],
      [() => oversight.departmentTicket(otherSteward, ticket.id), 'oversight.ticket_not_found'],
      [
        () => oversight.answerTicket(otherSteward, ticket.id, { text: 'x' }),
        'oversight.ticket_not_found',
      ],
      [() => oversight.departmentTicket(desk, ticket.id), 'identity.role_missing'],
      [() => oversight.escalatedTickets(steward), 'identity.scope_missing'],
      [() => oversight.departmentTicket(steward, 'nothing'), 'oversight.ticket_not_found'],
    ];
    for (const [attempt, code] of found) {
      await expect(attempt()).rejects.toMatchObject({ code });
    }
    expect((await oversight.departmentTickets(otherSteward)).items).toEqual([]);
    expect((await oversight.ownTickets(other)).items).toEqual([]);
    // The second wall: a scope that was forgotten sees no row.
    const unseen = await database.db.execute('select id from oversight.tickets');
    expect(unseen).toHaveLength(0);
  });

  test('is asked about a look that is not to be shown yet, nor about her own', async () => {
    const person = await house.aPerson();
    const discloseAt = new Date(Date.now() + DAY);
    const covert = await house.look({ subject: person.personId, discloseAt });
    await expect(
      oversight.openTicket(person.actor, { index: covert, text: 'x' }),
    ).rejects.toMatchObject({ code: 'oversight.unknown_entry' });
    const { items } = await oversight.accessLog(person.actor);
    const own = items.find(({ type }) => type === 'ticket.opened');
    await expect(
      oversight.openTicket(person.actor, { index: own?.index ?? -1, text: 'x' }),
    ).rejects.toMatchObject({ code: 'oversight.nobody_to_ask' });
  });
});

test('words lie sealed, hold no number, and go with her', async () => {
  const { person, ticket } = await asked('a question to find');
  for (const text of ['', ' ', 'x'.repeat(2001), `about ${person.identifier.value}`]) {
    const attempt = oversight.answerTicket(steward, ticket.id, { text });
    await expect(attempt).rejects.toMatchObject({ code: 'oversight.text_invalid' });
  }
  await oversight.answerTicket(steward, ticket.id, { text: 'an answer to find' });
  const [row] = await ownerSql`select * from oversight.tickets where id = ${ticket.id}`;
  const bytes = Object.values(row ?? {}).map((value) =>
    Buffer.isBuffer(value) ? value.toString('utf8') : String(value),
  );
  expect(bytes.join()).not.toMatch(/to find/);
  await database.as(systemScope).transaction((tx) => forgetTickets(tx, person.personId));
  expect(await oversight.ownTicket(person.actor, ticket.id)).toMatchObject({
    state: 'closed',
    question: null,
    answer: null,
  });
  const [left] =
    await ownerSql`select num_nonnulls(question_sealed, answer_sealed, complaint_sealed,
    conclusion_sealed)::int as left from oversight.tickets where id = ${ticket.id}`;
  expect(left?.left).toBe(0);
});
