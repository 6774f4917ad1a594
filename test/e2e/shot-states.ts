// What has happened in the city before its pages are photographed: somebody waits for every decision.
import { generateKeyPairSync } from 'node:crypto';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import type { PageHouse } from './browser.ts';

const OwnLicences = z.object({
  items: z.array(z.object({ type: z.string(), number: z.string(), verificationCode: z.string() })),
});

export const send = (page: Page) => page.click('main form.stack button[type=submit]');

/** Does something as somebody, in a session of its own. */
async function as(house: PageHouse, who: string, act: (page: Page) => Promise<unknown>) {
  const page = await house.signedIn(who);
  await act(page);
  await page.context().close();
}

/** A licence of p-founder's is revoked, so that one can be looked up; gives its code. */
export async function revokeOne(house: PageHouse): Promise<string> {
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
export async function askForConsent(house: PageHouse): Promise<void> {
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

/** Fills in the form that lets p-elder act. */
export async function letElderAct(page: Page, house: PageHouse): Promise<void> {
  await page.fill('input[name=agent-value]', await house.numberOf('p-elder'));
  await page.check('input[name="item-licences.view"]');
  await page.check('input[name="item-consents.answer"]');
  await page.fill('input[name=validTo]', dayFromNow(90));
}

const dayFromNow = (days: number) =>
  new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

/** p-elder may act for p-divorced, and is asked by p-newlywed. */
export async function delegate(house: PageHouse): Promise<void> {
  for (const principal of ['p-divorced', 'p-newlywed']) {
    await as(house, principal, async (page) => {
      await page.goto('/me/delegations');
      await letElderAct(page, house);
      await send(page);
    });
    if (principal === 'p-divorced') {
      await as(house, 'p-elder', async (page) => {
        await page.goto('/me/delegations');
        await page.click('button[value=accept]');
      });
    }
  }
}

/** Fills in an emergency about p-divorced's divorce. */
export async function emergency(page: Page, house: PageHouse): Promise<void> {
  await page.goto('/desk/emergencies?type=LT-DIVORCE');
  await page.fill('input[name=subject-value]', await house.numberOf('p-divorced'));
  await page.locator('#fields input').first().check();
  await page.fill('input[name=reason]', '患者昏迷送医，需确认近亲属以签署手术同意书');
  await page.fill('input[name=caseId]', 'ER-2026-0042');
  await page.fill('input[name=legalBasis]', 'LB-716-7');
}

/** Two emergencies at health: one reviewed, one to review. */
export async function openEmergencies(house: PageHouse): Promise<void> {
  for (const who of ['health-desk-2', 'health-desk-1']) {
    await as(house, who, async (page) => {
      await emergency(page, house);
      await send(page);
      await page.click('form[action$="/read"] button');
    });
    if (who === 'health-desk-1') continue;
    await as(house, 'health-approver-1', async (page) => {
      await page.goto('/desk/emergencies');
      await page.fill('input[name=note]', '核对急诊记录，情况属实');
      await send(page);
    });
  }
}

/** A role asked for, a client's change proposed, one held, one suspended, one hold placed. */
export async function operate(house: PageHouse): Promise<void> {
  await as(house, 'govsvc-operator-1', async (page) => {
    await page.goto('/ops/rights/officers/housing-desk-2');
    await page.selectOption('select[name=role]', 'approver');
    await page.fill('input[name=reason]', '轮岗，接替审批岗位');
    await send(page);
    await page.goto('/ops/rights/officers/tax-desk-2');
    await page.fill('#leave-reason', '调离本单位');
    await page.click('form[action$="/leave"] button');
    for (const path of ['veterans/suspend', 'dpf/suspend', 'tax/hold']) {
      await page.goto(`/ops/clients/${path}`);
      await page.fill('input[name=reason]', '系统迁移，按部门来函办理');
      await send(page);
    }
    await page.goto('/ops/erasures');
    const hold = page.locator('form[action="/ops/erasures/holds"]');
    await hold.locator('input[name=value]').fill(await house.numberOf('p-elder'));
    await hold.locator('input[name=reason]').fill('行政复议期间须保存');
    await hold.locator('button').click();
  });
  await as(house, 'govsvc-operator-2', async (page) => {
    await page.goto('/ops/clients');
    await page.click('a[href^="/ops/clients/changes/"]:has-text("veterans")');
    await page.fill('input[name=reason]', '已与部门电话核实');
    await page.click('button[value=approve]');
  });
}

/** Two unmaskings and two exports, one of each approved; a search that is kept. */
export async function watch(house: PageHouse): Promise<void> {
  const found = async (page: Page, type = '') => {
    await page.goto('/audit');
    await page.selectOption('select[name=department]', 'health');
    await page.click('main form summary');
    await page.selectOption('select[name=type]', type);
    await send(page);
  };
  for (const isApproved of [true, false]) {
    const paths: string[] = [];
    await as(house, 'audit-auditor-1', async (page) => {
      await found(page);
      await page.fill('#export-reason', '年度检查');
      await page.click('form[action="/audit/exports"] button');
      await page.waitForURL(/\/audit\/exports\/./);
      paths.push(new URL(page.url()).pathname);
      await found(page, 'emergency.read');
      const asked = page.locator('main a[href^="/audit/unmaskings?index="]');
      await asked.nth(isApproved ? 0 : 1).click();
      await page.fill('main input[name=reason]', '投诉 17 号');
      await send(page);
      paths.push(new URL(page.url()).pathname);
      if (!isApproved) return;
      await found(page);
      await page.fill('#save-name', '卫健部门的查看');
      await page.click('form[action="/audit/searches"] button');
    });
    if (!isApproved) return;
    await as(house, 'audit-auditor-2', async (page) => {
      for (const path of paths) {
        await page.goto(path);
        await page.click('button[value=approve]');
      }
    });
  }
}

/** health-desk-2's browser makes a passkey (WebAuthn level 3, section 11). */
export async function addPasskey(house: PageHouse): Promise<void> {
  await as(house, 'health-desk-2', async (page) => {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    await page.goto('/desk/passkeys');
    await page.click('form[action="/desk/passkeys/start"] button');
    await page.fill('input[name=label]', '办公室电脑');
    await page.click('form[data-passkey] button');
    await page.waitForURL((url) => url.pathname === '/desk/passkeys');
  });
}

/** A portal is registered and held, and the passkeys of health-desk-2 are said to be lost. */
export async function holdAndReset(house: PageHouse): Promise<void> {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'portal-1', alg: 'ES256', use: 'sig' };
  let change = '';
  await as(house, 'govsvc-operator-1', async (page) => {
    await page.goto('/ops/parties/new');
    await page.fill('input[name=client]', 'portal');
    await page.fill('input[name=nameZh]', '政务服务门户');
    await page.fill('input[name=nameEn]', 'Government service portal');
    await page.fill('textarea[name=redirectUris]', 'https://portal.example/signed-in');
    await page.fill('input[name=backchannelLogoutUri]', 'https://portal.example/signed-out');
    await page.fill('textarea[name=keys]', JSON.stringify({ keys: [key] }));
    await page.fill('input[name=reason]', '门户接入统一登录');
    await send(page);
    await page.waitForURL((url) => url.pathname.startsWith('/ops/clients/changes/'));
    change = new URL(page.url()).pathname;
  });
  await as(house, 'govsvc-operator-2', async (page) => {
    await page.goto(change);
    await page.fill('input[name=reason]', '已与部门电话核实');
    await page.click('button[value=approve]');
  });
  await as(house, 'govsvc-operator-1', async (page) => {
    await page.goto('/ops/parties/portal/hold_party');
    await page.fill('input[name=reason]', '疑似密钥泄露，先行停用');
    await send(page);
    await page.goto('/ops/rights/officers/health-desk-2');
    await page.fill('#reset-reason', '安全密钥遗失，已电话核实');
    await page.click('form[action$="/reset"] button');
    await page.waitForURL((url) => url.pathname === '/ops/rights');
  });
}

/** Whoever may act for another, a person or her company, begins to. */
export async function beginActing(page: Page): Promise<void> {
  await page.goto('/me/delegations');
  const button = page.locator('form[action$="/act-for"] button');
  if ((await button.count()) === 0) await page.goto('/org');
  await button.first().click();
  await page.waitForURL((url) => url.pathname === '/me');
}
