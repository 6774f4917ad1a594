// SQL over identity.organisations.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx, textArray } from '../platform/index.ts';

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
  level: Level;
  /** The organisation above it; null at the city's level. */
  parentId: string | null;
}

/** Where an organisation stands in the tree, from the top. */
export type Level = 'city' | 'district' | 'street' | 'community';

const organisationColumns = sql`
  id, name_zh as "nameZh", name_en as "nameEn", short_zh as "shortZh", uscc, kind, roles, level,
  parent_id as "parentId"`;

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
  const { id, nameZh, nameEn, shortZh, uscc, kind, roles, level, parentId } = organisation;
  await tx.execute(
    sql`insert into identity.organisations
        (id, name_zh, name_en, short_zh, uscc, kind, roles, level, parent_id, parent_level, created_at)
      values (${id}, ${nameZh}, ${nameEn}, ${shortZh}, ${uscc}, ${kind}, ${textArray(roles)}, ${level},
        ${parentId}, (select level from identity.organisations where id = ${parentId}),
        ${at.toISOString()})
      on conflict (id) do update set name_zh = excluded.name_zh, name_en = excluded.name_en,
        short_zh = excluded.short_zh, uscc = excluded.uscc, kind = excluded.kind,
        roles = excluded.roles, level = excluded.level, parent_id = excluded.parent_id,
        parent_level = excluded.parent_level`,
  );
}
