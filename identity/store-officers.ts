// SQL over identity.officers and identity.role_grants.
import { type SQL, sql } from 'drizzle-orm';
import { selectRows, type Tx, textArray } from '../platform/index.ts';
import type { Duty } from './roles.ts';

/** Where a role holds: at the officer's own organisation, or at those below it too. */
export type Reach = 'own' | 'below';

/** A role as it is held. */
export interface GrantRow {
  role: string;
  reach: Reach;
  /** Days, both inclusive; null: from the beginning, without end. */
  validFrom: string | null;
  validTo: string | null;
}

export interface OfficerRow {
  id: string;
  key: string;
  username: string;
  organisationId: string;
  duty: Duty;
  hasLeft: boolean;
  grants: GrantRow[];
}

const officers = sql`
  select o.id, o.key, o.username, o.organisation_id as "organisationId", o.duty,
    o.left_at is not null as "hasLeft",
    coalesce((select jsonb_agg(jsonb_build_object('role', g.role, 'reach', g.reach,
        'validFrom', nullif(g.valid_from, '-infinity'), 'validTo', g.valid_to) order by g.role)
      from identity.role_grants g where g.officer_id = o.id), '[]') as grants
  from identity.officers o`;

/** Officers in the order of their keys, of one organisation if it is named, from after a key. */
export function listOfficers(
  tx: Tx,
  page: { organisationId?: string | undefined; afterKey?: string | undefined; limit?: number } = {},
): Promise<OfficerRow[]> {
  const { organisationId, afterKey, limit } = page;
  const conditions: SQL[] = [sql`true`];
  if (organisationId !== undefined) conditions.push(sql`o.organisation_id = ${organisationId}`);
  if (afterKey !== undefined) conditions.push(sql`o.key > ${afterKey}`);
  const most = limit === undefined ? sql`` : sql`limit ${limit}`;
  return selectRows<OfficerRow>(
    tx,
    sql`${officers} where ${sql.join(conditions, sql` and `)} order by o.key ${most}`,
  );
}

/** The officer of a key, held until the transaction ends. */
export async function lockOfficer(tx: Tx, key: string): Promise<OfficerRow | undefined> {
  const [row] = await selectRows<OfficerRow>(tx, sql`${officers} where o.key = ${key} for update`);
  return row;
}

export async function findOfficer(tx: Tx, key: string): Promise<OfficerRow | undefined> {
  const [row] = await selectRows<OfficerRow>(tx, sql`${officers} where o.key = ${key}`);
  return row;
}

type OfficerAccount = Omit<OfficerRow, 'grants' | 'hasLeft'>;

export async function insertOfficer(tx: Tx, officer: OfficerAccount, at: Date): Promise<void> {
  const { id, key, username, organisationId, duty } = officer;
  await tx.execute(
    sql`insert into identity.officers (id, key, username, organisation_id, duty, created_at)
      values (${id}, ${key}, ${username}, ${organisationId}, ${duty}, ${at.toISOString()})`,
  );
}

/** Adds an officer or changes the one of this key, and gives her exactly these roles. */
export async function upsertOfficer(
  tx: Tx,
  officer: OfficerAccount & { roles: readonly string[]; reach: Reach },
  at: Date,
): Promise<string> {
  const { key, username, organisationId, duty, roles, reach } = officer;
  const [row] = await selectRows<{ id: string }>(
    tx,
    sql`insert into identity.officers (id, key, username, organisation_id, duty, created_at)
      values (${officer.id}, ${key}, ${username}, ${organisationId}, ${duty}, ${at.toISOString()})
      on conflict (key) do update set username = excluded.username,
        organisation_id = excluded.organisation_id
      returning id`,
  );
  if (!row) throw new TypeError('An upsert returns its row.');
  await tx.execute(
    sql`delete from identity.role_grants
      where officer_id = ${row.id} and role <> all (${textArray(roles)})`,
  );
  await tx.execute(
    sql`insert into identity.role_grants (officer_id, role, reach, granted_at)
      select ${row.id}::uuid, role, ${reach}, ${at.toISOString()}::timestamptz
        from unnest(${textArray(roles)}) as role
      on conflict do nothing`,
  );
  return row.id;
}

/** Notes that an officer has left, which ends her sessions (trigger), and takes her roles. */
export async function endOfficer(tx: Tx, id: string): Promise<void> {
  await tx.execute(
    sql`update identity.officers set left_at = platform.now() where id = ${id} and left_at is null`,
  );
  await tx.execute(sql`delete from identity.role_grants where officer_id = ${id}`);
}

/** The operators who could still decide something on a day, held until the transaction ends. */
export async function lockOperators(tx: Tx, today: string): Promise<string[]> {
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`select o.id from identity.officers o join identity.role_grants g on g.officer_id = o.id
      where g.role = 'operator' and o.left_at is null and g.valid_from <= ${today}
        and (g.valid_to is null or g.valid_to >= ${today})
      order by o.id for update of o`,
  );
  return rows.map(({ id }) => id);
}

/** The operators who can decide on a day, and until when; null: without end. */
export function listOperators(tx: Tx, today: string): Promise<{ validTo: string | null }[]> {
  return selectRows(
    tx,
    sql`select g.valid_to::text as "validTo"
      from identity.officers o join identity.role_grants g on g.officer_id = o.id
      where g.role = 'operator' and o.left_at is null and g.valid_from <= ${today}
        and (g.valid_to is null or g.valid_to >= ${today})`,
  );
}

/** Writes down that two operators are named anew, and grants them the role; the table asks for need. */
export async function insertRecovery(
  tx: Tx,
  recovery: { id: string; firstId: string; secondId: string; reason: string; day: string },
  at: Date,
): Promise<void> {
  const { id, firstId, secondId, reason, day } = recovery;
  await tx.execute(
    sql`insert into identity.operator_recoveries (id, first_id, second_id, reason, day, at)
      values (${id}, ${firstId}, ${secondId}, ${reason}, ${day}, ${at.toISOString()})`,
  );
  await tx.execute(
    sql`insert into identity.role_grants (officer_id, role, valid_from, recovery_id, granted_at)
      select officer, 'operator', ${day}::date, ${id}::uuid, ${at.toISOString()}::timestamptz
        from unnest(array[${firstId}::uuid, ${secondId}::uuid]) as officer`,
  );
}

export async function deleteGrant(tx: Tx, officerId: string, role: string): Promise<void> {
  await tx.execute(
    sql`delete from identity.role_grants where officer_id = ${officerId} and role = ${role}`,
  );
}

/** Grants what an approved request says. */
export async function insertGrant(tx: Tx, requestId: string, at: Date): Promise<void> {
  await tx.execute(
    sql`insert into identity.role_grants
        (officer_id, role, reach, valid_from, valid_to, request_id, granted_at)
      select officer_id, role, reach, valid_from, valid_to, id, ${at.toISOString()}::timestamptz
        from identity.role_requests where id = ${requestId}`,
  );
}

/** From now on a role is granted by an approved request only; false when that was so before. */
export async function closeSetUp(tx: Tx): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`insert into identity.set_up (id, at) values (1, platform.now())
      on conflict do nothing returning id`,
  );
  return rows.length === 1;
}
