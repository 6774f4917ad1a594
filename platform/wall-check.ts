// Whether row-level security binds the role a process runs as: it doesn't bind an owner, a superuser,
// or who may bypass it (docs/adr/0011-row-level-security.md).
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from './database.ts';
import { databaseErrors } from './database-errors.ts';

/** Refuses a role that row-level security does not bind: platform.database_unfit with what to do. */
export async function checkWall(tx: Tx): Promise<void> {
  const [role] = await selectRows<{ name: string; faults: string[] }>(
    tx,
    sql`select rolname as name, array_remove(array[
        case when rolsuper then 'it is a superuser' end,
        case when rolbypassrls then 'it has BYPASSRLS' end,
        case when exists (select from pg_class where relowner = r.oid) then 'it owns tables' end,
        case when exists (select from pg_auth_members where member = r.oid)
          then 'it is a member of another role' end
      ], null) as faults
      from pg_roles r where rolname = current_user`,
  );
  if (!role || role.faults.length === 0) return;
  throw databaseErrors.database_unfit(
    `Row-level security would not bind the role ${role.name}: ${role.faults.join(', ')}. Let \`yihao migrate\` make the role, or take that from it.`,
  );
}
