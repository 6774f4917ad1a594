// Secrets that rotate: version 1 is NAME.key, the next ones NAME.v2.key and so on. Which one writes is
// not decided here: a version counts once the database says so (identity/key-ring.ts).
import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { systemIds } from '../platform/index.ts';
import { hasFile, readSecret, SECRET_BYTES, secretFile, writeOnce } from './key-files.ts';

/** The secrets whose uses can be made anew under another key; docs/adr/0010 says why no others. */
export type RotatingSecret = 'kek' | 'index-registry';

/** One secret by its versions. */
export interface SecretVersions {
  /** The key of a version, read when first asked for; `signing.keys_missing` when its file is not there. */
  at(version: number): Buffer;
  /** Makes the file of a version, unless a run that was cut off has made it already. */
  make(version: number): Promise<void>;
  /**
   * Puts the file of a version that nothing uses any more into `retired/`: backups made before still
   * need it. Does nothing when it was moved already.
   */
  retire(version: number): void;
}

const RETIRED = 'retired';

const versionFile = (name: RotatingSecret, version: number): string =>
  version === 1 ? secretFile(name) : `secrets/${name}.v${version}.key`;

/** The versions of a secret in KEYS_DIR. */
export function openSecretVersions(keysDir: string, name: RotatingSecret): SecretVersions {
  const read = new Map<number, Buffer>();
  return {
    at(version) {
      const known = read.get(version);
      if (known) return known;
      const bytes = readSecret(keysDir, versionFile(name, version));
      read.set(version, bytes);
      return bytes;
    },
    async make(version) {
      const file = versionFile(name, version);
      if (hasFile(keysDir, file)) return;
      await writeOnce(join(keysDir, file), systemIds.bytes(SECRET_BYTES), systemIds);
    },
    retire(version) {
      const file = versionFile(name, version);
      if (!hasFile(keysDir, file)) return;
      mkdirSync(join(keysDir, RETIRED), { recursive: true, mode: 0o700 });
      renameSync(join(keysDir, file), join(keysDir, RETIRED, `${name}.v${version}.key`));
    },
  };
}

/** True once a secret has been rotated: its first version may be retired, and is never made again. */
export function isRotated(keysDir: string, name: string): boolean {
  return readdirSync(join(keysDir, 'secrets')).some((file) => file.startsWith(`${name}.v`));
}
