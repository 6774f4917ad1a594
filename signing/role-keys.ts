// Which role of a process loads which key (contract section 8): one table, asked before a file is read.
import type { Config } from '../platform/index.ts';
import type { SecretName } from './key-files.ts';

/** What a process does: config's ROLE. */
export type ProcessRole = Config['role'];

/** A private key or secret by its use; of `receipts` and `seals` each department has one. */
export type KeyUse =
  | 'issuing'
  | 'credential'
  | 'status'
  | 'timestamp'
  | 'receipts'
  | 'seals'
  | 'log'
  | 'token'
  | SecretName;

/** Not the role that faces the internet: it asks the signer (docs/adr/0012-signer.md). */
const signs = ['worker', 'all'] as const;
/** The role that lets people and systems in: what it signs is believed at its own doors (docs/adr/0015). */
const opens = ['api', 'all'] as const;
/** Those that serve or work on people's data; the log knows no person, but gives each tag its label. */
const serves = ['api', 'worker', 'all'] as const;

/** The root's private key is in no row: after `keys init` nothing reads it. */
export const rolesOfKey = {
  issuing: signs,
  credential: signs,
  status: signs,
  timestamp: signs,
  receipts: signs,
  seals: signs,
  log: ['log', 'all'],
  token: opens,
  // Of the sample city's sign-ins, which are loaded by who may sign.
  cookies: signs,
  idempotency: serves,
  'index-audit': serves,
  'index-lookup': serves,
  'index-registry': serves,
  kek: serves,
  'map-labels': [...serves, 'log'],
  pepper: serves,
  'platform-data': serves,
  pseudonym: serves,
  session: opens,
} as const satisfies Record<KeyUse, readonly ProcessRole[]>;

export function mayLoad(role: ProcessRole, use: KeyUse): boolean {
  const roles: readonly ProcessRole[] = rolesOfKey[use];
  return roles.includes(role);
}
