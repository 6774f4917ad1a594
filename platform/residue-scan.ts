// Looks for byte strings everywhere a house keeps something: each table as its owner sees it, what the
// planner remembers of their columns, the files below a folder, a Redis. It knows no person: the
// caller says what to look for and gets the names of the places.
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Redis } from 'ioredis';
import type postgres from 'postgres';
import type { ByteSearch, Needle } from './byte-search.ts';
import { openSession, quoteIdentifier } from './database-url.ts';

/** One place where something was found. */
export interface Residue {
  place: string;
  /** The labels of what was found there, each once. */
  found: string[];
}

type NewSearch = () => ByteSearch;

const CHUNK_BYTES = 1 << 20;
const ROWS_AT_ONCE = 500;
const NUL = Buffer.alloc(1);

/** Every table of every schema, row by row; the owner's eyes, so no policy hides a row. */
export async function scanTables(ownerUrl: string, newSearch: NewSearch): Promise<Residue[]> {
  const owner = openSession(ownerUrl);
  try {
    await owner`set row_security = off`;
    const tables = await owner<{ schema: string; name: string }[]>`
      select n.nspname as schema, c.relname as name
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'm') and n.nspname !~ '^(pg_|information_schema$)'
      order by 1, 2`;
    const residues: Residue[] = [];
    for (const { schema, name } of tables) {
      const table = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
      residues.push(
        ...(await scanQuery(owner, `table ${schema}.${name}`, `select * from ${table}`, newSearch)),
      );
    }
    // Common values and histogram bounds are copies of what the columns hold.
    const statistics = 'select * from pg_catalog.pg_stats';
    return [
      ...residues,
      ...(await scanQuery(owner, 'statistics of columns', statistics, newSearch)),
    ];
  } finally {
    await owner.end({ timeout: 5 });
  }
}

/** Each value as the server writes it, bytea as its bytes: rows side by side, values apart by a NUL. */
async function scanQuery(
  owner: postgres.Sql,
  place: string,
  query: string,
  newSearch: NewSearch,
): Promise<Residue[]> {
  const search = newSearch();
  const found: Needle[] = [];
  const rows = owner.unsafe(query, [], { prepare: true }).raw().cursor(ROWS_AT_ONCE);
  for await (const page of rows) found.push(...search.push(Buffer.concat(bytesIn(page))));
  return residueOf(place, found);
}

/** postgres.js types raw rows as what they would be parsed to; they are arrays of Buffer or null. */
function bytesIn(rows: readonly unknown[]): Buffer[] {
  return rows.flatMap((row) =>
    Object.values(row ?? {}).flatMap((value: unknown) => {
      if (!Buffer.isBuffer(value)) return [NUL];
      const isBytea = value[0] === 0x5c && value[1] === 0x78;
      return [isBytea ? Buffer.from(value.toString('latin1', 2), 'hex') : value, NUL];
    }),
  );
}

/** Every file below `folder`, but not what `isSkipped` names by its path from there. */
export async function scanFiles(
  folder: string,
  newSearch: NewSearch,
  isSkipped: (path: string) => boolean = () => false,
): Promise<Residue[]> {
  const residues: Residue[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    if (isSkipped(name)) continue;
    try {
      const bytes = createReadStream(path, { highWaterMark: CHUNK_BYTES });
      residues.push(...residueOf(`file ${name}`, await searchAll(bytes, newSearch())));
    } catch (error) {
      // A running server removes files between our look at the folder and at the file.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  return residues;
}

/** Every key of a Redis database, with what it holds. */
export async function scanRedis(url: string, newSearch: NewSearch): Promise<Residue[]> {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 1 });
  await redis.connect();
  try {
    const residues: Residue[] = [];
    for await (const keys of redis.scanStream({ count: 500 })) {
      for (const key of keys as string[]) {
        const parts = [Buffer.from(key), ...(await readRedisKey(redis, key))];
        residues.push(...residueOf(`Redis key ${key}`, newSearch().push(Buffer.concat(parts))));
      }
    }
    return residues;
  } finally {
    redis.disconnect();
  }
}

async function readRedisKey(redis: Redis, key: string): Promise<Buffer[]> {
  const reads: Record<string, () => Promise<unknown>> = {
    string: () => redis.getBuffer(key),
    hash: () => redis.callBuffer('HGETALL', key),
    list: () => redis.callBuffer('LRANGE', key, '0', '-1'),
    set: () => redis.callBuffer('SMEMBERS', key),
    zset: () => redis.callBuffer('ZRANGE', key, '0', '-1'),
    stream: () => redis.callBuffer('XRANGE', key, '-', '+'),
  };
  const type = await redis.type(key);
  if (type === 'none') return [];
  const read = reads[type];
  if (!read) throw new TypeError(`Redis holds a key of the unknown type ${type}.`);
  return buffersIn(await read());
}

function buffersIn(value: unknown): Buffer[] {
  if (Buffer.isBuffer(value)) return [value];
  return Array.isArray(value) ? value.flatMap(buffersIn) : [];
}

/**
 * Writes all that is in memory to the files, and makes the tables and indexes anew whose files are
 * named: what their pages held of dead rows is gone with the old files. A table is locked meanwhile.
 * Returns the names. As the superuser.
 */
export async function rewriteRelations(
  superuserUrl: string,
  files: readonly string[] = [],
): Promise<string[]> {
  const superuser = openSession(superuserUrl);
  try {
    const rewritten = new Set<string>();
    for (const file of files) {
      const [, node] = /base\/\d+\/(\d+)/.exec(file) ?? [];
      if (node === undefined) continue;
      const [relation] = await superuser<{ name: string; kind: string }[]>`
        select coalesce(parent.oid, c.oid)::regclass::text as name,
          coalesce(parent.relkind, c.relkind)::text as kind
        from pg_class c left join pg_class parent on parent.reltoastrelid = c.oid
        where c.oid = pg_filenode_relation(0, ${node}::oid)`;
      if (!relation || rewritten.has(relation.name)) continue;
      rewritten.add(relation.name);
      await superuser.unsafe(
        relation.kind === 'i'
          ? `reindex index ${relation.name}`
          : `vacuum (full, analyze) ${relation.name}`,
      );
    }
    await superuser`checkpoint`;
    return [...rewritten];
  } finally {
    await superuser.end({ timeout: 5 });
  }
}

async function searchAll(chunks: AsyncIterable<Buffer>, search: ByteSearch): Promise<Needle[]> {
  const found: Needle[] = [];
  for await (const chunk of chunks) found.push(...search.push(chunk));
  return found;
}

function residueOf(place: string, found: readonly Needle[]): Residue[] {
  if (found.length === 0) return [];
  return [{ place, found: [...new Set(found.map(({ label }) => label))].sort() }];
}
