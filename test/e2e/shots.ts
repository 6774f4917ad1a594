// `npm run shots`: every page and state as a picture, in both languages, phone and desk, into .shots/.
// `npm run shots -- me zh desk` takes only those whose file name holds all the words.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { openPageHouse, type PageHouse } from './browser.ts';

const folder = join(import.meta.dirname, '..', '..', '.shots');
const words = process.argv.slice(2);

/** A state of a page: who sees it, where, and what is done there before the picture. */
interface Shot {
  name: string;
  who: string | null;
  path: string;
  act?: (page: Page, house: PageHouse) => Promise<unknown>;
}

const OwnLicences = z.object({
  items: z.array(z.object({ type: z.string(), number: z.string(), verificationCode: z.string() })),
});

const submit = (page: Page) => page.click('main form.stack button[type=submit]');

async function ask(page: Page, house: PageHouse, caseId: string, declared = 'never_registered') {
  await page.fill('input[name=subject-value]', await house.numberOf('p-divorced'));
  await page.selectOption('select[name=params-declared]', declared);
  await page.fill('input[name=purpose]', '公共租赁住房资格审核');
  await page.fill('input[name=caseId]', caseId);
  await submit(page);
}

async function codeOf(house: PageHouse, key: string, nth = 0): Promise<string> {
  const page = await house.signedIn(key);
  const code = await page.locator('.licence code').nth(nth).textContent();
  await page.context().close();
  return code ?? '';
}

async function check(page: Page, code: string) {
  await page.fill('input[name=code]', code);
  await submit(page);
}

const shots: Shot[] = [
  { name: 'home', who: null, path: '/' },
  { name: 'home-citizen', who: 'p-divorced', path: '/' },
  { name: 'sign-in', who: null, path: '/sign-in' },
  {
    name: 'sign-in-wrong',
    who: null,
    path: '/sign-in',
    act: async (page) => {
      await page.fill('input[name=value]', '990101199001010019');
      await page.fill('input[name=pin]', '000000');
      await page.press('input[name=pin]', 'Enter');
    },
  },
  { name: 'verify', who: null, path: '/verify' },
  {
    name: 'verify-genuine',
    who: null,
    path: '/verify',
    act: async (page, house) => check(page, await codeOf(house, 'p-divorced')),
  },
  {
    name: 'verify-compared',
    who: null,
    path: '/verify',
    act: async (page, house) => {
      await check(page, await codeOf(house, 'p-divorced'));
      await page.fill('input[name=holderName]', '王小二');
      await page.click('form[action="/verify/compare"] button');
    },
  },
  {
    name: 'verify-unknown',
    who: null,
    path: '/verify',
    act: (page) => check(page, '0000000000000000'),
  },
  {
    name: 'verify-revoked',
    who: null,
    path: '/verify',
    act: async (page) => check(page, revokedCode),
  },
  { name: 'catalogue', who: null, path: '/catalogue' },
  { name: 'catalogue-found', who: null, path: '/catalogue?q=许可' },
  { name: 'catalogue-none', who: null, path: '/catalogue?q=zzzz' },
  {
    name: 'dataset',
    who: null,
    path: '/catalogue',
    act: (page) => page.click('main ul.plain a'),
  },
  { name: 'docs', who: null, path: '/docs' },
  { name: 'error-404', who: null, path: '/nothing' },
  { name: 'error-403', who: 'p-divorced', path: '/desk' },
  { name: 'me', who: 'p-divorced', path: '/me' },
  { name: 'desk', who: 'housing-desk-1', path: '/desk' },
  { name: 'desk-ask', who: 'housing-desk-1', path: '/desk?service=VS-MARITAL' },
  {
    name: 'desk-wrong',
    who: 'housing-desk-1',
    path: '/desk?service=VS-MARITAL',
    act: async (page) => {
      await page.fill('input[name=subject-value]', '990101199001010010');
      await page.fill('input[name=purpose]', '公共租赁住房资格审核');
      await page.fill('input[name=caseId]', 'H 2026 1');
      await submit(page);
    },
  },
  {
    name: 'desk-answer',
    who: 'housing-desk-1',
    path: '/desk?service=VS-MARITAL',
    act: (page, house) => ask(page, house, 'H-2026-000117'),
  },
  { name: 'audit', who: 'audit-auditor-1', path: '/audit' },
  {
    name: 'audit-found',
    who: 'audit-auditor-1',
    path: '/audit',
    act: async (page) => {
      await page.fill('input[name=caseId]', 'H-2026-000117');
      await submit(page);
    },
  },
  {
    name: 'audit-wrong',
    who: 'audit-auditor-1',
    path: '/audit',
    act: async (page, house) => {
      await page.fill('input[name=subject]', await house.numberOf('p-divorced'));
      await submit(page);
    },
  },
  {
    name: 'audit-integrity',
    who: 'audit-auditor-1',
    path: '/audit',
    act: (page) => page.click('form[action="/audit/integrity"] button'),
  },
];

/** A licence of p-founder's is revoked, so that one can be looked up. */
async function revokeOne(): Promise<string> {
  const page = await house.signedIn('p-founder');
  const { items } = OwnLicences.parse(await (await page.request.get('/v1/me/licences')).json());
  await page.context().close();
  const licence = items.find(({ type }) => type === 'LT-HEALTHCERT');
  if (!licence) throw new TypeError('p-founder holds no health certificate.');
  const health = await house.client('health');
  const body = { reason: '从业人员调离岗位', legalBasis: 'LB-716-7' };
  await health.call('POST', `/v1/licences/${licence.number}/revoke`, body);
  return licence.verificationCode;
}

/** Housing asks what p-divorced must agree to, and waits. */
async function askForConsent(): Promise<void> {
  const housing = await house.client('housing');
  await housing.call('POST', '/v1/verifications', {
    service: 'VS-NOHOME',
    subject: { scheme: 'cn-id', value: await house.numberOf('p-divorced') },
    params: { scope: 'city' },
    legalBasis: 'LB-PRH',
    purpose: '公共租赁住房资格审核',
    caseId: 'H-2026-000118',
  });
}

await mkdir(folder, { recursive: true });
const house = await openPageHouse();
const revokedCode = await revokeOne();
await askForConsent();
try {
  for (const lang of ['zh', 'en'] as const) {
    for (const isPhone of [false, true]) {
      for (const { name, who, path, act } of shots) {
        const file = `${name}-${lang}-${isPhone ? 'phone' : 'desk'}.png`;
        if (!words.every((word) => file.includes(word))) continue;
        const page = who
          ? await house.signedIn(who, { lang, isPhone })
          : await house.open({ lang, isPhone });
        await page.goto(path);
        await act?.(page, house);
        await page.waitForLoadState();
        await page.screenshot({ path: join(folder, file), fullPage: true });
        console.log(file);
        await page.context().close();
      }
    }
  }
} finally {
  await house.close();
}
