// SQL over licences: keys, versions, credentials, events. Batches come as one statement each.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx, textArray } from '../platform/index.ts';
import type { LicenceEvent } from './event-store.ts';
import type { LicenceStatus } from './licence.ts';
import { isoTime, textList } from './store-pieces.ts';

/** A stored licence. `readAt` is the database's clock when it was read, in milliseconds. */
export interface LicenceRow {
  number: string;
  lineage: string;
  version: number;
  typeId: string;
  typeVersion: number;
  issuerId: string;
  holderId: string;
  status: LicenceStatus;
  validFrom: string;
  validTo: string | null;
  issuedAt: string;
  changedAt: string;
  revision: number;
  statusListUri: string;
  statusListIndex: number;
  supersedes: string | null;
  supersededBy: string | null;
  bodySealed: Buffer;
  codeSealed: Buffer;
  readAt: number;
}

const columns = sql`
  l.number, l.lineage, l.version::int as version, l.type_id as "typeId",
  l.type_version as "typeVersion", l.issuer_id as "issuerId", l.holder_id as "holderId", l.status,
  l.valid_from as "validFrom", l.valid_to as "validTo",
  ${isoTime(sql`l.issued_at`)} as "issuedAt", ${isoTime(sql`l.changed_at`)} as "changedAt",
  l.revision, l.status_list_uri as "statusListUri", l.status_list_index as "statusListIndex",
  l.supersedes, l.superseded_by as "supersededBy",
  l.body_sealed as "bodySealed", l.code_sealed as "codeSealed",
  (extract(epoch from platform.now()) * 1000)::float8 as "readAt"`;

export async function findLicence(tx: Tx, number: string): Promise<LicenceRow | undefined> {
  const [row] = await selectRows<LicenceRow>(
    tx,
    sql`select ${columns} from registry.licences l where l.number = ${number}`,
  );
  return row;
}

/** The licence, locked until the transaction ends. */
export async function lockLicence(tx: Tx, number: string): Promise<LicenceRow | undefined> {
  const [row] = await selectRows<LicenceRow>(
    tx,
    sql`select ${columns} from registry.licences l where l.number = ${number} for update`,
  );
  return row;
}

/** The licence whose verification code has this key; needs no scope, the code is one. */
export async function findByCodeKey(tx: Tx, codeKey: Buffer): Promise<LicenceRow | undefined> {
  const [row] = await selectRows<LicenceRow>(
    tx,
    sql`select ${columns} from registry.licence_of_code(${codeKey}) l`,
  );
  return row;
}

/** Finds as findByCodeKey does and counts the look in its hour, in one round trip. */
export async function lookUp(tx: Tx, codeKey: Buffer): Promise<LicenceRow | undefined> {
  const [row] = await selectRows<LicenceRow>(
    tx,
    sql`with found as materialized (
        select ${columns} from registry.licence_of_code(${codeKey}) l
      ), counted as (
        insert into registry.lookup_counts (number, hour, looks)
        select number, date_trunc('hour', platform.now()), 1 from found
        on conflict (hour, number) do update set looks = lookup_counts.looks + 1
      )
      select * from found`,
  );
  return row;
}

/** The numbers of all versions of one licence. */
export async function numbersOf(tx: Tx, lineage: string): Promise<string[]> {
  const rows = await selectRows<{ number: string }>(
    tx,
    sql`select number from registry.licence_keys where lineage = ${lineage}`,
  );
  return rows.map(({ number }) => number);
}

/** All versions of all licences of a holder, newest first; of some types or one issuer if asked. */
export function findByHolder(
  tx: Tx,
  holderId: string,
  only: { typeIds?: readonly string[] | undefined; issuerId?: string } = {},
): Promise<LicenceRow[]> {
  const types =
    only.typeIds === undefined ? sql`` : sql`and k.type_id in (${textList(only.typeIds)})`;
  const issuer = only.issuerId === undefined ? sql`` : sql`and l.issuer_id = ${only.issuerId}`;
  return selectRows<LicenceRow>(
    tx,
    sql`select ${columns}
      from registry.licence_keys k join registry.licences l on l.number = k.number
      where k.holder_id = ${holderId} ${types} ${issuer}
      order by l.issued_at desc, l.number desc`,
  );
}

/** All versions of all licences of these types that name a person besides their holder. */
export function findByMention(
  tx: Tx,
  personId: string,
  typeIds: readonly string[],
): Promise<LicenceRow[]> {
  return selectRows<LicenceRow>(
    tx,
    sql`select ${columns}
      from registry.mentions m join registry.licences l on l.number = m.number
      where m.person_id = ${personId} and m.type_id in (${textList(typeIds)})
      order by l.issued_at desc, l.number desc`,
  );
}

/** A licence on its way into the register. */
export interface NewLicence {
  number: string;
  codeKey: Buffer;
  lineage: string;
  version: number;
  typeId: string;
  typeVersion: number;
  issuerId: string;
  holderId: string;
  status: LicenceStatus;
  isLive: boolean;
  validFrom: string;
  validTo: string | null;
  statusListUri: string;
  statusListIndex: number;
  supersedes: string | null;
  bodySealed: Buffer;
  codeSealed: Buffer;
}

/** Records licences with their unique keys, in one statement. */
export async function insertLicences(
  tx: Tx,
  licences: readonly NewLicence[],
  at: Date,
): Promise<void> {
  const input = licences.map((licence) => ({
    ...licence,
    codeKey: licence.codeKey.toString('hex'),
    bodySealed: licence.bodySealed.toString('hex'),
    codeSealed: licence.codeSealed.toString('hex'),
  }));
  const time = sql`${at.toISOString()}::timestamptz`;
  await tx.execute(
    sql`with input as materialized (
        select * from jsonb_to_recordset(${JSON.stringify(input)}::text::jsonb) as i(
          number text, "codeKey" text, lineage uuid, version smallint, "typeId" text,
          "typeVersion" integer, "issuerId" text, "holderId" uuid, status text, "isLive" boolean,
          "validFrom" date, "validTo" date, "statusListUri" text, "statusListIndex" integer,
          supersedes text, "bodySealed" text, "codeSealed" text)
      ), keyed as (
        insert into registry.licence_keys
          (number, code_key, lineage, version, holder_id, type_id, is_live)
        select number, decode("codeKey", 'hex'), lineage, version, "holderId", "typeId", "isLive"
        from input
      )
      insert into registry.licences
        (number, lineage, version, type_id, type_version, issuer_id, holder_id, status, valid_from,
         valid_to, issued_at, changed_at, revision, status_list_uri, status_list_index, supersedes,
         body_sealed, code_sealed)
      select number, lineage, version, "typeId", "typeVersion", "issuerId", "holderId", status,
        "validFrom", "validTo", ${time}, ${time}, 1, "statusListUri", "statusListIndex", supersedes,
        decode("bodySealed", 'hex'), decode("codeSealed", 'hex')
      from input`,
  );
}

/** What is stored of a licence once it is signed. */
export interface SignedLicence {
  number: string;
  typeId: string;
  credentialSealed: Buffer;
  /** The people its fields name. */
  mentions: readonly string[];
  /** The first event of its history. */
  event: Omit<LicenceEvent, 'number' | 'reasonSealed'>;
}

/** Stores signatures, mentions and first events, in one statement. */
export async function insertSigned(
  tx: Tx,
  signed: readonly SignedLicence[],
  at: Date,
): Promise<void> {
  const input = signed.map(({ number, typeId, credentialSealed, mentions, event }) => ({
    ...event,
    number,
    typeId,
    credential: credentialSealed.toString('hex'),
    mentions,
  }));
  await tx.execute(
    sql`with input as materialized (
        select * from jsonb_to_recordset(${JSON.stringify(input)}::text::jsonb) as i(
          number text, "typeId" text, credential text, mentions jsonb, id uuid, act text,
          status text, "organisationId" text, "legalBasis" text, related text)
      ), mentioned as (
        insert into registry.mentions (person_id, type_id, number)
        select person::uuid, "typeId", number
        from input, jsonb_array_elements_text(mentions) as person
      ), happened as (
        insert into registry.licence_events
          (number, id, act, status, at, organisation_id, legal_basis, related)
        select number, id, act, status, ${at.toISOString()}::timestamptz, "organisationId",
          "legalBasis", related
        from input
      )
      insert into registry.credentials (number, credential_sealed)
      select number, decode(credential, 'hex') from input`,
  );
}

export async function getCredentialSealed(tx: Tx, number: string): Promise<Buffer> {
  const [row] = await selectRows<{ sealed: Buffer }>(
    tx,
    sql`select credential_sealed as sealed from registry.credentials where number = ${number}`,
  );
  if (!row) throw new TypeError('A licence was recorded without its credential.');
  return row.sealed;
}

/** Sets how licences stand; `isLive` follows in their keys. */
export async function updateStatuses(
  tx: Tx,
  changes: readonly {
    number: string;
    status: LicenceStatus;
    isLive: boolean;
    supersededBy?: string;
  }[],
  at: Date,
): Promise<void> {
  await tx.execute(
    sql`with input as materialized (
        select * from jsonb_to_recordset(${JSON.stringify(changes)}::text::jsonb) as i(
          number text, status text, "isLive" boolean, "supersededBy" text)
      ), keyed as (
        update registry.licence_keys k set is_live = i."isLive"
        from input i where k.number = i.number and k.is_live <> i."isLive"
      )
      update registry.licences l set status = i.status, revision = l.revision + 1,
        changed_at = ${at.toISOString()}::timestamptz,
        superseded_by = coalesce(i."supersededBy", l.superseded_by)
      from input i where l.number = i.number`,
  );
}

/** Live licences whose last day is before `today`, locked against other acts; those locked are left. */
export function lockDue(tx: Tx, today: string, limit: number): Promise<LicenceRow[]> {
  return selectRows<LicenceRow>(
    tx,
    sql`select ${columns} from registry.licences l
      where l.status in ('valid', 'suspended') and l.valid_to < ${today}::date
      limit ${limit} for update skip locked`,
  );
}

/** The places in status lists of these licences, those that there are. */
export async function placesOf(
  tx: Tx,
  numbers: readonly string[],
): Promise<Map<string, { uri: string; idx: number }>> {
  const rows = await selectRows<{ number: string; uri: string; idx: number }>(
    tx,
    sql`select number, status_list_uri as uri, status_list_index as idx from registry.licences
      where number = any(${textArray(numbers)})`,
  );
  return new Map(rows.map(({ number, uri, idx }) => [number, { uri, idx }]));
}
