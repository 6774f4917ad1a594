// The second wall around the exchange: what the app role sees through the house's own pool, with the
// where clauses of the stores left out.
import { sql } from 'drizzle-orm';
import { beforeAll, expect, test } from 'vitest';
import { rowScopeOf } from '../../../identity/index.ts';
import {
  databaseFault,
  openRows,
  type RowScope,
  selectRows,
  systemScope,
  type Tx,
} from '../../../platform/index.ts';
import {
  askNow,
  citizen,
  citizenId,
  department,
  maritalQuestion,
  officer,
  withExchange,
} from './house.ts';

const house = withExchange({ queue: 'stopped' });
const [housing, civil, police] = [department('housing'), department('civil'), department('police')];
const tables = {
  verifications: 'id',
  answers: 'verification_id',
  questions: 'verification_id',
  consents: 'verification_id',
  agreements: 'id',
  agreement_versions: 'agreement_id',
  agreement_events: 'agreement_id',
} as const;
type Table = keyof typeof tables;

let answered: string;
let awaited: string;
let atDesk: string;
let she: string;

beforeAll(async () => {
  const value = citizenId('1980-01-01', 77);
  she = await house.identity.ensurePerson(house.database.db, { scheme: 'cn-id', value }, '张三');
  answered = (await askNow(house, housing, maritalQuestion())).id;
  const home = { service: 'VS-NOHOME', params: { scope: 'city' }, legalBasis: 'LB-PRH' };
  awaited = (
    await house.exchange.ask(
      housing,
      maritalQuestion({ ...home, subject: { scheme: 'cn-id', value } }),
    )
  ).id;
  const manual = await house.ownerSql<{ id: string }[]>`
    insert into exchange.questions
      (verification_id, provider_id, service_code, requester_id, created_at, deadline)
    select id, provider_id, service_code, requester_id, created_at, deadline
    from exchange.verifications where id = ${awaited} returning verification_id as id`;
  atDesk = manual[0]?.id ?? '';
}, 60_000);

const idsIn = (tx: Tx, table: Table) =>
  selectRows<{ id: string }>(
    tx,
    sql.raw(`select distinct ${tables[table]} as id from exchange.${table} order by 1`),
  ).then((rows) => rows.map(({ id }) => id));
const idsAs = (scope: RowScope, table: Table) =>
  house.database.as(scope).transaction((tx) => idsIn(tx, table));

test('a query without a scope finds nothing in any table, though each has rows', async () => {
  for (const table of Object.keys(tables) as Table[]) {
    const all = await house.ownerSql.unsafe(`select from exchange.${table}`);
    expect([table, all.length > 0]).toEqual([table, true]);
    expect([table, await idsIn(house.database.db, table)]).toEqual([table, []]);
    expect([table, await house.database.transaction((tx) => idsIn(tx, table))]).toEqual([
      table,
      [],
    ]);
    expect([table, (await idsAs(systemScope, table)).length > 0]).toEqual([table, true]);
  }
});

test('without a scope nothing is ended, decided, approved or asked', async () => {
  const { db } = house.database;
  for (const statement of [
    `update exchange.verifications set state = 'cancelled', ended_at = now(), answer_stage = gen_random_uuid()`,
    `update exchange.answers set receipt = 'forged'`,
    `update exchange.questions set claimed_by = 'x', claimed_at = now()`,
    `delete from exchange.questions`,
    `update exchange.consents set state = 'granted', decided_at = now()`,
    `update exchange.agreements set state = 'revoked'`,
  ]) {
    const changed = await selectRows(db, sql.raw(`${statement} returning 1`));
    expect([statement, changed]).toEqual([statement, []]);
  }
  for (const statement of [
    sql`insert into exchange.consents (id, verification_id, person_id, state, created_at, expires_at)
      values (gen_random_uuid(), ${answered}, ${she}, 'granted', now(), now())`,
    sql`insert into exchange.answers (verification_id, subject_id, kind, content_sealed, answered_at, erase_after)
      values (${awaited}, ${she}, 'answer', '\\x00', now(), now())`,
    sql`insert into exchange.agreement_events (agreement_id, id, act, state, acted_by, at)
      select ${answered}, gen_random_uuid(), 'approve', 'active', 'x', now()`,
  ]) {
    const code = await db.execute(statement).then(
      () => undefined,
      (error: unknown) => databaseFault(error)?.code,
    );
    expect(code).toBe('42501');
  }
});

test('a question is seen by the department that asks and the one that answers, by no third', async () => {
  const [row] = await house.ownerSql<{ provider: string }[]>`
    select provider_id as provider from exchange.verifications where id = ${awaited}`;
  const provider = row?.provider ?? '';
  for (const [actor, seen] of [
    [housing, [answered, awaited].sort()],
    [officer('housing-desk-1', 'desk'), [answered, awaited].sort()],
    [civil, [answered]],
    [department(provider), [awaited]],
    [police, []],
  ] as const) {
    expect(await idsAs(rowScopeOf(actor), 'verifications')).toEqual(seen);
    expect(await idsAs(rowScopeOf(actor), 'answers')).toEqual(seen.filter((id) => id === answered));
    const waiting = seen.filter((id) => id === atDesk);
    expect(await idsAs(rowScopeOf(actor), 'questions')).toEqual(waiting);
    expect(await idsAs(rowScopeOf(actor), 'consents')).toEqual(waiting);
  }
});

test('a department asks in no other’s name', async () => {
  const code = await house.database
    .as(rowScopeOf(police))
    .transaction((tx) =>
      tx.execute(sql`insert into exchange.verifications
        select * from jsonb_populate_record(null::exchange.verifications, ${JSON.stringify({
          id: answered.replace(/^./, 'f'),
          requester_id: 'housing',
          provider_id: 'police',
        })}::text::jsonb)`),
    )
    .then(
      () => undefined,
      (error: unknown) => databaseFault(error)?.code,
    );
  expect(code).toBe('42501');
});

test('a citizen sees her own consents, and of a question nothing before it is opened by one', async () => {
  const scope = rowScopeOf(citizen(she));
  expect(await idsAs(scope, 'consents')).toEqual([awaited]);
  expect(await idsAs(scope, 'verifications')).toEqual([]);
  const opened = await house.database.as(scope).transaction(async (tx) => {
    await openRows(tx, { verifications: awaited });
    return idsIn(tx, 'verifications');
  });
  expect(opened).toEqual([awaited]);
  expect(await idsAs(rowScopeOf(citizen(atDesk)), 'consents')).toEqual([]);
  for (const table of ['agreements', 'agreement_versions', 'agreement_events'] as const) {
    expect(await idsAs(scope, table)).toEqual([]);
  }
});

test('an agreement, its versions and its history are its two parties’', async () => {
  const of = async (party: string) =>
    (
      await house.ownerSql<{ id: string }[]>`select id from exchange.agreements
        where ${party} in (requester_id, provider_id) order by id`
    ).map(({ id }) => id);
  for (const actor of [housing, police]) {
    const own = await of(actor.organisationId ?? '');
    expect(own.length).toBeGreaterThan(0);
    for (const table of ['agreements', 'agreement_versions', 'agreement_events'] as const) {
      expect(await idsAs(rowScopeOf(actor), table)).toEqual(own);
    }
  }
});
