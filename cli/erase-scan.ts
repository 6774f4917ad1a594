// `erase scan`: is anything left of a person? Searches every place a house keeps something, for her
// number in every written form and for the digests that find her.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Identity, PersonIdentifier } from '../identity/index.ts';
import {
  type Config,
  findEmbeddedFiles,
  loadConfig,
  prepareSearch,
  type Residue,
  rewriteRelations,
  scanFiles,
  scanRedis,
  scanTables,
  writtenForms,
} from '../platform/index.ts';
import { type Command, readArgs } from './command.ts';
import { readSubject } from './erase.ts';
import { attachHouse } from './house.ts';

/** Keys, and the lists of who may sign in to the sample: they stand for themselves. */
const isMeantToTell = (path: string): boolean =>
  /^(keys|clients|secrets)\/|^(people|officers)\.json$/.test(path);
/** What was written goes when the server writes its log over it. */
const isWriteAhead = (path: string): boolean => /(^|\/)pg_wal\//.test(path);

async function searchFor(identity: Identity, subject: PersonIdentifier) {
  const digests = await identity.digestsOf(subject);
  return prepareSearch([
    ...writtenForms('number', Buffer.from(subject.value, 'utf8')),
    ...digests.flatMap(({ label, bytes }) => writtenForms(label, bytes)),
  ]);
}

type Search = Awaited<ReturnType<typeof searchFor>>;

async function scanDisk(config: Config, search: Search): Promise<Residue[]> {
  const embedded = await findEmbeddedFiles(config.dataDir);
  const isSkipped = (path: string): boolean => isMeantToTell(path) || isWriteAhead(path);
  const inside = await scanFiles(config.dataDir, search, isSkipped);
  if (!embedded || embedded.data.startsWith(join(config.dataDir, '/'))) return inside;
  return [...inside, ...(await scanFiles(embedded.data, search, isSkipped))];
}

const DatabaseFile = z.object({ url: z.string() });

async function ownerUrlOf(config: Config): Promise<string> {
  if (config.databaseUrl !== undefined) return config.databaseUrl;
  const text = await readFile(join(config.dataDir, 'database.json'), 'utf8');
  return DatabaseFile.parse(JSON.parse(text)).url;
}

export const eraseScanCommand: Command = {
  name: 'erase scan',
  summary: 'Search everywhere for what is left of a person',
  help: `erase scan [--rewrite]

Reads a citizen ID or credit code from standard input and searches for it (plain, UTF-16, hex,
base64 at any offset), for its blind index and for its tag in the log:
  every table of every schema, among them queue, kept responses and imports, and the statistics of
  their columns; Redis, where REDIS_URL is set; every file below DATA_DIR, and the embedded
  server's own files after a checkpoint.
Names each place. Not searched: KEYS_DIR, the sample's people.json, officers.json and clients/, and
pg_wal, whose old segments the server overwrites. With DATABASE_URL the server's files lie elsewhere.

--rewrite  makes the tables and indexes anew in whose files something was found: dead rows stay in
           their pages until then. Each table is locked meanwhile. Searches once more.

Exit code: 0 when nothing is left, 1 when something was found.`,
  async run(args) {
    const { values } = readArgs(args, { rewrite: { type: 'boolean' } });
    const subject = await readSubject();
    const config = loadConfig();
    const house = await attachHouse(config, (line) => console.error(line));
    try {
      const search = await searchFor(house.services.identity, subject);
      const embedded =
        config.databaseUrl === undefined ? await findEmbeddedFiles(config.dataDir) : undefined;
      if (embedded) await rewriteRelations(embedded.superuserUrl);
      let onDisk = await scanDisk(config, search);
      if (values.rewrite && embedded) {
        const files = onDisk.map(({ place }) => place);
        for (const name of await rewriteRelations(embedded.superuserUrl, files)) {
          console.log(`made anew: ${name}`);
        }
        onDisk = await scanDisk(config, search);
      }
      const found = [
        ...(await scanTables(await ownerUrlOf(config), search)),
        ...(config.redisUrl === undefined ? [] : await scanRedis(config.redisUrl, search)),
        ...onDisk,
      ];
      for (const { place, found: what } of found) console.log(`${place}: ${what.join(', ')}`);
      console.log(found.length === 0 ? 'Nothing is left.' : `Found in ${found.length} places.`);
      return found.length === 0 ? 0 : 1;
    } finally {
      await house.close();
    }
  },
};
