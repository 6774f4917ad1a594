// docs/config.md and the configuration's refusals.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigError, loadConfig, settingsDocument } from '../../../platform/index.ts';

const root = join(import.meta.dirname, '..', '..', '..');

test('docs/config.md says what the settings say (npm run docs writes it)', async () => {
  expect(await readFile(join(root, 'docs/config.md'), 'utf8')).toBe(settingsDocument());
});

function faultsOf(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('a configuration that cannot work is refused', () => {
  test('with all its faults at once', () => {
    const faults = faultsOf({
      PORT: 'high',
      ROLE: 'boss',
      CITY_TZ: 'Mars/Olympus',
      DATABASE_URL: 'mysql://x/y',
    });
    expect(faults.map((fault) => fault.split(':')[0]).sort()).toEqual([
      'CITY_TZ',
      'DATABASE_URL',
      'PORT',
      'ROLE',
    ]);
  });

  const cases: { environment: NodeJS.ProcessEnv; setting: string }[] = [
    { environment: { RATE_LIMIT: '0', HOST: '0.0.0.0' }, setting: 'RATE_LIMIT' },
    { environment: { RATE_PUBLIC: '0', HOST: '0.0.0.0' }, setting: 'RATE_PUBLIC' },
    { environment: { PUBLIC_URL: 'https://yihao.example/path' }, setting: 'PUBLIC_URL' },
    { environment: { PUBLIC_URL_ALIASES: 'https://a.example,b' }, setting: 'PUBLIC_URL_ALIASES' },
    { environment: { TRUSTED_PROXIES: 'proxy.example' }, setting: 'TRUSTED_PROXIES' },
    { environment: { TRUSTED_PROXIES: '127.0.0.1,::/0' }, setting: 'TRUSTED_PROXIES' },
    { environment: { TRUSTED_PROXIES: '10.0.0.0/33' }, setting: 'TRUSTED_PROXIES' },
    {
      environment: { NODE_ENV: 'production', PUBLIC_URL: 'http://yihao.example' },
      setting: 'PUBLIC_URL',
    },
  ];
  cases.push({ environment: { NODE_ENV: 'production', SAMPLE: 'yunzhu' }, setting: 'SAMPLE' });
  for (const { environment, setting } of cases) {
    test(`${setting} in ${JSON.stringify(environment)}`, () => {
      expect(faultsOf(environment).map((fault) => fault.split(':')[0])).toEqual([setting]);
    });
  }
});

test('the defaults are a house on loopback with its own database and the sample city', () => {
  const config = loadConfig({});
  expect({ ...config, dataDir: '', keysDir: '', signerSocket: '', logArchiveDir: '' }).toEqual({
    port: 4100,
    host: '127.0.0.1',
    isLoopback: true,
    publicUrl: 'http://127.0.0.1:4100',
    publicUrlAliases: [],
    dataDir: '',
    keysDir: '',
    signerSocket: '',
    logArchiveDir: '',
    logRetentionDays: 1096,
    mostDelayDays: 730,
    databaseUrl: undefined,
    redisUrl: undefined,
    role: 'all',
    sample: 'yunzhu',
    logLevel: 'info',
    ticketDays: { answer: 10, escalate: 5 },
    cityTz: 'Asia/Shanghai',
    tsaUrl: undefined,
    trustedProxies: [],
    rateLimit: 6000,
    ratePublic: 1200,
    maxConnections: 10_000,
    securityContact: undefined,
    isProduction: false,
    isLocalSignInAllowed: true,
    identityProviders: [],
  });
});

describe('the local sign-in', () => {
  const https = { PUBLIC_URL: 'https://yihao.example' };
  const cases: [NodeJS.ProcessEnv, isAllowed: boolean, sample: string][] = [
    [{}, true, 'yunzhu'],
    [{ SAMPLE: 'none' }, true, 'none'],
    [{ ...https, SAMPLE: 'yunzhu' }, true, 'yunzhu'],
    // A real house that forgot to say so.
    [{ ...https, SAMPLE: 'none' }, false, 'none'],
    [{ ...https, DATABASE_URL: 'postgres://x/y' }, false, 'none'],
    [{ NODE_ENV: 'production' }, false, 'none'],
    [{ NODE_ENV: 'production', ...https }, false, 'none'],
    [{ NODE_ENV: 'production', SAMPLE: 'none' }, false, 'none'],
  ];
  test.each(cases)(
    'with %j is allowed: %s, and the sample is %s',
    (environment, isAllowed, sample) => {
      const config = loadConfig(environment);
      expect([config.isLocalSignInAllowed, config.sample]).toEqual([isAllowed, sample]);
    },
  );
});

describe('identity providers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'yihao-providers-'));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const secret_file = file('secret', `${'s'.repeat(32)}\n`);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'k1' };
  const key_file = file('key.json', JSON.stringify(jwk));
  const one = {
    id: 'city',
    issuer: 'https://id.example',
    client_id: 'yihao',
    secret_file,
    label: { zh: '统一身份认证', en: 'City sign-in' },
    citizen_id_claim: 'id_number',
  };
  const { secret_file: _, ...withoutSecret } = one;
  const read = (list: unknown) => loadConfig({ OIDC_PROVIDERS: JSON.stringify(list) });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('are read from the setting or from a file, with their keys', () => {
    const path = file('providers.json', JSON.stringify([{ ...withoutSecret, key_file }]));
    expect(loadConfig({ OIDC_PROVIDERS: path }).identityProviders).toEqual([
      {
        id: 'city',
        issuer: 'https://id.example',
        clientId: 'yihao',
        credential: { kind: 'key', jwk },
        label: one.label,
        signsIn: 'people',
        claim: 'id_number',
        scope: 'openid',
        acr: {},
      },
    ]);
    expect(read([one]).identityProviders[0]?.credential).toEqual({
      kind: 'secret',
      secret: 's'.repeat(32),
    });
  });

  const wrong: [string, unknown][] = [
    ['no list', {}],
    ['plain http elsewhere', [{ ...one, issuer: 'http://id.example' }]],
    ['an id that is no word', [{ ...one, id: '../x' }]],
    ['the same id twice', [one, one]],
    ['no credential', [withoutSecret]],
    ['two credentials', [{ ...one, key_file }]],
    ['no claim', [{ ...one, citizen_id_claim: undefined }]],
    ['two claims', [{ ...one, officer_claim: 'sub' }]],
    ['a level that is none', [{ ...one, acr: { x: 'highest' } }]],
    ['a scope without openid', [{ ...one, scope: 'profile' }]],
    ['an unknown member', [{ ...one, secret: 'in the open' }]],
    ['a missing file', [{ ...one, secret_file: join(folder, 'none') }]],
    ['a short secret', [{ ...one, secret_file: file('short', 'hunter2') }]],
    ['a public key', [{ ...withoutSecret, key_file: file('p', JSON.stringify({ ...jwk, d: 1 })) }]],
  ];
  test.each(wrong)('are refused with %s, and no secret is quoted', (_what, list) => {
    const faults = faultsOf({ OIDC_PROVIDERS: JSON.stringify(list) });
    expect(faults.length).toBeGreaterThan(0);
    for (const fault of faults) expect(fault).toMatch(/^OIDC_PROVIDERS: /);
    expect(faults.join()).not.toMatch(/hunter2|in the open/);
  });

  test('are refused when the setting is neither list nor file', () => {
    expect(faultsOf({ OIDC_PROVIDERS: '/nowhere/providers.json' })).toHaveLength(1);
    expect(faultsOf({ OIDC_PROVIDERS: '[broken' })).toHaveLength(1);
  });
});
