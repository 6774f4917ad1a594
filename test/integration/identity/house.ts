// One identity over a test database, with real keys made for the run.
import { generateKeyPairSync, sign } from 'node:crypto';
import pino from 'pino';
import { type Audit, type AuditDeps, createAudit } from '../../../audit/index.ts';
import {
  type Credentials,
  createIdentity,
  type Identity,
  type IdentityDeps,
} from '../../../identity/index.ts';
import { AppError, type Database, systemClock, systemIds } from '../../../platform/index.ts';
import { openVrf, type SecretVersions } from '../../../signing/index.ts';

export const PUBLIC_URL = 'http://127.0.0.1:4100';

const secret = () => systemIds.bytes(32);

/** A key in versions; two houses that share it share every new one, as two processes share KEYS_DIR. */
export function versions(): SecretVersions {
  const made = new Map([[1, secret()]]);
  return {
    at: (version) => {
      const key = made.get(version);
      if (!key) throw new Error(`There is no version ${version}.`);
      return key;
    },
    make: async (version) => void (made.has(version) || made.set(version, secret())),
    // Kept, as a process keeps what it has read.
    retire: () => {},
  };
}

/** Keys of a house; two houses with the same keys are two processes of one. */
export function makeKeys(): IdentityDeps['keys'] {
  return {
    indexRegistry: versions(),
    indexAudit: secret(),
    kek: versions(),
    pepper: secret(),
    platformData: secret(),
    pseudonym: secret(),
    session: secret(),
    tokenKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  };
}

/** A log over the same database; with `logDatabase` it can sequence. */
export function makeAudit(
  database: Database,
  logDatabase?: Database,
  changes: Partial<AuditDeps> = {},
): Audit {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return createAudit({
    database,
    logDatabase,
    clock: systemClock,
    ids: systemIds,
    logger: pino({ level: 'silent' }),
    signer: {
      publicKey: Buffer.from(x, 'base64url'),
      sign: (bytes) => sign(null, bytes, privateKey),
    },
    origin: 'yihao.example/log',
    map: { key: openVrf(Buffer.alloc(32, 4)), everyMs: null },
    ...changes,
  });
}

/** identity with the system's clock and ids, unless a test says otherwise. */
export function makeIdentity(database: Database, changes: Partial<IdentityDeps> = {}): Identity {
  return createIdentity({
    database,
    clock: systemClock,
    ids: systemIds,
    audit: makeAudit(database),
    keys: makeKeys(),
    publicUrl: PUBLIC_URL,
    logger: pino({ level: 'silent' }),
    // None is started here: what it would tell is for the house's own tests.
    outbox: {
      backlog: async () => ({ waiting: 0, dead: 0, oldestDeadAt: null, lastError: null }),
      reviveKeys: async () => 0,
    },
    isLocalSignInAllowed: true,
    secretCost: { memoryKib: 64, passes: 1, lanes: 1 },
    cityTz: 'Asia/Shanghai',
    ...changes,
  });
}

/** A browser nobody signed in from, at an address of its own. */
export function newPlace(identity: Identity): Parameters<Identity['signIn']>[1] {
  return {
    requestId: 'request-1',
    address: systemIds.uuid(),
    device: identity.deviceCookie(undefined),
  };
}

/** The code a sign-in is refused with, or 'in'. */
export async function outcomeOf(
  identity: Identity,
  credentials: Credentials,
  place: Parameters<Identity['signIn']>[1],
): Promise<string> {
  try {
    await identity.signIn(credentials, place);
    return 'in';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

/** A citizen ID of the sample city: area, birth day YYYYMMDD, three digits, and the check character. */
export function citizenId(day = '19900101', sequence = 1, area = '990101'): string {
  const body = `${area}${day}${String(sequence).padStart(3, '0')}`;
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const sum = weights.reduce((total, weight, at) => total + weight * Number(body[at]), 0);
  return `${body}${'10X98765432'[sum % 11]}`;
}

export const HOUSING = {
  id: 'housing',
  nameZh: '云珠市住房和城乡建设局',
  nameEn: 'Yunzhu Housing and Urban-Rural Development Bureau',
  shortZh: '住房和城乡建设局',
  uscc: '11990100009900072Y',
  kind: 'bureau',
  roles: ['issuer', 'provider', 'requester'],
};
