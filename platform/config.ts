// The whole configuration: one zod object, read once from the environment, all faults at once.
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { type IdentityProviderSetting, readIdentityProviders } from './identity-providers.ts';

const loopbackHosts = new Set(['127.0.0.1', 'localhost', '::1']);

const port = z.coerce.number().int().min(1).max(65_535);
const httpUrl = z
  .url({ protocol: /^https?$/ })
  .refine(isBareOrigin, 'must have no path')
  .transform((value) => value.replace(/\/$/, ''));
/** Scheme, host and port only; what is no URL at all has its own fault. */
function isBareOrigin(value: string): boolean {
  return !URL.canParse(value) || new URL(value).href === `${new URL(value).origin}/`;
}

const perMinute = z.coerce.number().int().min(0).max(1_000_000);

/** Every setting by its environment name; `docs/config.md` is generated from the descriptions. */
export const Settings = z.object({
  PORT: port.default(4100).describe('TCP port the HTTP server listens on.'),
  HOST: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address to listen on. Anything but loopback must be asked for.'),
  PUBLIC_URL: httpUrl
    .optional()
    .describe(
      'What the outside calls this house; stored at the first issue. Default: http://HOST:PORT.',
    ),
  PUBLIC_URL_ALIASES: z
    .string()
    .default('')
    .describe('Further accepted base URLs, separated by commas; earlier ones after a move.'),
  DATA_DIR: z
    .string()
    .min(1)
    .default('.data')
    .describe('Folder of the embedded database and files.'),
  KEYS_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of the keys, mode 0700. Default: DATA_DIR/keys.'),
  SIGNER_SOCKET: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Socket at which a process of the role worker or all signs for those of the role api. Default: DATA_DIR/signer.sock.',
    ),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .optional()
    .describe('PostgreSQL 15+, a login role that owns its database. Absent: an embedded server.'),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .optional()
    .describe('Redis for the queue. Absent: the queue runs on PostgreSQL.'),
  ROLE: z
    .enum(['all', 'api', 'worker', 'log'])
    .default('all')
    .describe('What this process does: answer HTTP, run jobs, sequence the log, or all of it.'),
  SAMPLE: z
    .enum(['yunzhu', 'none'])
    .optional()
    .describe(
      'The sample city to load into an empty database. Default: yunzhu when embedded, none in production.',
    ),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('Least severe log line that is written to stdout.'),
  TICKET_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(60)
    .default(10)
    .describe('Working days a department has to answer a person who asks about a look.'),
  TICKET_ESCALATION_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(60)
    .default(5)
    .describe('Working days after that until the auditors get what was not answered.'),
  DISCLOSURE_DELAY_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3650)
    .default(730)
    .describe(
      'Days a lawful delay may keep a look from its subject at most, by the clock of the database: what no case closes is told then.',
    ),
  CITY_TZ: z
    .string()
    .default('Asia/Shanghai')
    .refine(isTimeZone, 'is not a time zone this runtime knows')
    .describe('Time zone of dates such as validTo.'),
  LOG_POLICY: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File with the witnesses of the log (C2SP tlog-policy), who they are and how many are enough. Absent: the log is unwitnessed.',
    ),
  LOG_RETENTION_DAYS: z.coerce
    .number()
    .int()
    .min(1096)
    .max(36_500)
    .default(1096)
    .describe(
      'Days that log entries stay in the database before they may be archived; PIPL art. 56 asks for three years.',
    ),
  LOG_ARCHIVE_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of archived ranges of the log. Default: DATA_DIR/log-archive.'),
  TSA_URL: httpUrlWithPath().optional().describe('An outside RFC 3161 time-stamping service.'),
  RATE_LIMIT: perMinute
    .default(6000)
    .describe('Requests per minute and client; 0 turns the limit off, allowed only on loopback.'),
  RATE_PUBLIC: perMinute
    .default(1200)
    .describe('Requests per minute and address of anonymous callers; 0 as for RATE_LIMIT.'),
  MAX_CONNECTIONS: z.coerce
    .number()
    .int()
    .min(10)
    .max(100_000)
    .default(10_000)
    .describe('Connections held open at once by this process; further ones are dropped.'),
  TRUSTED_PROXIES: z
    .string()
    .default('')
    .describe(
      'Addresses or networks of TLS proxies whose Client-Cert (RFC 9440) and X-Forwarded-For headers are ' +
        'believed, separated by commas. Absent: of nobody, and tokens are bound by DPoP alone.',
    ),
  SECURITY_CONTACT: z
    .url({ protocol: /^(mailto|https|tel)$/, hostname: /.*/ })
    .optional()
    .describe('Whom to tell of a weakness: a mailto:, https: or tel: URI for security.txt.'),
  NODE_ENV: z
    .string()
    .default('development')
    .describe(
      '"production" forbids the local sign-in, the sample city and plain http off loopback.',
    ),
  OIDC_PROVIDERS: z
    .string()
    .default('')
    .describe(
      'Identity providers people may sign in with: a JSON list, or the path of a file with one (identity/README.md).',
    ),
});

function httpUrlWithPath() {
  return z.url({ protocol: /^https?$/ });
}

/** 192.0.2.7, 2001:db8::7, 192.0.2.0/24 or 2001:db8::/32; not the whole world. */
function isAddressOrNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  const longest = family === 4 ? 32 : 128;
  return prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= longest);
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly isLoopback: boolean;
  readonly publicUrl: string;
  readonly publicUrlAliases: readonly string[];
  readonly dataDir: string;
  readonly keysDir: string;
  readonly signerSocket: string;
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
  readonly role: 'all' | 'api' | 'worker' | 'log';
  readonly sample: 'yunzhu' | 'none';
  readonly logLevel: string;
  /** Working days to answer a person's question about a look, and until auditors get it. */
  readonly mostDelayDays: number;
  readonly ticketDays: { readonly answer: number; readonly escalate: number };
  readonly cityTz: string;
  readonly logPolicy: string | undefined;
  readonly logRetentionDays: number;
  readonly logArchiveDir: string;
  readonly tsaUrl: string | undefined;
  readonly rateLimit: number;
  readonly ratePublic: number;
  readonly maxConnections: number;
  readonly trustedProxies: readonly string[];
  readonly securityContact: string | undefined;
  readonly isProduction: boolean;
  /**
   * PINs and passwords open sessions: never in production, and off loopback only in the sample city,
   * so that a house forgotten to be called production has no such door either.
   */
  readonly isLocalSignInAllowed: boolean;
  readonly identityProviders: readonly IdentityProviderSetting[];
}

/** A configuration that cannot work; `faults` names every wrong value, not only the first. */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length} fault(s):\n${faults.map((f) => `  ${f}`).join('\n')}`,
    );
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** Reads and checks the environment; throws ConfigError with all faults. An empty value is unset. */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([key, value]) => key in Settings.shape && value !== ''),
  );
  const parsed = Settings.safeParse(given);
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    );
  }
  const s = parsed.data;
  const isLoopback = loopbackHosts.has(s.HOST);
  const host = s.HOST.includes(':') ? `[${s.HOST}]` : s.HOST;
  const publicUrl = s.PUBLIC_URL ?? `http://${host}:${s.PORT}`;
  const faults: string[] = [];
  for (const name of ['RATE_LIMIT', 'RATE_PUBLIC'] as const) {
    if (s[name] === 0 && !isLoopback)
      faults.push(`${name}: 0 is allowed only while HOST is loopback`);
  }
  const isProduction = s.NODE_ENV === 'production';
  const publicHost = new URL(publicUrl).hostname.replace(/^\[|\]$/g, '');
  if (isProduction && publicUrl.startsWith('http:') && !loopbackHosts.has(publicHost)) {
    faults.push('PUBLIC_URL: production refuses plain http off loopback');
  }
  if (isProduction && s.SAMPLE === 'yunzhu') {
    faults.push('SAMPLE: production refuses the sample city, whose secrets lie in files');
  }
  const hasSampleByDefault = s.DATABASE_URL === undefined && !isProduction;
  const sample = s.SAMPLE ?? (hasSampleByDefault ? 'yunzhu' : 'none');
  const identityProviders = readIdentityProviders(s.OIDC_PROVIDERS, faults);
  const aliases = s.PUBLIC_URL_ALIASES.split(',')
    .map((a) => a.trim())
    .filter(Boolean);
  for (const alias of aliases) {
    if (!httpUrl.safeParse(alias).success)
      faults.push(`PUBLIC_URL_ALIASES: ${alias} is not a base URL`);
  }
  const trustedProxies = s.TRUSTED_PROXIES.split(',')
    .map((proxy) => proxy.trim())
    .filter(Boolean);
  for (const proxy of trustedProxies) {
    if (!isAddressOrNetwork(proxy))
      faults.push(`TRUSTED_PROXIES: ${proxy} is no address and no network`);
  }
  if (faults.length > 0) throw new ConfigError(faults);
  const dataDir = resolve(s.DATA_DIR);
  return Object.freeze({
    port: s.PORT,
    host: s.HOST,
    isLoopback,
    publicUrl,
    publicUrlAliases: Object.freeze(aliases.map((alias) => alias.replace(/\/$/, ''))),
    dataDir,
    keysDir: resolve(s.KEYS_DIR ?? `${dataDir}/keys`),
    signerSocket: resolve(s.SIGNER_SOCKET ?? `${dataDir}/signer.sock`),
    databaseUrl: s.DATABASE_URL,
    redisUrl: s.REDIS_URL,
    role: s.ROLE,
    sample,
    logLevel: s.LOG_LEVEL,
    mostDelayDays: s.DISCLOSURE_DELAY_DAYS,
    ticketDays: Object.freeze({ answer: s.TICKET_DAYS, escalate: s.TICKET_ESCALATION_DAYS }),
    cityTz: s.CITY_TZ,
    logPolicy: s.LOG_POLICY === undefined ? undefined : resolve(s.LOG_POLICY),
    logRetentionDays: s.LOG_RETENTION_DAYS,
    logArchiveDir: resolve(s.LOG_ARCHIVE_DIR ?? `${dataDir}/log-archive`),
    tsaUrl: s.TSA_URL,
    rateLimit: s.RATE_LIMIT,
    ratePublic: s.RATE_PUBLIC,
    maxConnections: s.MAX_CONNECTIONS,
    trustedProxies: Object.freeze(trustedProxies),
    securityContact: s.SECURITY_CONTACT,
    isProduction,
    isLocalSignInAllowed: !isProduction && (sample === 'yunzhu' || loopbackHosts.has(publicHost)),
    identityProviders: Object.freeze(identityProviders),
  });
}
