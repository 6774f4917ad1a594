// The setting OIDC_PROVIDERS: identity providers elsewhere that people may sign in with, any number of
// them, each an OpenID Connect issuer. Read and checked with the rest of the configuration.
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const AssuranceLevel = z.enum(['low', 'substantial', 'high']);

const EcPrivateJwk = z.looseObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
  kid: z.string().optional(),
});

const Entry = z
  .strictObject({
    id: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
    issuer: z.url().refine(isSafeUrl, 'must be https, or http on loopback'),
    client_id: z.string().min(1),
    key_file: z.string().min(1).optional(),
    secret_file: z.string().min(1).optional(),
    label: z.strictObject({ zh: z.string().min(1).max(40), en: z.string().min(1).max(60) }),
    citizen_id_claim: z.string().min(1).optional(),
    officer_claim: z.string().min(1).optional(),
    scope: z.string().default('openid'),
    acr: z.record(z.string(), AssuranceLevel).default({}),
  })
  .refine((one) => (one.key_file === undefined) !== (one.secret_file === undefined), {
    message: 'needs key_file (an ES256 private JWK) or secret_file, not both',
  })
  .refine((one) => (one.citizen_id_claim === undefined) !== (one.officer_claim === undefined), {
    message: 'needs citizen_id_claim (for people) or officer_claim (for officers), not both',
  })
  .refine((one) => one.scope.split(' ').includes('openid'), {
    path: ['scope'],
    message: 'must hold openid',
  });

/** A provider as the house uses it. */
export interface IdentityProviderSetting {
  readonly id: string;
  readonly issuer: string;
  readonly clientId: string;
  /** What we authenticate with there: private_key_jwt by an ES256 key, or a shared secret. */
  readonly credential:
    | { readonly kind: 'key'; readonly jwk: z.infer<typeof EcPrivateJwk> }
    | { readonly kind: 'secret'; readonly secret: string };
  readonly label: { readonly zh: string; readonly en: string };
  /** Whom it knows: people by the claim that holds the citizen ID, officers by their user name. */
  readonly signsIn: 'people' | 'officers';
  readonly claim: string;
  readonly scope: string;
  /** Its acr values as our levels; what isn't listed is low. */
  readonly acr: Readonly<Record<string, z.infer<typeof AssuranceLevel>>>;
}

/** Reads the setting: a JSON list, or the path of a file with one; '' is none. Pushes what is wrong. */
export function readIdentityProviders(
  setting: string,
  faults: string[],
): IdentityProviderSetting[] {
  if (setting.trim() === '') return [];
  const fault = (what: string) => faults.push(`OIDC_PROVIDERS: ${what}`);
  let list: unknown;
  try {
    list = JSON.parse(setting.trim().startsWith('[') ? setting : readFileSync(setting, 'utf8'));
  } catch {
    fault('is neither a JSON list nor a readable file with one');
    return [];
  }
  const parsed = z.array(Entry).safeParse(list);
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) fault(`${path.join('.')}: ${message}`);
    return [];
  }
  const ids = parsed.data.map(({ id }) => id);
  if (new Set(ids).size < ids.length) fault('two providers have the same id');
  return parsed.data.flatMap((entry) => {
    const credential = readCredential(entry, (what) => fault(`${entry.id}: ${what}`));
    if (credential === null) return [];
    const { id, issuer, client_id, label, citizen_id_claim, officer_claim, scope, acr } = entry;
    const whom =
      officer_claim === undefined
        ? { signsIn: 'people' as const, claim: citizen_id_claim ?? '' }
        : { signsIn: 'officers' as const, claim: officer_claim };
    return [{ id, issuer, clientId: client_id, credential, label, ...whom, scope, acr }];
  });
}

function readCredential(
  { key_file, secret_file }: z.infer<typeof Entry>,
  fault: (what: string) => void,
): IdentityProviderSetting['credential'] | null {
  try {
    if (secret_file !== undefined) {
      const secret = readFileSync(secret_file, 'utf8').trim();
      if (secret.length >= 32) return { kind: 'secret', secret };
      fault('secret_file must hold 32 characters or more');
      return null;
    }
    const jwk = EcPrivateJwk.parse(JSON.parse(readFileSync(key_file ?? '', 'utf8')));
    return { kind: 'key', jwk };
  } catch {
    // Never with the cause: it might quote the file.
    fault('its key_file or secret_file can’t be read, or holds no P-256 private JWK');
    return null;
  }
}

function isSafeUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname } = new URL(value);
  const isLoopback = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback);
}
