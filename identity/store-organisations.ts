// SQL over identity.organisations, identity.officers, identity.role_grants.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { textArray } from './store-text-array.ts';

/** A department, or a body that takes part like one. */
export interface Organisation {
  id: string;
  nameZh: string;
  nameEn: string;
  shortZh: string;
  uscc: string;
  kind: string;
  /** What it does here: issuer, provider, requester, operator, auditor … */
  roles: string[];
}

export interface OfficerRow {
  id: string;
  key: string;
  username: string;
  organisationId: string;
  roles: string[];
}

const organisationColumns = sql`
  id, name_zh as "nameZh", name_en as "nameEn", short_zh as "shortZh", uscc, kind, roles`;

export async function findOrganisation(tx: Tx, id: string): Promise<Organisation | null> {
  const [row] = await selectRows<Organisation>(
    tx,
    sql`select ${organisationColumns} from identity.organisations where id = ${id}`,
  );
  return row ?? null;
}

export async function findOrganisationByUscc(tx: Tx, uscc: string): Promise<Organisation | null> {
  const [row] = await selectRows<Organisation>(
    tx,
    sql`select ${organisationColumns} from identity.organisations where uscc = ${uscc}`,
  );
  return row ?? null;
}

export function listOrganisations(tx: Tx): Promise<Organisation[]> {
  return selectRows<Organisation>(
    tx,
    sql`select ${organisationColumns} from identity.organisations order by id`,
  );
}

export async function upsertOrganisation(
  tx: Tx,
  organisation: Organisation,
  at: Date,
): Promise<void> {
  const { id, nameZh, nameEn, shortZh, uscc, kind, roles } = organisation;
  await tx.execute(
    sql`insert into identity.organisations
        (id, name_zh, name_en, short_zh, uscc, kind, roles, created_at)
      values (${id}, ${nameZh}, ${nameEn}, ${shortZh}, ${uscc}, ${kind}, ${textArray(roles)},
        ${at.toISOString()})
      on conflict (id) do update set name_zh = excluded.name_zh, name_en = excluded.name_en,
        short_zh = excluded.short_zh, uscc = excluded.uscc, kind = excluded.kind,
        roles = excluded.roles`,
  );
}

const officers = sql`
  select o.id, o.key, o.username, o.organisation_id as "organisationId",
    array(select role from identity.role_grants g where g.officer_id = o.id order by role) as roles
  from identity.officers o`;

export function listOfficers(tx: Tx, organisationId: string | null): Promise<OfficerRow[]> {
  const all = organisationId === null;
  return selectRows<OfficerRow>(
    tx,
    all
      ? sql`${officers} order by o.key`
      : sql`${officers} where o.organisation_id = ${organisationId} order by o.key`,
  );
}

/** Adds an officer or changes the one of this key, and gives her exactly these roles. */
export async function upsertOfficer(tx: Tx, officer: OfficerRow, at: Date): Promise<string> {
  const [row] = await selectRows<{ id: string }>(
    tx,
    sql`insert into identity.officers (id, key, username, organisation_id, created_at)
      values (${officer.id}, ${officer.key}, ${officer.username}, ${officer.organisationId},
        ${at.toISOString()})
      on conflict (key) do update set username = excluded.username,
        organisation_id = excluded.organisation_id
      returning id`,
  );
  if (!row) throw new TypeError('An upsert returns its row.');
  await tx.execute(
    sql`delete from identity.role_grants
      where officer_id = ${row.id} and role <> all (${textArray(officer.roles)})`,
  );
  await tx.execute(
    sql`insert into identity.role_grants (officer_id, role, granted_at)
      select ${row.id}::uuid, role, ${at.toISOString()}::timestamptz
        from unnest(${textArray(officer.roles)}) as role
      on conflict do nothing`,
  );
  return row.id;
}
