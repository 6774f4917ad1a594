// SQL over identity.people and identity.data_keys. Everything personal comes and goes sealed.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { PersonIdentifier } from './identifiers.ts';
import { type LiveVersions, liveVersions, newestVersion } from './store-keys.ts';

/** A stored person; `wrapped` is null once her data key was destroyed. */
export interface PersonRow {
  id: string;
  scheme: PersonIdentifier['scheme'];
  /** Of an erased person null, once the log is cleared of it; so is what is sealed. */
  auditTag: Buffer | null;
  valueSealed: Buffer | null;
  nameSealed: Buffer | null;
  kekVersion: number | null;
  wrapped: Buffer | null;
}

export interface NewPerson {
  id: string;
  scheme: PersonIdentifier['scheme'];
  indexVersion: number;
  blindIndex: Buffer;
  auditTag: Buffer;
  valueSealed: Buffer;
  nameSealed: Buffer | null;
  kekVersion: number;
  wrapped: Buffer;
}

const columns = sql`
  p.id, p.scheme, p.audit_tag as "auditTag",
  p.value_sealed as "valueSealed", p.name_sealed as "nameSealed",
  k.kek_version::int as "kekVersion", k.wrapped`;

/**
 * The people with these blind indexes, in no order, and the versions that are live in the same
 * snapshot; those nobody knows are missing. An index under every live version must be among them.
 */
export async function findByBlindIndex(
  tx: Tx,
  blindIndexes: Buffer[],
): Promise<{ people: PersonRow[]; live: LiveVersions }> {
  const rows = await selectRows<LiveVersions & (PersonRow | { id: null })>(
    tx,
    sql`select v.*, found.*
      from ${liveVersions} as v left join (
        select ${columns}
        from identity.people p left join identity.data_keys k on k.person_id = p.id
        where p.blind_index in (${list(blindIndexes)})
      ) as found on true`,
  );
  const [live] = rows;
  if (!live) throw new TypeError('There is always a row with the versions.');
  return { people: rows.filter((row) => row.id !== null), live };
}

/** The people with these ids, in no order. */
export function findById(tx: Tx, ids: string[]): Promise<PersonRow[]> {
  return selectRows<PersonRow>(
    tx,
    sql`select ${columns}
      from identity.people p left join identity.data_keys k on k.person_id = p.id
      where p.id in (${list(ids)})`,
  );
}

/** The people whose entries in the log carry these tags, in no order. */
export function findByAuditTag(tx: Tx, tags: Buffer[]): Promise<PersonRow[]> {
  return selectRows<PersonRow>(
    tx,
    sql`select ${columns}
      from identity.people p left join identity.data_keys k on k.person_id = p.id
      where p.audit_tag in (${list(tags)})`,
  );
}

/**
 * Adds people with their data keys in one statement and returns the ids that were added. Left out are
 * those who are there already under any version, from a rival as well (the audit tag tells), and all
 * when a newer version of a key has come.
 */
export async function insertPeople(tx: Tx, people: NewPerson[], at: Date): Promise<string[]> {
  const input = people.map((person) => ({
    ...person,
    blindIndex: person.blindIndex.toString('hex'),
    auditTag: person.auditTag.toString('hex'),
    valueSealed: person.valueSealed.toString('hex'),
    nameSealed: person.nameSealed?.toString('hex') ?? null,
    wrapped: person.wrapped.toString('hex'),
  }));
  const rows = await selectRows<{ id: string }>(
    tx,
    sql`with input as (
        select * from jsonb_to_recordset(${JSON.stringify(input)}::text::jsonb) as i(
          id uuid, scheme text, "indexVersion" smallint, "blindIndex" text, "auditTag" text,
          "valueSealed" text, "nameSealed" text, "kekVersion" smallint, wrapped text)
      ), added as (
        insert into identity.people
          (id, scheme, index_version, blind_index, audit_tag, value_sealed, name_sealed, created_at)
        select id, scheme, "indexVersion", decode("blindIndex", 'hex'), decode("auditTag", 'hex'),
          decode("valueSealed", 'hex'), decode("nameSealed", 'hex'), ${at.toISOString()}::timestamptz
        from input
        where "indexVersion" = ${newestVersion('index-registry')}
          and "kekVersion" = ${newestVersion('kek')}
        order by "auditTag" -- one order for all, so that two batches can't wait for each other
        on conflict do nothing
        returning id
      ), keyed as (
        insert into identity.data_keys (person_id, kek_version, wrapped, created_at)
        select id, "kekVersion", decode(wrapped, 'hex'), ${at.toISOString()}::timestamptz
        from input join added using (id)
      )
      select id from added`,
  );
  return rows.map((row) => row.id);
}

/** Gives people the names they go by now. */
export async function updateNames(
  tx: Tx,
  names: { id: string; nameSealed: Buffer }[],
): Promise<void> {
  const input = names.map(({ id, nameSealed }) => ({ id, name: nameSealed.toString('hex') }));
  await tx.execute(
    sql`update identity.people p set name_sealed = decode(i.name, 'hex')
      from jsonb_to_recordset(${JSON.stringify(input)}::text::jsonb) as i(id uuid, name text)
      where p.id = i.id`,
  );
}

function list(values: (string | Buffer)[]) {
  return sql.join(
    values.map((value) => sql`${value}`),
    sql`, `,
  );
}
