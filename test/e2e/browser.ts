// A running house and a headless Chromium for the page tests and the screenshots.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { z } from 'zod';
import { findOrStart } from '../../cli/instance.ts';
import {
  createMachineClient,
  type MachineClient,
  readClientFile,
} from '../../cli/machine-client.ts';
import { PersonFile } from '../../cli/person-client.ts';
import { loadConfig } from '../../platform/index.ts';

const Officers = z.array(z.object({ key: z.string(), username: z.string(), password: z.string() }));

export interface PageHouse {
  baseUrl: string;
  dataDir: string;
  browser: Browser;
  /** A signed-in page of a citizen (`p-divorced`) or an officer (`housing-desk-1`). */
  signedIn(key: string, options?: PageOptions): Promise<Page>;
  open(options?: PageOptions): Promise<Page>;
  /** The citizen ID or unified social credit code of one of the sample's people. */
  numberOf(key: string): Promise<string>;
  /** A department's system. */
  client(id: string): Promise<MachineClient>;
  close(): Promise<void>;
}

export interface PageOptions {
  lang?: 'zh' | 'en';
  isPhone?: boolean;
  hasScript?: boolean;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/**
 * Starts a house of its own on a free port, with the sample city, and a browser. It calls itself by its
 * address, or by the name of `host`.
 */
export async function openPageHouse({ host }: { host?: 'localhost' } = {}): Promise<PageHouse> {
  const dataDir = await mkdtemp(join(tmpdir(), 'yihao-pages-'));
  process.env.DATA_DIR = dataDir;
  process.env.PORT = String(await freePort());
  process.env.LOG_LEVEL = 'warn';
  if (host !== undefined) process.env.PUBLIC_URL = `http://${host}:${process.env.PORT}`;
  const instance = await findOrStart(loadConfig(), () => {});
  const baseUrl = process.env.PUBLIC_URL ?? instance.baseUrl;
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

  async function open({
    lang = 'zh',
    isPhone = false,
    hasScript = true,
  }: PageOptions = {}): Promise<Page> {
    const context = await browser.newContext({
      baseURL: baseUrl,
      javaScriptEnabled: hasScript,
      viewport: isPhone ? { width: 360, height: 740 } : { width: 1280, height: 900 },
    });
    await context.addCookies([{ name: 'yihao_lang', value: lang, url: baseUrl }]);
    return context.newPage();
  }

  async function personNamed(key: string) {
    const file = await readFile(join(dataDir, 'people.json'), 'utf8');
    return PersonFile.parse(JSON.parse(file)).find((candidate) => candidate.key === key);
  }

  async function signedIn(key: string, options?: PageOptions): Promise<Page> {
    const officers = Officers.parse(
      JSON.parse(await readFile(join(dataDir, 'officers.json'), 'utf8')),
    );
    const page = await open(options);
    await page.goto('/sign-in');
    const person = await personNamed(key);
    const officer = officers.find((candidate) => candidate.key === key);
    if (person) {
      await page.selectOption('select[name=scheme]', person.scheme);
      await page.fill('input[name=value]', person.value);
      await page.fill('input[name=pin]', person.pin);
      await page.press('input[name=pin]', 'Enter');
    } else if (officer) {
      await page.fill('input[name=username]', officer.username);
      await page.fill('input[name=password]', officer.password);
      await page.press('input[name=password]', 'Enter');
    } else throw new TypeError(`There is nobody called ${key} in the sample city.`);
    await page.waitForURL((url) => url.pathname !== '/sign-in');
    return page;
  }

  return {
    baseUrl,
    dataDir,
    browser,
    open,
    signedIn,
    numberOf: async (key) => {
      const person = await personNamed(key);
      if (!person) throw new TypeError(`There is nobody called ${key} in the sample city.`);
      return person.value;
    },
    client: async (id) =>
      createMachineClient(await readClientFile(join(dataDir, 'clients', `${id}.json`)), {
        baseUrl,
      }),
    close: async () => {
      await browser.close();
      await instance.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
