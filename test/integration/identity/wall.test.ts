// The second wall around accounts: whose secrets, passkeys and delegations the app role sees through the
// house's own pool, with the where clauses of the stores left out.
import { sql } from 'drizzle-orm';
import { beforeAll, expect, test } from 'vitest';
import { scopeOfAccount, scopeOfCredential, scopeOfGrounds } from '../../../identity/row-scope.ts';
import {
  connectDatabase,
  type Database,
  databaseFault,
  type RowScope,
  selectRows,
  systemScope,
  type Tx,
} from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { citizenId, HOUSING, makeIdentity, newPlace } from './house.ts';

const { database, ownerSql, appUrl } = withDatabase();
const identity = makeIdentity(database);
const tables = { local_secrets: 'account_id', passkeys: 'officer_id', delegations: 'agent_id' };
type Table = keyof typeof tables;
const names = Object.keys(tables) as Table[];
const credentials = [Buffer.from('first'), Buffer.from('second')] as const;
const licence = 'LT-BUSINESS-1';
let she: string;
let agent: string;
let stranger: string;
let officers: [string, string];

beforeAll(async () => {
  const person = async (sequence: number) => {
    const identifier = { scheme: 'cn-id' as const, value: citizenId('19800808', sequence) };
    return database.transaction(async (tx) => {
      const id = await identity.ensurePerson(tx, identifier);
      await identity.putPersonSecret(tx, id, '480213', 'first-use');
      return id;
    });
  };
  [she, agent, stranger] = [await person(1), await person(2), await person(3)];
  const officer = (username: string) =>
    database.transaction((tx) =>
      identity.putOfficer(tx, {
        key: username,
        username,
        password: 'correct horse battery',
        organisationId: 'housing',
        roles: ['desk'],
        stretching: 'first-use',
      }),
    );
  await database.transaction((tx) => identity.putOrganisation(tx, HOUSING));
  officers = [await officer('housing-desk-1'), await officer('housing-desk-2')];
  for (const [at, id] of officers.entries()) {
    await ownerSql`insert into identity.passkeys
      (id, officer_id, credential_id, public_key, counter, rp_id, label, is_synced, created_at)
      values (gen_random_uuid(), ${id}, ${credentials[at] ?? ''}, '\\x00', 0, 'localhost', 'key', false, now())`;
  }
  for (const [principal, under] of [
    [she, licence],
    [stranger, 'LT-BUSINESS-2'],
  ] as const) {
    await ownerSql`insert into identity.delegations
      (id, principal_id, agent_id, items, valid_from, valid_to, under_licence, proposed_at)
      values (gen_random_uuid(), ${principal}, ${agent}, '{licences.view}', current_date,
        current_date, ${under}, now())`;
  }
});

const idsIn = async (tx: Tx, table: Table, column = tables[table]) =>
  (
    await selectRows<{ id: string }>(
      tx,
      sql.raw(`select ${column} as id from identity.${table} order by 1`),
    )
  ).map(({ id }) => id);
const idsAs = (scope: RowScope, table: Table, column?: string, through: Database = database) =>
  through.as(scope).transaction((tx) => idsIn(tx, table, column));
const codeOf = (act: Promise<unknown>) =>
  act.then(
    () => undefined,
    (error: unknown) => databaseFault(error)?.code,
  );

test('a query without a scope finds no secret, passkey or delegation, though there are some', async () => {
  for (const table of names) {
    expect([table, (await idsAs(systemScope, table)).length > 1]).toEqual([table, true]);
    const seen = [
      await idsIn(database.db, table),
      await database.transaction((tx) => idsIn(tx, table)),
      await idsAs({ organisation: 'housing' }, table),
      await idsAs({ person: she }, table),
      await idsAs(scopeOfAccount(crypto.randomUUID()), table),
    ];
    expect([table, seen.flat()]).toEqual([table, []]);
  }
});

test('without a scope nothing is changed, taken away or added', async () => {
  const all = () =>
    Promise.all(
      names.map((table) => ownerSql.unsafe(`select * from identity.${table} order by 1, 2`)),
    );
  const before = await all();
  for (const statement of [
    sql`update identity.local_secrets set hash = 'x'`,
    sql`update identity.passkeys set counter = 99`,
    sql`delete from identity.passkeys`,
    sql`update identity.delegations set state = 'revoked', ended_at = now()`,
  ]) {
    await database.db.execute(statement);
  }
  for (const statement of [
    sql`insert into identity.local_secrets (account_kind, account_id, hash, changed_at)
      values ('person', ${crypto.randomUUID()}::uuid, 'x', now())`,
    sql`insert into identity.delegations
      (id, principal_id, agent_id, items, valid_from, valid_to, proposed_at)
      values (gen_random_uuid(), ${she}::uuid, ${stranger}::uuid, '{licences.view}', current_date,
        current_date, now())`,
  ]) {
    expect(await codeOf(database.db.execute(statement))).toBe('42501');
  }
  expect(await all()).toEqual(before);
});

test('an account sees its own secret and passkeys alone', async () => {
  for (const id of [she, agent, ...officers]) {
    expect(await idsAs(scopeOfAccount(id), 'local_secrets')).toEqual([id]);
  }
  for (const id of officers) expect(await idsAs(scopeOfAccount(id), 'passkeys')).toEqual([id]);
});

test('a passkey in hand opens itself and no other', async () => {
  for (const [at, id] of officers.entries()) {
    const scope = scopeOfCredential(credentials[at] ?? Buffer.alloc(0));
    expect(await idsAs(scope, 'passkeys')).toEqual([id]);
  }
  for (const wrong of [Buffer.from('third'), Buffer.alloc(0)]) {
    expect(await idsAs(scopeOfCredential(wrong), 'passkeys')).toEqual([]);
  }
});

test('both sides of a delegation see it, and a principal not those of others', async () => {
  const principals = (scope: RowScope) => idsAs(scope, 'delegations', 'principal_id');
  expect(await principals(scopeOfAccount(she))).toEqual([she]);
  expect(await principals(scopeOfAccount(stranger))).toEqual([stranger]);
  expect(await principals(scopeOfAccount(agent))).toEqual([she, stranger].sort());
  expect(await principals(scopeOfGrounds(licence))).toEqual([she]);
  expect(await principals(scopeOfGrounds('LT-BUSINESS-9'))).toEqual([]);
});

test('nobody gives a delegation between others, nor moves one under a licence not opened', async () => {
  const forged = database.as(scopeOfAccount(stranger)).transaction((tx) =>
    tx.execute(sql`insert into identity.delegations
      (id, principal_id, agent_id, items, valid_from, valid_to, proposed_at)
      values (gen_random_uuid(), ${agent}::uuid, ${she}::uuid, '{licences.view}', current_date,
        current_date, now())`),
  );
  expect(await codeOf(forged)).toBe('42501');
  const moved = database
    .as(scopeOfGrounds(licence))
    .transaction((tx) =>
      tx.execute(sql`update identity.delegations set under_licence = 'LT-BUSINESS-7'`),
    );
  expect(await codeOf(moved)).toBe('42501');
});

test('what an account opened ends with its transaction, on the same connection', async () => {
  const single = connectDatabase({ url: appUrl, max: 1, applicationName: 'test-wall' });
  try {
    for (const table of names) {
      expect(await idsAs(scopeOfAccount(agent), table, undefined, single)).toHaveLength(
        { local_secrets: 1, passkeys: 0, delegations: 2 }[table],
      );
      expect(await idsIn(single.db, table)).toEqual([]);
    }
  } finally {
    await single.close();
  }
});

test('a session is found with whom it acts for, which its own transaction could not see', async () => {
  const pin = '480213';
  const value = citizenId('19800808', 2);
  const { cookie, actor } = await identity.signIn(
    { scheme: 'cn-id', value, pin },
    newPlace(identity),
  );
  const held = (await identity.listDelegations(actor)).map(({ id }) => id);
  expect(held).toHaveLength(2);
  await identity.decideDelegation(actor, held[0] ?? '', 'accept');
  await identity.actFor(actor, held[0] ?? '');
  const found = await identity.findSession(cookie, 'r');
  expect(found?.actingFor?.delegationId).toBe(held[0]);
  const foreign = await selectRows(
    database.db,
    sql`select * from identity.acting_by(${actor.sessionId ?? ''}::uuid, ${she}::uuid)`,
  );
  expect(foreign).toEqual([]);
});
