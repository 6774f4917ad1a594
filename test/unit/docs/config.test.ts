// docs/config.md and the configuration's refusals.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
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
  for (const { environment, setting } of cases) {
    test(`${setting} in ${JSON.stringify(environment)}`, () => {
      expect(faultsOf(environment).map((fault) => fault.split(':')[0])).toEqual([setting]);
    });
  }
});

test('the defaults are a house on loopback with its own database and the sample city', () => {
  const config = loadConfig({});
  expect({ ...config, dataDir: '', keysDir: '' }).toEqual({
    port: 4100,
    host: '127.0.0.1',
    isLoopback: true,
    publicUrl: 'http://127.0.0.1:4100',
    publicUrlAliases: [],
    dataDir: '',
    keysDir: '',
    databaseUrl: undefined,
    redisUrl: undefined,
    role: 'all',
    sample: 'yunzhu',
    logLevel: 'info',
    cityTz: 'Asia/Shanghai',
    tsaUrl: undefined,
    trustedProxies: [],
    rateLimit: 6000,
    ratePublic: 1200,
    maxConnections: 10_000,
    isProduction: false,
  });
});
