// What a house remembers of itself between starts: a name and a JSON value, few and small.
import { sql } from 'drizzle-orm';
import type { Json } from './canonical-json.ts';
import { selectRows, type Tx } from './database.ts';
import { errorCatalogue } from './errors.ts';

export const houseErrors = errorCatalogue('platform', { public_url_changed: 'conflict' });

/** The remembered value, or undefined. */
export async function findHouseFact(tx: Tx, name: string): Promise<Json | undefined> {
  const rows = await selectRows<{ value: Json }>(
    tx,
    sql`select value from platform.house_facts where name = ${name}`,
  );
  return rows[0]?.value;
}

/** Remembers a value in place of any earlier one. */
export async function putHouseFact(tx: Tx, name: string, value: Json): Promise<void> {
  await tx.execute(sql`
    insert into platform.house_facts (name, value) values (${name}, ${JSON.stringify(value)}::text::jsonb)
    on conflict (name) do update set value = excluded.value`);
}

/**
 * Holds a house to the name it gave itself in signed licences: the first PUBLIC_URL is stored, and
 * another one is refused unless the stored one is among the aliases. Returns the stored one.
 */
export async function holdPublicUrl(
  tx: Tx,
  publicUrl: string,
  aliases: readonly string[],
): Promise<string> {
  const stored = await findHouseFact(tx, 'public_url');
  if (stored === undefined) await putHouseFact(tx, 'public_url', publicUrl);
  if (stored === undefined || stored === publicUrl) return publicUrl;
  if (typeof stored === 'string' && aliases.includes(stored)) return stored;
  throw houseErrors.public_url_changed(
    `Licences of this house name ${String(stored)}. Start with PUBLIC_URL=${String(stored)}, or add it to PUBLIC_URL_ALIASES.`,
  );
}
