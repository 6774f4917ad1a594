// The files of KEYS_DIR: names, modes, and writing that never overwrites and never tears.
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { link, open, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Ids } from '../platform/index.ts';
import { signingErrors } from './errors.ts';

/** Secrets of 32 bytes, each for one use; a role reads only those it asks for. */
export const SECRET_NAMES = [
  'cookies',
  'idempotency',
  'index-audit',
  'index-lookup',
  'index-registry',
  'kek',
  'map-labels',
  'pepper',
  'platform-data',
  'pseudonym',
  'session',
] as const;

export type SecretName = (typeof SECRET_NAMES)[number];

export const SECRET_BYTES = 32;

export const USCC_PATTERN = /^[0-9A-Z]{18}$/;

/** The path of a key pair without its ending, below KEYS_DIR. */
export type KeyName =
  | 'root'
  | 'issuing'
  | 'credential'
  | 'status'
  | 'timestamp'
  | 'token'
  | 'log'
  | `log.v${number}`
  | `receipts/${string}`
  | `seals/${string}`;

export const keyFile = (name: KeyName): string => `${name}.key.pem`;
export const publicKeyFile = (name: KeyName): string => `${name}.pub.pem`;
export const certificateFile = (name: KeyName): string => `${name}.crt.pem`;
export const secretFile = (name: SecretName): string => `secrets/${name}.key`;

/** Makes KEYS_DIR and its folders for the owner alone, and closes them if they stood open. */
export function prepareKeysDir(keysDir: string): void {
  for (const folder of ['', 'receipts', 'seals', 'secrets']) {
    const path = join(keysDir, folder);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
  }
}

/**
 * Writes a file that must not exist yet: whole or not at all, on disk before it has its name. Of
 * two processes that write the same file the first wins and the second gets `false`.
 */
export async function writeOnce(path: string, content: Buffer | string, ids: Ids) {
  const draft = `${path}.${ids.token(8)}.tmp`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
    await link(draft, path);
    await syncFolder(dirname(path));
    return true;
  } catch (error) {
    if (isFileError(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await file.close();
    await unlink(draft);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export function hasFile(keysDir: string, file: string): boolean {
  return existsSync(join(keysDir, file));
}

export function readPrivateKey(keysDir: string, name: KeyName): KeyObject {
  return createPrivateKey(readKeyFile(keysDir, keyFile(name)));
}

export function readPublicKey(keysDir: string, name: KeyName): KeyObject {
  return createPublicKey(readKeyFile(keysDir, publicKeyFile(name)));
}

export function readCertificate(keysDir: string, name: KeyName): X509Certificate {
  return new X509Certificate(readKeyFile(keysDir, certificateFile(name)));
}

/** Reads a file of KEYS_DIR; a missing one is refused with what to do. */
export function readKeyFile(keysDir: string, file: string): Buffer {
  try {
    return readFileSync(join(keysDir, file));
  } catch (error) {
    if (!isFileError(error, 'ENOENT')) throw error;
    throw signingErrors.keys_missing(
      `The key file ${file} is missing in ${keysDir}. Run \`npm run yihao -- keys init\` with the ` +
        'same KEYS_DIR, or restore the folder from its backup.',
      { cause: error },
    );
  }
}

/** Reads a secret of KEYS_DIR; one that is missing or cut off is refused with what to do. */
export function readSecret(keysDir: string, file: string): Buffer {
  const bytes = readKeyFile(keysDir, file);
  if (bytes.length === SECRET_BYTES) return bytes;
  throw signingErrors.keys_missing(
    `The key file ${file} in ${keysDir} is damaged: restore it from its backup.`,
  );
}

function isFileError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
