// The log's keys by version: log.key.pem, log.v2.key.pem and so on, each with its public half beside it, which
// stays when the private one goes. Which of them signs is what the log has stated (audit/life.ts).
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { systemIds } from '../platform/index.ts';
import { signingErrors } from './errors.ts';
import {
  hasFile,
  type KeyName,
  keyFile,
  publicKeyFile,
  readKeyFile,
  readPublicKey,
  writeOnce,
} from './key-files.ts';

/** An Ed25519 key of the audit log, in the raw form that signed notes use. */
export interface LogKey {
  readonly publicKey: Buffer;
  sign(bytes: Uint8Array): Buffer;
}

export interface LogKeys {
  /** The key the log began with; its private half is read when it first signs. */
  readonly first: LogKey;
  /** The key with this public half; undefined when it is not one of the log's. */
  find(publicKey: Buffer): LogKey | undefined;
  /** The public half of the key after this one, made unless a run that was cut off has made it. */
  next(publicKey: Buffer): Promise<Buffer>;
  /** Puts the private half of a retired key into `retired/`. Does nothing when it was moved already. */
  retire(publicKey: Buffer): void;
}

const RETIRED = 'retired';
const mostVersions = 1000;

const nameOf = (version: number): KeyName => (version === 1 ? 'log' : `log.v${version}`);

/** The log's keys in KEYS_DIR; `hold` throws where this process may not sign. */
export function openLogKeys(keysDir: string, hold: () => void): LogKeys {
  const opened = new Map<number, LogKey>();

  function open(version: number): LogKey {
    const known = opened.get(version);
    if (known) return known;
    const name = nameOf(version);
    let publicKey: Buffer | undefined;
    let privateKey: KeyObject | undefined;
    const key: LogKey = {
      get publicKey() {
        publicKey ??= rawEd25519(readPublicKey(keysDir, name));
        return publicKey;
      },
      sign: (bytes) => {
        hold();
        privateKey ??= createPrivateKey(readKeyFile(keysDir, keyFile(name)));
        return sign(null, bytes, privateKey);
      },
    };
    opened.set(version, key);
    return key;
  }

  function versionOf(publicKey: Buffer): number | undefined {
    for (let version = 1; hasFile(keysDir, publicKeyFile(nameOf(version))); version += 1) {
      if (open(version).publicKey.equals(publicKey)) return version;
      if (version === mostVersions) break;
    }
    return undefined;
  }

  function versionInUse(publicKey: Buffer): number {
    const version = versionOf(publicKey);
    if (version !== undefined) return version;
    throw signingErrors.keys_missing(
      `A key of the log is not in ${keysDir}: restore the folder from its backup.`,
    );
  }

  return {
    get first() {
      return open(1);
    },
    find(publicKey) {
      const version = versionOf(publicKey);
      return version === undefined ? undefined : open(version);
    },
    async next(publicKey) {
      hold();
      const name = nameOf(versionInUse(publicKey) + 1);
      // The private half first: a public one tells that both are there.
      if (!hasFile(keysDir, publicKeyFile(name))) {
        const pem = generateKeyPairSync('ed25519').privateKey.export({
          format: 'pem',
          type: 'pkcs8',
        });
        await writeOnce(join(keysDir, keyFile(name)), pem, systemIds);
        const made = createPublicKey(readKeyFile(keysDir, keyFile(name)));
        const publicPem = made.export({ format: 'pem', type: 'spki' });
        await writeOnce(join(keysDir, publicKeyFile(name)), publicPem, systemIds);
      }
      return rawEd25519(readPublicKey(keysDir, name));
    },
    retire(publicKey) {
      hold();
      const name = nameOf(versionInUse(publicKey));
      const file = keyFile(name);
      if (!hasFile(keysDir, file)) return;
      mkdirSync(join(keysDir, RETIRED), { recursive: true, mode: 0o700 });
      renameSync(join(keysDir, file), join(keysDir, RETIRED, file));
    },
  };
}

function rawEd25519(publicKey: KeyObject): Buffer {
  const { x } = publicKey.export({ format: 'jwk' });
  if (!x) throw new TypeError('The log key is not Ed25519.');
  return Buffer.from(x, 'base64url');
}
