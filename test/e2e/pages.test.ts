// The pages as people use them: a citizen, an officer, an auditor and anyone, in a real browser.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPageHouse, type PageHouse } from './browser.ts';
import { faultsOf } from './page-faults.ts';

let house: PageHouse;

beforeAll(async () => {
  house = await openPageHouse();
}, 120_000);

afterAll(() => house?.close());

async function ask(page: Page, caseId: string): Promise<void> {
  await page.goto('/desk?service=VS-MARITAL');
  await page.fill('input[name=subject-value]', await house.numberOf('p-divorced'));
  await page.selectOption('select[name=params-declared]', 'never_registered');
  await page.fill('input[name=purpose]', '公租房资格审核');
  await page.fill('input[name=caseId]', caseId);
  await page.click('main form.stack button[type=submit]');
  await page.waitForURL(/\/desk\/verifications\//);
}

describe('an officer', () => {
  test('asks, and sees the least answer, with script and without', async () => {
    for (const hasScript of [true, false]) {
      const page = await house.signedIn('housing-desk-1', { hasScript });
      await ask(page, `E2E-${hasScript}`);
      const answer = await page.textContent('main .card');
      expect(answer).toContain('已答复');
      expect(answer).toMatch(/是否一致\s*否/);
      await page.context().close();
    }
  });

  test('gets a refused form back with what was typed and a line that leads to the field', async () => {
    const page = await house.signedIn('housing-desk-1', { lang: 'en' });
    await page.goto('/desk?service=VS-MARITAL');
    await page.fill('input[name=subject-value]', '990101199001010010');
    await page.fill('input[name=purpose]', 'housing');
    await page.fill('input[name=caseId]', 'E2E-wrong');
    await page.click('main form.stack button[type=submit]');
    await page.click('.summary a');
    expect(await page.inputValue('input[name=subject-value]')).toBe('990101199001010010');
    await page.context().close();
  });
});

describe('a citizen', () => {
  test('sees her licences, and that housing looked, why, and on what basis', async () => {
    const officer = await house.signedIn('housing-desk-1');
    await ask(officer, 'E2E-look');
    await officer.context().close();
    const page = await house.signedIn('p-divorced');
    expect(await page.textContent('main')).toContain('离婚证');
    const looks = await page.textContent('table');
    expect(looks).toContain('云珠市住房和城乡建设局');
    expect(looks).toContain('公租房资格审核');
    await page.context().close();
  });
});

describe('an auditor', () => {
  test('finds the look by its case and checks the log', async () => {
    const officer = await house.signedIn('housing-desk-1');
    await ask(officer, 'E2E-audit');
    await officer.context().close();
    const page = await house.signedIn('audit-auditor-1');
    await page.fill('input[name=caseId]', 'E2E-audit');
    await page.click('main form.stack button[type=submit]');
    expect(await page.textContent('table')).toContain('婚姻登记状况核查');
    await page.goto('/audit/integrity');
    await page.click('form[action="/audit/integrity"] button');
    await page.waitForSelector('.notice.good');
    expect(await page.textContent('.notice.good')).toContain('完好');
    await page.context().close();
  });
});

describe('an auditor who waits', () => {
  test('sees a replay end where she stands: the page asks again by itself', async () => {
    const page = await house.signedIn('audit-auditor-1');
    await page.goto('/audit/rules?rule=no-case');
    await page.fill('input[name=from]', '2026-01-01');
    await page.fill('input[name=to]', '2099-12-31');
    await page.click('button[value=rehearse]');
    await page.waitForURL(/\/audit\/replays\/./);
    await page.evaluate(() => document.documentElement.setAttribute('data-seen', 'yes'));
    await page.waitForFunction(() => !document.querySelector('[data-again]'));
    expect(await page.getAttribute('html', 'data-seen')).toBe('yes');
    await page.context().close();
  });
});

describe('anyone', () => {
  test('checks a licence by its code, from the address fragment too', async () => {
    const citizen = await house.signedIn('p-divorced');
    const code = (await citizen.textContent('.licence code')) ?? '';
    expect(code).toMatch(/^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/);
    await citizen.context().close();
    const typed = await house.open({ hasScript: false });
    await typed.goto('/verify');
    await typed.fill('input[name=code]', code.toLowerCase());
    await typed.press('input[name=code]', 'Enter');
    expect(await typed.textContent('.verdict')).toBe('真实有效');
    await typed.context().close();
    const scanned = await house.open();
    await scanned.goto(`/verify#${code}`);
    await scanned.waitForSelector('.verdict');
    expect(await scanned.textContent('.verdict')).toBe('真实有效');
    await scanned.context().close();
  });

  test('finds a dataset by a Chinese word', async () => {
    const page = await house.open();
    await page.goto('/catalogue');
    await page.fill('input[name=q]', '证照');
    await page.press('input[name=q]', 'Enter');
    await page.click('main ul.plain a');
    expect(await page.textContent('h1')).toContain('证照');
    await page.context().close();
  });

  test('is asked to sign in where a page is somebody’s', async () => {
    const page = await house.open();
    for (const path of ['/me', '/desk', '/audit']) {
      await page.goto(path);
      expect(new URL(page.url()).pathname).toBe('/sign-in');
    }
    await page.context().close();
  });
});

describe('a legal representative', () => {
  test('acts for her company, sees whose pages she reads, and stops', async () => {
    const page = await house.signedIn('p-founder');
    await page.goto('/me');
    await page.click('main a[href="/org"]');
    const company = (await page.textContent('main section h2')) ?? '';
    await page.click('form[action$="/act-for"] button');
    await page.waitForURL((url) => url.pathname === '/me');
    expect(await page.textContent('section.acting')).toContain(company);
    expect(await page.textContent('h1')).toBe(`${company}的证照`);
    const text = await page.textContent('main');
    expect(text).toContain('营业执照');
    expect(text).not.toContain('我的证照');
    await page.click('section.acting button');
    await page.goto('/me');
    expect(await page.textContent('h1')).toBe('我的证照');
    expect(await page.locator('section.acting').count()).toBe(0);
    await page.context().close();
  });
});

/** Presses Tab until the thing has the focus, as somebody without a mouse does. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 150; presses += 1) {
    if ((await page.locator(`${selector}:focus`).count()) > 0) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`The keyboard does not reach ${selector}.`);
}

describe('two operators', () => {
  test('give a role by the keyboard alone: one asks, only the other can decide', async () => {
    const reason = '轮岗，接替审批岗位';
    const asking = await house.signedIn('govsvc-operator-1');
    await asking.goto('/ops/rights/officers/tax-desk-1');
    await tabTo(asking, 'select[name=role]');
    await asking.selectOption('select[name=role]', 'approver');
    await tabTo(asking, 'input[name=validTo]');
    await tabTo(asking, '#reason');
    await asking.keyboard.type(reason);
    await asking.keyboard.press('Enter');
    await asking.waitForURL((url) => url.pathname === '/ops/rights');
    const own = asking.locator('main li', { hasText: reason });
    expect(await own.textContent()).toContain('须另一名运维人员决定');
    expect(await own.locator('form').count()).toBe(0);
    await asking.context().close();

    const deciding = await house.signedIn('govsvc-operator-2');
    await deciding.goto('/ops/rights');
    expect(await faultsOf(deciding)).toEqual([]);
    await tabTo(deciding, 'input[name=reason]');
    await deciding.keyboard.type('已核对调令');
    await tabTo(deciding, 'button[value=approve]');
    await deciding.keyboard.press('Enter');
    await deciding.waitForSelector('text=没有待决定的申请。');
    await deciding.goto('/ops/rights/officers/tax-desk-1');
    expect(await deciding.textContent('main ul')).toContain('审批人员');
    await deciding.context().close();
  });
});

describe('every page', () => {
  const visits: { who: string | null; paths: string[] }[] = [
    { who: null, paths: ['/', '/sign-in', '/verify', '/catalogue', '/docs'] },
    {
      who: 'p-newlywed',
      paths: [
        ...['/me', '/me/sessions', '/me/delegations', '/me/tickets', '/me/completeness'],
        '/org',
      ],
    },
    { who: 'civil-issuer-1', paths: ['/desk/licences'] },
    { who: 'civil-provider-1', paths: ['/desk/questions'] },
    { who: 'civil-steward-1', paths: ['/desk/tickets', '/desk/post'] },
    { who: 'p-founder', paths: ['/org'] },
    {
      who: 'health-desk-2',
      paths: [
        ...['/desk', '/desk?service=VS-MARITAL', '/desk/sessions', '/desk/passkeys', '/desk/post'],
        ...['/desk/cases', '/desk/emergencies', '/desk/emergencies?type=LT-DIVORCE'],
      ],
    },
    {
      who: 'audit-auditor-2',
      paths: [
        '/audit',
        '/audit/alerts',
        '/audit/rules',
        '/audit/replays',
        '/audit/watch-list',
        '/audit/emergencies',
        ...['/audit/searches', '/audit/unmaskings', '/audit/exports', '/audit/tickets'],
        ...['/audit/samples', '/audit/integrity'],
      ],
    },
    {
      who: 'govsvc-operator-1',
      paths: [
        ...['/ops', '/ops/clients', '/ops/clients/new', '/ops/clients/tax'],
        ...['/ops/clients/tax/rotate_keys', '/ops/clients/tax/change_scopes', '/ops/erasures'],
        ...['/ops/rights', '/ops/rights/officers/tax-desk-1'],
        ...['/ops/parties', '/ops/parties/terminal', '/ops/parties/new'],
      ],
    },
  ];

  for (const lang of ['zh', 'en'] as const) {
    for (const isPhone of [false, true]) {
      test(`fits and is accessible: ${lang}, ${isPhone ? 'phone' : 'desk'}`, async () => {
        for (const { who, paths } of visits) {
          const page = who
            ? await house.signedIn(who, { lang, isPhone })
            : await house.open({ lang, isPhone });
          const faults: string[] = [];
          page.on('console', (message) => {
            if (message.type() === 'error') faults.push(message.text());
          });
          page.on('pageerror', (error) => faults.push(error.message));
          for (const path of paths) {
            const reply = await page.goto(path);
            expect(`${path} ${reply?.status()}`).toBe(`${path} 200`);
            expect([path, await faultsOf(page)]).toEqual([path, []]);
          }
          expect(faults).toEqual([]);
          await page.context().close();
        }
      });
    }
  }
});
