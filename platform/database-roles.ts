// The two roles a running house connects as: `<database>_app` and, for the log's sequencer,
// `<database>_log`. The owner makes them; neither can define anything.
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type postgres from 'postgres';
import { z } from 'zod';
import { databaseErrors, databaseFault } from './database-errors.ts';
import { databaseName, openSession, quoteIdentifier, urlAs } from './database-url.ts';
import { systemIds } from './ids.ts';
import { writePrivateFile } from './private-file.ts';

/** Plain ASCII, which SASLprep (RFC 4013) leaves as it is. */
const Password = z.string().regex(/^[\x21-\x7e]{16,}$/);
export const RolePasswords = z.object({ app: Password, log: Password });
export type RolePasswords = z.infer<typeof RolePasswords>;

/** The URLs the runtime connects with. */
export interface RuntimeUrls {
  appUrl: string;
  logUrl: string;
}

const roleKinds = ['app', 'log'] as const;
const fileName = 'database-roles.json';

/** The names of a database's roles; PostgreSQL cuts names at 63 bytes, so longer ones are refused. */
export function roleNames(ownerUrl: string): { app: string; log: string } {
  const database = databaseName(ownerUrl);
  if (Buffer.byteLength(database) > 59) {
    throw databaseErrors.database_unfit(
      `The database name ${database} is longer than 59 bytes: its roles could not be told apart.`,
    );
  }
  return { app: `${database}_app`, log: `${database}_log` };
}

/** The runtime's URLs: the owner's with the roles' names and passwords. */
export function runtimeUrls(ownerUrl: string, passwords: RolePasswords): RuntimeUrls {
  const names = roleNames(ownerUrl);
  return {
    appUrl: urlAs(ownerUrl, names.app, passwords.app),
    logUrl: urlAs(ownerUrl, names.log, passwords.log),
  };
}

/** The passwords kept in `keysDir`; undefined when none were made yet. */
export async function readRolePasswords(keysDir: string): Promise<RolePasswords | undefined> {
  const path = join(keysDir, fileName);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return RolePasswords.parse(JSON.parse(text));
  } catch (cause) {
    throw databaseErrors.database_unfit(
      `${path} is damaged: restore it, or remove it to have new passwords made.`,
      { cause },
    );
  }
}

/** The passwords kept in `keysDir`, made first (mode 0600) when there are none. */
export async function ensureRolePasswords(keysDir: string): Promise<RolePasswords> {
  const kept = await readRolePasswords(keysDir);
  if (kept) return kept;
  const made = { app: systemIds.token(32), log: systemIds.token(32) };
  await mkdir(keysDir, { recursive: true, mode: 0o700 });
  await writePrivateFile(join(keysDir, fileName), JSON.stringify(made));
  return made;
}

/**
 * Makes both roles able to sign in with these passwords: missing roles are created, wrong
 * passwords set again. Needs CREATEROLE only for what has to change.
 */
export async function ensureRoles(
  owner: postgres.Sql,
  ownerUrl: string,
  passwords: RolePasswords,
): Promise<void> {
  const names = roleNames(ownerUrl);
  const urls = runtimeUrls(ownerUrl, passwords);
  for (const kind of roleKinds) {
    const name = names[kind];
    const [existing] = await owner`select 1 from pg_catalog.pg_roles where rolname = ${name}`;
    if (existing && (await canSignIn(kind === 'app' ? urls.appUrl : urls.logUrl))) continue;
    const verb = existing ? 'alter role' : 'create role';
    const role = quoteIdentifier(name);
    const secret = scramVerifier(passwords[kind], systemIds.bytes(16));
    try {
      await owner.unsafe(`${verb} ${role} login noinherit password '${secret}'`);
    } catch (cause) {
      throw databaseErrors.database_unfit(
        `The owner may not ${verb} ${name}: give it CREATEROLE, or have this role made for it and put its password into ${fileName}.`,
        { cause },
      );
    }
  }
}

/** Does the server take this URL's role and password? Any other trouble is thrown. */
async function canSignIn(url: string): Promise<boolean> {
  const probe = openSession(url);
  try {
    await probe`select 1`;
    return true;
  } catch (error) {
    const code = databaseFault(error)?.code ?? '';
    // 28xxx: no such role or a wrong password. 42501: known, but not yet admitted to the database.
    if (code.startsWith('28')) return false;
    if (code === '42501') return true;
    throw error;
  } finally {
    await probe.end({ timeout: 1 });
  }
}

/** What PostgreSQL stores for a password (RFC 5803), so that the password itself is never sent. */
function scramVerifier(password: string, salt: Buffer): string {
  const iterations = 4096;
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const mac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(mac('Client Key')).digest('base64');
  const serverKey = mac('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
