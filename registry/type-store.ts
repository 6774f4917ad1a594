// SQL over licence types. A published version never changes.
import { sql } from 'drizzle-orm';
import { type JsonObject, selectRows, type Tx } from '../platform/index.ts';

/** A published version as it is stored. */
export interface TypeRow {
  id: string;
  version: number;
  definition: JsonObject;
}

const columns = sql`id, version, definition`;

/** The newest version of each type asked for by id or GB type code, in no order. */
export function findCurrentTypes(tx: Tx, idsOrCodes: readonly string[]): Promise<TypeRow[]> {
  const wanted = JSON.stringify([...new Set(idsOrCodes)]);
  return selectRows<TypeRow>(
    tx,
    sql`select ${columns} from (
        select w.word, coalesce(c.type_id, w.word) as wanted_id
        from jsonb_array_elements_text(${wanted}::text::jsonb) as w(word)
        left join registry.type_codes c on c.code = w.word
      ) asked cross join lateral (
        select ${columns} from registry.licence_types t
        where t.id = asked.wanted_id order by t.version desc limit 1
      ) newest`,
  );
}

/** One version of a type by id or code. */
export async function findTypeVersion(
  tx: Tx,
  idOrCode: string,
  version: number,
): Promise<TypeRow | undefined> {
  const [row] = await selectRows<TypeRow>(
    tx,
    sql`select ${columns} from registry.licence_types
      where version = ${version} and id = coalesce(
        (select type_id from registry.type_codes where code = ${idOrCode}), ${idOrCode})`,
  );
  return row;
}

/** The newest version of every type, in the order of their ids. */
export function listCurrentTypes(tx: Tx): Promise<TypeRow[]> {
  return selectRows<TypeRow>(
    tx,
    sql`select distinct on (id) ${columns} from registry.licence_types order by id, version desc`,
  );
}

/**
 * Gives the code to the type; false when the code is another's or the type has another code. Whoever
 * publishes the same type waits here until the transaction ends.
 */
export async function claimTypeCode(tx: Tx, code: string, typeId: string): Promise<boolean> {
  await tx.execute(
    sql`select pg_advisory_xact_lock(hashtextextended(${`registry.type|${typeId}`}, 0))`,
  );
  await tx.execute(
    sql`insert into registry.type_codes (code, type_id) values (${code}, ${typeId})
      on conflict do nothing`,
  );
  const rows = await selectRows<{ ok: boolean }>(
    tx,
    sql`select true as ok from registry.type_codes where code = ${code} and type_id = ${typeId}`,
  );
  return rows.length === 1;
}

export async function insertTypeVersion(
  tx: Tx,
  type: { id: string; version: number; code: string; issuer: string; definition: JsonObject },
  at: Date,
): Promise<void> {
  await tx.execute(
    sql`insert into registry.licence_types (id, version, code, issuer_id, definition, published_at)
      values (${type.id}, ${type.version}, ${type.code}, ${type.issuer},
        ${JSON.stringify(type.definition)}::text::json, ${at.toISOString()}::timestamptz)`,
  );
}
