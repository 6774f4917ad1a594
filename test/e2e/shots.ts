// `npm run shots`: every page and state as a picture, in both languages, phone and desk, into .shots/.
// `npm run shots -- me zh desk` takes only those whose file name holds all the words. What is wrong with a
// page for everybody (page-faults.ts) is said, and fails the run.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openPageHouse, type PageOptions } from './browser.ts';
import { faultsOf } from './page-faults.ts';
import { type Shot, shots } from './shot-list.ts';
import {
  addPasskey,
  askForConsent,
  beginActing,
  delegate,
  holdAndReset,
  openEmergencies,
  operate,
  revokeOne,
  watch,
} from './shot-states.ts';

const folder = join(import.meta.dirname, '..', '..', '.shots');
const words = process.argv.slice(2);
const sizes = { desk: { width: 1280, height: 900 }, phone: { width: 360, height: 740 } };

await mkdir(folder, { recursive: true });
const secret_file = join(folder, 'provider-secret');
await writeFile(secret_file, 'x'.repeat(32));
const common = { client_id: 'yihao', secret_file, issuer: 'http://127.0.0.1:9' };
process.env.OIDC_PROVIDERS = JSON.stringify([
  {
    ...common,
    id: 'city',
    label: { zh: '云珠市统一身份认证', en: 'Yunzhu sign-in' },
    citizen_id_claim: 'id_number',
  },
  {
    ...common,
    id: 'staff',
    label: { zh: '政务人员统一认证', en: 'staff sign-in' },
    officer_claim: 'username',
  },
]);

const opened = await openPageHouse({ host: 'localhost' });
const house = { ...opened, revokedCode: await revokeOne(opened) };
for (const happen of [
  askForConsent,
  delegate,
  openEmergencies,
  operate,
  watch,
  addPasskey,
  holdAndReset,
]) {
  await happen(house);
}

const sessions = new Map<string, Awaited<ReturnType<typeof begin>>>();

/** The cookies of a session, begun once for all pictures of it. */
async function begin({ who, session }: Shot) {
  if (who === null) return [];
  const page = await house.signedIn(who);
  if (session === 'acting') await beginActing(page);
  const cookies = await page.context().cookies();
  await page.context().close();
  return cookies.filter(({ name }) => name !== 'yihao_lang');
}

async function pageOf(shot: Shot, options: PageOptions) {
  const key = `${shot.who} ${shot.session ?? ''}`;
  const cookies = sessions.get(key) ?? (await begin(shot));
  sessions.set(key, cookies);
  const page = await house.open(options);
  await page.context().addCookies(cookies);
  return page;
}

try {
  for (const lang of ['zh', 'en'] as const) {
    for (const shot of shots) {
      const files = (['desk', 'phone'] as const)
        .map((size) => ({ size, file: `${shot.name}-${lang}-${size}.png` }))
        .filter(({ file }) => words.every((word) => file.includes(word)));
      if (files.length === 0) continue;
      try {
        const page = await pageOf(shot, { lang });
        await page.goto(shot.path);
        await shot.act?.(page, house);
        await page.waitForLoadState();
        for (const { size, file } of files) {
          await page.setViewportSize(sizes[size]);
          await page.screenshot({ path: join(folder, file), fullPage: true });
          console.log(file);
        }
        for (const fault of await faultsOf(page)) {
          console.error(`${shot.name} ${lang}: ${fault}`);
          process.exitCode = 1;
        }
        await page.context().close();
      } catch (error) {
        console.error(`${shot.name} ${lang}: ${error}`);
        process.exitCode = 1;
      }
    }
  }
} finally {
  await house.close();
}
