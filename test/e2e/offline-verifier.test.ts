// The page that citizens save: opened from a disk with the network cut, it checks a receipt of theirs.
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { openPageHouse, type PageHouse } from './browser.ts';

let house: PageHouse;
beforeAll(async () => {
  house = await openPageHouse();
}, 120_000);
afterAll(() => house?.close());

test('a saved receipt is checked by the saved page, offline, and a changed one is refused', async () => {
  const housing = await house.client('housing');
  await housing.call(
    'POST',
    '/v1/verifications',
    {
      service: 'VS-MARITAL',
      subject: { scheme: 'cn-id', value: await house.numberOf('p-divorced') },
      params: { declared: 'never_registered' },
      legalBasis: 'LB-MCA266',
      purpose: '公租房资格审核',
      caseId: 'E2E-offline',
    },
    { Prefer: 'wait=10' },
  );
  const page = await house.signedIn('p-divorced');
  const save = async (selector: string, name: string) => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(selector)]);
    const path = join(house.dataDir, name);
    await download.saveAs(path);
    return path;
  };
  const link = 'tr:has-text("公租房资格审核") a[href^="/me/receipts/"]';
  const address = (await page.getAttribute(link, 'href')) ?? '';
  // A look of this very second is proved by the next checkpoint.
  await eventually(async () => (await page.request.get(address)).ok());
  const receipt = await save(link, 'receipt.json');
  const verifier = await save('a[href="/verifier.html"]', 'verifier.html');
  const vkey = await (await fetch(`${house.baseUrl}/log/vkey`)).text();

  const offline = await house.browser.newContext({ offline: true });
  const saved = await offline.newPage();
  const problems: string[] = [];
  saved.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await saved.goto(`file://${verifier}`);
  await saved.setInputFiles('input[data-into=receipt]', receipt);
  await saved.fill('#vkey', vkey);
  await saved.click('button');
  await saved.waitForSelector('#result.good');
  expect(await saved.textContent('#result')).toContain('收录证明有效');
  expect(await saved.textContent('#result')).toContain('公租房资格审核');
  expect((await new AxeBuilder({ page: saved }).analyze()).violations).toEqual([]);

  const text = await saved.inputValue('#receipt');
  await saved.fill('#receipt', text.replace('公租房', '经适房'));
  await saved.click('button');
  await saved.waitForSelector('#result.bad');
  expect(await saved.textContent('#result')).toContain('收录证明无效');
  expect(problems).toEqual([]);
  await offline.close();
});
