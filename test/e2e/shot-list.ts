// Every page and state worth a picture; the states of shot-states.ts have come to pass before.
import type { Page } from 'playwright-core';
import type { PageHouse } from './browser.ts';
import { emergency, letElderAct, send } from './shot-states.ts';

/** The house, and what its states left behind. */
export type ShotHouse = PageHouse & { revokedCode: string };

/** A state of a page: who sees it, where, and what is done there before the picture. */
export interface Shot {
  name: string;
  who: string | null;
  /** A session apart, named here, in which something has been begun (`begins`). */
  session?: string;
  path: string;
  act?: (page: Page, house: ShotHouse) => Promise<unknown>;
}

async function ask(page: Page, house: ShotHouse, caseId: string, declared = 'never_registered') {
  await page.fill('input[name=subject-value]', await house.numberOf('p-divorced'));
  await page.selectOption('select[name=params-declared]', declared);
  await page.fill('input[name=purpose]', '公共租赁住房资格审核');
  await page.fill('input[name=caseId]', caseId);
  await send(page);
}

async function codeOf(house: ShotHouse, key: string, nth = 0): Promise<string> {
  const page = await house.signedIn(key);
  const code = await page.locator('.licence code').nth(nth).textContent();
  await page.context().close();
  return code ?? '';
}

async function divorceNumber(house: ShotHouse): Promise<string> {
  const page = await house.signedIn('p-divorced');
  const licence = page.locator('.licence', { hasText: '离婚证' });
  const number = await licence.locator('code').nth(1).textContent();
  await page.context().close();
  return number ?? '';
}

async function check(page: Page, code: string) {
  await page.fill('input[name=code]', code);
  await send(page);
}

/** Uploads a citizen's own document to be checked, as it is or changed. */
async function checkDocument(page: Page, house: ShotHouse, change: (pdf: Buffer) => Buffer) {
  const holder = await house.signedIn('p-divorced');
  const href = await holder.locator('a[href$="/document.pdf"]').first().getAttribute('href');
  const pdf = await (await holder.request.get(new URL(href ?? '', holder.url()).href)).body();
  await holder.context().close();
  const file = { name: 'licence.pdf', mimeType: 'application/pdf', buffer: change(pdf) };
  await page.setInputFiles('input[name=file]', file);
  await page.click('form[action="/verify/document"] button');
}

export const shots: Shot[] = [
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
    name: 'verify-document',
    who: null,
    path: '/verify',
    act: (page, house) => checkDocument(page, house, (pdf) => pdf),
  },
  {
    name: 'verify-document-changed',
    who: null,
    path: '/verify',
    act: (page, house) =>
      checkDocument(page, house, (pdf) => Buffer.concat([pdf, Buffer.from('\n% more')])),
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
    act: async (page, house) => check(page, house.revokedCode),
  },
  { name: 'desk-licences', who: 'civil-issuer-1', path: '/desk/licences' },
  {
    name: 'desk-licences-found',
    who: 'civil-issuer-1',
    path: '/desk/licences',
    act: async (page, house) => {
      await page.fill('input[name=number]', await divorceNumber(house));
      await send(page);
    },
  },
  {
    name: 'desk-licences-other',
    who: 'housing-issuer-1',
    path: '/desk/licences',
    act: async (page, house) => {
      await page.fill('input[name=number]', await divorceNumber(house));
      await send(page);
    },
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
      await send(page);
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
      await send(page);
    },
  },
  {
    name: 'audit-wrong',
    who: 'audit-auditor-1',
    path: '/audit',
    act: async (page, house) => {
      await page.fill('input[name=subject]', await house.numberOf('p-divorced'));
      await send(page);
    },
  },
  {
    name: 'audit-integrity',
    who: 'audit-auditor-1',
    path: '/audit/integrity',
    act: async (page) => {
      await page.click('form[action="/audit/integrity"] button');
      await page.waitForSelector('.notice.good');
    },
  },
  {
    name: 'sign-in-locked',
    who: null,
    path: '/sign-in',
    act: async (page) => {
      for (let tries = 0; tries < 6; tries += 1) {
        await page.fill('input[name=username]', 'nobody');
        await page.fill('input[name=password]', 'wrong');
        await page.press('input[name=password]', 'Enter');
        await page.waitForSelector('.summary');
      }
    },
  },
  { name: 'sign-in-provider-down', who: null, path: '/sign-in/with/city' },
  {
    name: 'sign-in-passkey',
    who: null,
    path: '/sign-in',
    act: (page) => page.click('form[action="/sign-in/passkey/start"] button'),
  },
  { name: 'openid-wrong', who: null, path: '/openid/authorize?client_id=nobody' },
  { name: 'openid-sign-out', who: 'p-teacher', path: '/openid/end-session' },
  {
    name: 'error-old-form',
    who: 'p-divorced',
    path: '/me',
    act: async (page) => {
      await page.evaluate("document.querySelector('input[name=form_token]').value = 'x'");
      await page.click('form[action="/sign-out"] button');
    },
  },
  { name: 'error-receipt', who: 'p-divorced', path: '/me/receipts/99999999' },
  { name: 'me-company', who: 'o-builder', path: '/me' },
  { name: 'me-acting', who: 'p-elder', session: 'acting', path: '/me' },
  { name: 'audit-samples', who: 'audit-auditor-1', path: '/audit/samples' },
  { name: 'me-completeness', who: 'p-divorced', path: '/me/completeness' },
  { name: 'me-sessions', who: 'p-elder', path: '/me/sessions' },
  { name: 'me-sessions-ended', who: 'p-elder', path: '/me/sessions?ended' },
  { name: 'me-delegations', who: 'p-elder', path: '/me/delegations' },
  { name: 'me-delegations-given', who: 'p-divorced', path: '/me/delegations' },
  { name: 'me-delegations-none', who: 'p-teacher', path: '/me/delegations' },
  { name: 'me-delegations-acting', who: 'p-elder', session: 'acting', path: '/me/delegations' },
  {
    name: 'me-delegations-wrong',
    who: 'p-teacher',
    path: '/me/delegations',
    act: async (page) => {
      await page.fill('input[name=agent-value]', '990101199001010010');
      await page.fill('input[name=validTo]', '2020-01-01');
      await send(page);
    },
  },
  {
    name: 'me-delegations-open',
    who: 'p-divorced',
    path: '/me/delegations',
    act: async (page, house) => {
      await letElderAct(page, house);
      await send(page);
    },
  },
  { name: 'org', who: 'p-founder', path: '/org' },
  { name: 'org-none', who: 'p-teacher', path: '/org' },
  {
    name: 'org-wrong',
    who: 'p-founder',
    path: '/org',
    act: async (page) => {
      await page.click('main details summary');
      await page.fill('input[name=agent-value]', '990101199001010010');
      await page.fill('input[name=validTo]', '2020-01-01');
      await send(page);
    },
  },
  { name: 'org-acting', who: 'p-founder', session: 'acting', path: '/me' },
  { name: 'org-acting-delegations', who: 'p-founder', session: 'acting', path: '/me/delegations' },
  { name: 'desk-questions', who: 'civil-provider-1', path: '/desk/questions' },
  { name: 'desk-approvals', who: 'civil-approver-1', path: '/desk/questions' },
  { name: 'desk-cases-none', who: 'housing-desk-1', path: '/desk/cases' },
  { name: 'desk-post', who: 'housing-desk-1', path: '/desk/post' },
  { name: 'desk-post-below', who: 'civil-steward-1', path: '/desk/post' },
  { name: 'desk-sessions', who: 'housing-desk-1', path: '/desk/sessions' },
  { name: 'desk-passkeys-none', who: 'housing-desk-1', path: '/desk/passkeys' },
  { name: 'desk-passkeys', who: 'health-desk-2', path: '/desk/passkeys' },
  {
    name: 'desk-passkeys-add',
    who: 'housing-desk-1',
    path: '/desk/passkeys',
    act: (page) => page.click('form[action="/desk/passkeys/start"] button'),
  },
  { name: 'desk-emergencies', who: 'health-desk-1', path: '/desk/emergencies' },
  {
    name: 'desk-emergencies-open',
    who: 'health-desk-1',
    path: '/desk/emergencies?type=LT-DIVORCE',
  },
  {
    name: 'desk-emergencies-wrong',
    who: 'health-desk-1',
    path: '/desk/emergencies',
    act: async (page, house) => {
      await emergency(page, house);
      await page.fill('input[name=subject-value]', '990101199001010010');
      await send(page);
    },
  },
  {
    name: 'desk-emergencies-not-allowed',
    who: 'housing-desk-1',
    path: '/desk/emergencies',
    act: async (page, house) => {
      await emergency(page, house);
      await send(page);
    },
  },
  {
    name: 'desk-emergencies-look',
    who: 'health-desk-1',
    path: '/desk/emergencies',
    act: (page) => page.click('form[action$="/read"] button'),
  },
  { name: 'desk-emergencies-review', who: 'health-approver-1', path: '/desk/emergencies' },
  { name: 'desk-emergencies-none', who: 'tax-approver-1', path: '/desk/emergencies' },
  { name: 'audit-alerts-none', who: 'audit-auditor-1', path: '/audit/alerts?state=overdue' },
  { name: 'audit-alerts', who: 'audit-auditor-1', path: '/audit/alerts' },
  { name: 'audit-rules', who: 'audit-auditor-1', path: '/audit/rules' },
  {
    name: 'audit-rules-wrong',
    who: 'audit-auditor-1',
    path: '/audit/rules?rule=no-case',
    act: async (page) => {
      await page.fill('textarea[name=expression]', 'look.nothing');
      await page.click('button[value=rehearse]');
    },
  },
  { name: 'audit-replays-none', who: 'audit-auditor-2', path: '/audit/replays' },
  {
    name: 'audit-replay',
    who: 'audit-auditor-1',
    path: '/audit/rules?rule=no-case',
    act: async (page) => {
      await page.fill('input[name=from]', '2026-01-01');
      await page.fill('input[name=to]', '2099-12-31');
      await page.click('button[value=rehearse]');
    },
  },
  { name: 'audit-watch-list', who: 'audit-auditor-1', path: '/audit/watch-list' },
  { name: 'me-tickets', who: 'p-divorced', path: '/me/tickets' },
  { name: 'me-tickets-none', who: 'p-teacher', path: '/me/tickets' },
  {
    name: 'me-ticket-wrong',
    who: 'p-divorced',
    path: '/me/tickets/new?index=0',
    act: async (page, house) => {
      await page.fill('textarea[name=text]', await house.numberOf('p-elder'));
      await send(page);
    },
  },
  {
    name: 'me-looks-none',
    who: 'p-divorced',
    path: '/me?from=2020-01-01&to=2020-01-02',
  },
  { name: 'desk-tickets', who: 'civil-steward-1', path: '/desk/tickets' },
  { name: 'audit-tickets', who: 'audit-auditor-1', path: '/audit/tickets' },
  { name: 'audit-emergencies', who: 'audit-auditor-1', path: '/audit/emergencies' },
  { name: 'audit-searches', who: 'audit-auditor-1', path: '/audit/searches' },
  { name: 'audit-searches-none', who: 'audit-auditor-2', path: '/audit/searches' },
  {
    name: 'audit-searches-run',
    who: 'audit-auditor-1',
    path: '/audit/searches',
    act: async (page) => {
      await page.fill('main input[name=reason]', '年度检查');
      await page.click('form[action$="/run"] button');
    },
  },
  { name: 'audit-unmaskings', who: 'audit-auditor-1', path: '/audit/unmaskings' },
  {
    name: 'audit-unmaskings-wrong',
    who: 'audit-auditor-1',
    path: '/audit/unmaskings?index=0',
    act: async (page) => {
      await page.fill('main input[name=reason]', '投诉 17 号');
      await send(page);
    },
  },
  {
    name: 'audit-unmasking-decide',
    who: 'audit-auditor-2',
    path: '/audit/unmaskings',
    act: (page) => page.click('main ul.plain a[href^="/audit/unmaskings/"] >> nth=0'),
  },
  {
    name: 'audit-unmasking-shown',
    who: 'audit-auditor-1',
    path: '/audit/unmaskings',
    act: (page) => page.click('main ul.plain a[href^="/audit/unmaskings/"] >> nth=1'),
  },
  { name: 'audit-exports', who: 'audit-auditor-1', path: '/audit/exports' },
  {
    name: 'audit-export-decide',
    who: 'audit-auditor-2',
    path: '/audit/exports',
    act: (page) => page.click('main a[href^="/audit/exports/"] >> nth=0'),
  },
  {
    name: 'audit-export-ready',
    who: 'audit-auditor-1',
    path: '/audit/exports',
    act: (page) => page.click('main a[href^="/audit/exports/"] >> nth=1'),
  },
  { name: 'ops', who: 'govsvc-operator-1', path: '/ops' },
  { name: 'ops-clients', who: 'govsvc-operator-1', path: '/ops/clients' },
  { name: 'ops-clients-one', who: 'govsvc-operator-1', path: '/ops/clients/tax' },
  { name: 'ops-clients-suspended', who: 'govsvc-operator-1', path: '/ops/clients/veterans' },
  {
    name: 'ops-clients-own-change',
    who: 'govsvc-operator-1',
    path: '/ops/clients',
    act: (page) => page.click('a[href^="/ops/clients/changes/"] >> nth=0'),
  },
  {
    name: 'ops-clients-decide',
    who: 'govsvc-operator-2',
    path: '/ops/clients',
    act: (page) => page.click('a[href^="/ops/clients/changes/"] >> nth=0'),
  },
  {
    name: 'ops-clients-decide-wrong',
    who: 'govsvc-operator-2',
    path: '/ops/clients',
    act: async (page, house) => {
      await page.click('a[href^="/ops/clients/changes/"] >> nth=0');
      await page.fill('input[name=reason]', await house.numberOf('p-elder'));
      await page.click('button[value=refuse]');
    },
  },
  { name: 'ops-clients-rotate', who: 'govsvc-operator-1', path: '/ops/clients/health/rotate_keys' },
  { name: 'ops-parties', who: 'govsvc-operator-1', path: '/ops/parties' },
  { name: 'ops-parties-one', who: 'govsvc-operator-1', path: '/ops/parties/terminal' },
  { name: 'ops-parties-held', who: 'govsvc-operator-1', path: '/ops/parties/portal' },
  { name: 'ops-parties-new', who: 'govsvc-operator-1', path: '/ops/parties/new' },
  {
    name: 'ops-clients-scopes',
    who: 'govsvc-operator-1',
    path: '/ops/clients/health/change_scopes',
  },
  {
    name: 'ops-clients-new-wrong',
    who: 'govsvc-operator-1',
    path: '/ops/clients/new',
    act: async (page) => {
      await page.fill('input[name=client]', 'Not An Id');
      await page.fill('input[name=name]', '新系统');
      await page.fill('textarea[name=keys]', '{');
      await page.fill('input[name=reason]', '新建系统');
      await send(page);
    },
  },
  {
    name: 'ops-clients-new-taken',
    who: 'govsvc-operator-1',
    path: '/ops/clients/dpf/suspend',
    act: async (page) => {
      await page.fill('input[name=reason]', '再次提出');
      await send(page);
    },
  },
  { name: 'ops-rights', who: 'govsvc-operator-1', path: '/ops/rights?organisation=housing' },
  { name: 'ops-rights-reset', who: 'govsvc-operator-1', path: '/ops/rights' },
  { name: 'ops-rights-reset-decide', who: 'govsvc-operator-2', path: '/ops/rights' },
  { name: 'ops-rights-decide', who: 'govsvc-operator-2', path: '/ops/rights?organisation=govsvc' },
  {
    name: 'ops-rights-wrong',
    who: 'govsvc-operator-1',
    path: '/ops/rights?organisation=tax',
    act: async (page) => {
      await page.fill('input[name=key]', 'housing-desk-1');
      await page.fill('input[name=username]', 'housing-desk-1');
      await page.click('form[action="/ops/rights/officers"] button');
    },
  },
  {
    name: 'ops-rights-officer',
    who: 'govsvc-operator-1',
    path: '/ops/rights/officers/housing-desk-1',
  },
  { name: 'ops-rights-left', who: 'govsvc-operator-1', path: '/ops/rights/officers/tax-desk-2' },
  {
    name: 'ops-rights-own',
    who: 'govsvc-operator-1',
    path: '/ops/rights/officers/govsvc-operator-1',
  },
  { name: 'ops-erasures', who: 'govsvc-operator-1', path: '/ops/erasures' },
  {
    name: 'ops-erasures-wrong',
    who: 'govsvc-operator-1',
    path: '/ops/erasures',
    act: async (page) => {
      const form = page.locator('form[action="/ops/erasures"]');
      await form.locator('input[name=value]').fill('990101199001010010');
      await form.locator('input[name=reason]').fill('本人申请');
      await form.locator('button').click();
    },
  },
  {
    name: 'ops-erasures-held',
    who: 'govsvc-operator-1',
    path: '/ops/erasures',
    act: async (page, house) => {
      const form = page.locator('form[action="/ops/erasures"]');
      await form.locator('input[name=value]').fill(await house.numberOf('p-elder'));
      await form.locator('input[name=reason]').fill('本人申请');
      await form.locator('button').click();
    },
  },
  {
    name: 'ops-erasures-hold',
    who: 'govsvc-operator-2',
    path: '/ops/erasures',
    act: (page) => page.click('a[href^="/ops/erasures/holds/"]'),
  },
  {
    name: 'ops-erasures-own-hold',
    who: 'govsvc-operator-1',
    path: '/ops/erasures',
    act: (page) => page.click('a[href^="/ops/erasures/holds/"]'),
  },
];
