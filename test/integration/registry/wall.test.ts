// The second wall around the register: what the app role sees through the house's own pool, with the
// where clauses of the stores left out.
import { sql } from 'drizzle-orm';
import { beforeAll, expect, test } from 'vitest';
import { type Actor, rowScopeOf } from '../../../identity/index.ts';
import {
  databaseFault,
  openRows,
  type RowScope,
  selectRows,
  type Tx,
} from '../../../platform/index.ts';
import { type IssuedLicence, scopeOfLicences, scopeOfSubjects } from '../../../registry/index.ts';
import {
  citizen,
  department,
  healthCertificate,
  issued,
  LI,
  marriage,
  officer,
  platformActor,
  WANG,
  withRegistry,
} from './house.ts';

const house = withRegistry();
const tables = ['licences', 'licence_keys', 'credentials', 'licence_events'] as const;
const [civil, health, housing] = [department('civil'), department('health'), department('housing')];
let wedding: IssuedLicence;
let certificate: IssuedLicence;
let li: string;
let wang: string;

beforeAll(async () => {
  wedding = await issued(house, civil, marriage());
  certificate = await issued(house, health, healthCertificate());
  li = (await house.identity.findPerson(house.database.db, LI)) ?? '';
  wang = (await house.identity.findPerson(house.database.db, WANG)) ?? '';
  const asked = await house.registry.issue(officer('civil-issuer-1', 'issuer'), {
    type: 'LT-MARRIAGE',
    holder: WANG,
    fields: { ...marriage().fields, spouse_id: LI.value, spouse_name: LI.name },
  });
  expect(asked).toBeDefined();
}, 60_000);

/** The numbers of all rows of a table that a scope sees when nobody asks for any in particular. */
async function numbersIn(table: string, scope: RowScope): Promise<string[]> {
  const rows = await house.database
    .as(scope)
    .transaction((tx) =>
      selectRows<{ number: string }>(
        tx,
        sql`select distinct number from ${sql.raw(`registry.${table}`)} order by number`,
      ),
    );
  return rows.map(({ number }) => number);
}

const allNumbers = async () =>
  (await house.ownerSql<{ number: string }[]>`select number from registry.licences order by 1`).map(
    ({ number }) => number,
  );

test('a query without a scope finds no licence, key, credential, event or mention', async () => {
  expect((await allNumbers()).length).toBeGreaterThan(1);
  for (const table of [...tables, 'mentions', 'applications']) {
    const count = async (tx: Tx) =>
      (await selectRows(tx, sql`select from ${sql.raw(`registry.${table}`)}`)).length;
    expect([
      table,
      await count(house.database.db),
      await house.database.transaction(count),
    ]).toEqual([table, 0, 0]);
  }
});

test('without a scope nothing is changed and nothing added', async () => {
  const before = await house.ownerSql`select * from registry.licences order by number`;
  await house.database.db.execute(sql`update registry.licences set status = 'revoked'`);
  await house.database.db.execute(sql`update registry.licence_keys set is_live = false`);
  expect(await house.ownerSql`select * from registry.licences order by number`).toEqual(before);
  for (const statement of [
    sql`insert into registry.credentials values ('1', '\\x00')`,
    sql`insert into registry.licence_events (number, id, act, status, at)
      values ('1', gen_random_uuid(), 'issue', 'valid', now())`,
    sql`insert into registry.mentions values (${wang}, 'LT-MARRIAGE', ${certificate.number})`,
  ]) {
    const refusal = await house.database.db.execute(statement).then(
      () => undefined,
      (error: unknown) => databaseFault(error)?.code,
    );
    expect(refusal).toBe('42501');
  }
});

test('a department sees what it issued, and nothing of another’s', async () => {
  const byIssuer = async (issuer: string) =>
    (
      await house.ownerSql<{ number: string }[]>`
        select number from registry.licences where issuer_id = ${issuer} order by 1`
    ).map(({ number }) => number);
  for (const actor of [civil, health, housing, officer('civil-desk-1', 'desk')]) {
    const own = await byIssuer(actor.organisationId ?? '');
    for (const table of ['licences', 'credentials', 'licence_events']) {
      expect([table, await numbersIn(table, rowScopeOf(actor))]).toEqual([table, own]);
    }
  }
  expect(await byIssuer('housing')).toEqual([]);
});

test('a department changes nothing of another’s, and issues nothing in its name', async () => {
  const scope = rowScopeOf(health);
  const changed = await house.database
    .as(scope)
    .transaction((tx) =>
      selectRows<{ number: string }>(
        tx,
        sql`update registry.licences set status = 'revoked' where issuer_id <> 'health' returning number`,
      ),
    );
  expect(changed).toEqual([]);
  const forged = await house.database
    .as(scope)
    .transaction((tx) =>
      tx.execute(sql`insert into registry.licences
        select * from jsonb_populate_record(null::registry.licences, ${JSON.stringify({
          number: certificate.number,
          issuer_id: 'civil',
          type_id: 'LT-MARRIAGE',
        })}::text::jsonb)`),
    )
    .then(
      () => undefined,
      (error: unknown) => databaseFault(error)?.code,
    );
  expect(forged).toBe('42501');
});

test('a citizen sees her own licences, not those of her spouse', async () => {
  const own = async (person: string) =>
    (
      await house.ownerSql<{ number: string }[]>`
        select number from registry.licences where holder_id = ${person} order by 1`
    ).map(({ number }) => number);
  for (const person of [li, wang]) {
    for (const table of tables) {
      expect(await numbersIn(table, rowScopeOf(citizen(person)))).toEqual(await own(person));
    }
  }
  expect(await own(li)).not.toEqual(await own(wang));
});

test('an act sees of others what it opened: these numbers, these people', async () => {
  for (const table of tables) {
    expect(await numbersIn(table, scopeOfLicences(wedding.number))).toEqual([wedding.number]);
  }
  const held = await house.database.as(rowScopeOf(housing)).transaction(async (tx) => {
    const before = await selectRows(tx, sql`select from registry.licences`);
    await openRows(tx, scopeOfSubjects(wang));
    const after = await selectRows<{ holder: string }>(
      tx,
      sql`select distinct holder_id as holder from registry.licences order by 1`,
    );
    return [before.length, after.map(({ holder }) => holder)];
  });
  // Li's marriage names Wang: a rule about her reads it.
  expect(held).toEqual([0, [li, wang].sort()]);
});

test('a code opens its own licence to the one call that has it, and nothing after that', async () => {
  const [key] = await house.ownerSql<{ code: Buffer }[]>`
    select code_key as code from registry.licence_keys where number = ${certificate.number}`;
  const found = await house.database.transaction(async (tx) => {
    const byCode = (code: Buffer) =>
      selectRows<{ number: string }>(tx, sql`select number from registry.licence_of_code(${code})`);
    const right = await byCode(key?.code ?? Buffer.alloc(0));
    const wrong = [await byCode(Buffer.alloc(32)), await byCode(Buffer.alloc(0))];
    const after = await selectRows(tx, sql`select from registry.licences`);
    return [right, wrong, after.length];
  });
  expect(found).toEqual([[{ number: certificate.number }], [[], []], 0]);
});

test('anyone, and an officer of no department, has no rows; the house itself has all', async () => {
  const nobody: Actor = { ...department('x'), organisationId: null };
  const anyone: Actor = { ...nobody, kind: 'anonymous' };
  for (const actor of [nobody, anyone, department('nowhere')]) {
    expect(await numbersIn('licences', rowScopeOf(actor))).toEqual([]);
  }
  expect(await numbersIn('licences', rowScopeOf(platformActor))).toEqual(await allNumbers());
});

test('the wall keeps reads of one licence within its partition and on an index', async () => {
  const plan = (scope: RowScope, query: string) =>
    house.database.as(scope).transaction(async (tx) => {
      await tx.execute(sql`set local enable_seqscan = off`);
      const rows = await selectRows<{ 'QUERY PLAN': string }>(
        tx,
        sql.raw(`explain (costs off) ${query}`),
      );
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });
  const one = await plan(
    rowScopeOf(civil),
    `select * from registry.licences where number = '${wedding.number}'`,
  );
  expect(one.match(/Scan .*on licences_\d+/g)).toHaveLength(1);
  expect(one).toMatch(/Index Scan using licences_\d+_pkey/);
  const byHolder = await plan(
    scopeOfSubjects(li),
    `select l.* from registry.licence_keys k join registry.licences l on l.number = k.number
      where k.holder_id = '${li}'`,
  );
  expect(byHolder).toMatch(/Index Scan (using|on) licence_keys_holder/);
  expect(byHolder).not.toMatch(/Seq Scan on licences_/);
});
