// Passkeys in a real browser, whose authenticator is a virtual one (WebAuthn level 3, section 11).
import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPageHouse, type PageHouse } from './browser.ts';

let house: PageHouse;

beforeAll(async () => {
  house = await openPageHouse({ host: 'localhost' });
}, 120_000);

afterAll(() => house?.close());

/** Gives the page's browser an authenticator with a gesture that succeeds or fails. */
async function authenticatorOf(page: Page, { isUserVerified = true } = {}) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified,
      automaticPresenceSimulation: true,
    },
  });
  const credentials = async () =>
    (await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials;
  return { devtools, authenticatorId, credentials };
}

async function addPasskey(page: Page, label: string): Promise<void> {
  await page.goto('/desk/passkeys');
  await page.click('form[action="/desk/passkeys/start"] button');
  await page.fill('input[name=label]', label);
  await page.click('form[data-passkey] button');
}

async function accessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id} ${nodes[0]?.html}`)).toEqual([]);
}

describe('an officer', () => {
  test('adds a passkey, signs in with it alone, and removes it', async () => {
    const page = await house.signedIn('housing-desk-1', { lang: 'en' });
    const { credentials } = await authenticatorOf(page);
    await addPasskey(page, 'office computer');
    await page.waitForURL((url) => url.pathname === '/desk/passkeys');
    expect(await page.textContent('main')).toContain('office computer');
    await accessible(page);
    const [made] = await credentials();
    expect(made).toMatchObject({ rpId: 'localhost', isResidentCredential: true });

    await page.click('form[action="/sign-out"] button');
    await page.goto('/sign-in');
    await page.click('form[action="/sign-in/passkey/start"] button');
    await page.waitForURL((url) => url.pathname === '/desk');
    await page.goto('/desk/sessions');
    expect(await page.textContent('main')).toMatch(/passkey/i);

    await page.goto('/desk/passkeys');
    await page.click('form[action$="/remove"] button');
    expect(await page.textContent('main')).toContain('You have no passkey yet.');
    await page.context().close();
  });

  test('who has one is asked to sign in with it before she changes any', async () => {
    const page = await house.signedIn('housing-desk-2', { lang: 'en' });
    await authenticatorOf(page);
    await addPasskey(page, 'phone');
    await page.waitForURL((url) => url.pathname === '/desk/passkeys');
    const text = await page.textContent('main');
    expect(text).toContain('sign in with it to add or remove any');
    expect(await page.locator('main form').count()).toBe(0);
    await page.context().close();
  });

  test('is told when her gesture fails, and nothing is added', async () => {
    const page = await house.signedIn('health-desk-1', { lang: 'en' });
    const { credentials } = await authenticatorOf(page, { isUserVerified: false });
    await addPasskey(page, 'phone');
    await page.locator('#passkey-fault').waitFor({ state: 'visible' });
    expect(await credentials()).toEqual([]);
    await accessible(page);
    await page.context().close();
  });

  test('is told without script what is needed, and an empty form is refused', async () => {
    const page = await house.signedIn('health-desk-1', { lang: 'en', hasScript: false });
    await addPasskey(page, 'phone');
    const text = await page.textContent('main');
    expect(text).toContain('Passkeys need JavaScript');
    expect(text).toContain('Start again');
    await page.context().close();
  });
});

test('a browser without our passkey says so and shows the other way in', async () => {
  const page = await house.open({ lang: 'en' });
  await authenticatorOf(page);
  await page.goto('/sign-in');
  await page.click('form[action="/sign-in/passkey/start"] button');
  await page.locator('#passkey-fault').waitFor({ state: 'visible' });
  await accessible(page);
  await page.click('main a[href="/sign-in"]');
  await page.waitForURL((url) => url.pathname === '/sign-in');
  await page.context().close();
});
