// `npm run shots`: every page and state as a picture, in both languages, phone and desk, into .shots/.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openPageHouse } from './browser.ts';

const folder = join(import.meta.dirname, '..', '..', '.shots');
const visits: { who: string | null; pages: Record<string, string> }[] = [
  {
    who: null,
    pages: {
      home: '/',
      'sign-in': '/sign-in',
      verify: '/verify',
      catalogue: '/catalogue',
      'catalogue-none': '/catalogue?q=zzzz',
      docs: '/docs',
    },
  },
  { who: 'p-divorced', pages: { me: '/me' } },
  { who: 'housing-desk-1', pages: { desk: '/desk', 'desk-ask': '/desk?service=VS-MARITAL' } },
  { who: 'audit-auditor-1', pages: { audit: '/audit' } },
];

await mkdir(folder, { recursive: true });
const house = await openPageHouse();
try {
  for (const lang of ['zh', 'en'] as const) {
    for (const isPhone of [false, true]) {
      for (const { who, pages } of visits) {
        const page = who
          ? await house.signedIn(who, { lang, isPhone })
          : await house.open({ lang, isPhone });
        for (const [name, path] of Object.entries(pages)) {
          await page.goto(path);
          const file = join(folder, `${name}-${lang}-${isPhone ? 'phone' : 'desk'}.png`);
          await page.screenshot({ path: file, fullPage: true });
          console.log(file);
        }
        await page.context().close();
      }
    }
  }
} finally {
  await house.close();
}
