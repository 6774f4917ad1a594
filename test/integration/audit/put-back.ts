// A database as a backup from before its last entries would be; only the owner can do that to it.
import type postgres from 'postgres';

export async function putBack(
  ownerSql: postgres.Sql,
  { size, root }: { size: number; root: Buffer },
): Promise<void> {
  const tables = ['entries', 'checkpoints', 'stage_indexes', 'head', 'cosignatures', 'witnessed'];
  await ownerSql.begin(async (sql) => {
    for (const table of tables) await sql.unsafe(`alter table audit.${table} disable trigger user`);
    await sql`delete from audit.entries where idx >= ${size}`;
    await sql`delete from audit.lookups where idx >= ${size}`;
    await sql`delete from audit.stage_indexes where idx >= ${size}`;
    await sql`delete from audit.witnessed where size > ${size}`;
    await sql`delete from audit.cosignatures where size > ${size}`;
    await sql`delete from audit.checkpoints where size > ${size}`;
    await sql`update audit.head set size = ${size}, root = ${root}`;
    for (const table of tables) await sql.unsafe(`alter table audit.${table} enable trigger user`);
  });
}
