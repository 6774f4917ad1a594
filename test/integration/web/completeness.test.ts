// Is this list whole? As the whole house serves it: page, file, API, and the program that checks it offline.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { offlineVerifier } from '../../../web/offline-verifier.ts';
import { eventually } from '../../support/eventually.ts';
import { maritalQuestion, sessionOf, withHouse } from '../api/house.ts';

const house = withHouse();
const dir = mkdtempSync(join(tmpdir(), 'yihao-completeness-'));
afterAll(() => rmSync(dir, { recursive: true }));

test('page, file and API show the same proof, and the saved program accepts it without us', async () => {
  const cookie = await sessionOf(house, 'li');
  const get = (path: string) => fetch(`${house.baseUrl}${path}`, { headers: { Cookie: cookie } });
  expect(await (await get('/me')).text()).toContain('href="/me/completeness"');
  const housing = house.client('housing');
  const asked = await housing.call('POST', '/v1/verifications', maritalQuestion());
  expect(asked.status).toBeLessThan(300);
  const log = async (): Promise<number[]> => {
    const { items } = await (await get('/v1/me/access-log')).json();
    return items.map(({ index }: { index: number }) => index);
  };
  const proof = async () => (await get('/v1/me/access-log/completeness')).json();
  // An edition every five seconds: at last it holds all she sees.
  await eventually(
    async () => {
      const [shown, { list }] = [await log(), await proof()];
      return shown.length > 0 && list?.indexes.length === shown.length;
    },
    { timeoutMs: 25_000 },
  );
  const page = await get('/me/completeness?lang=en');
  expect(page.status).toBe(200);
  const html = await page.text();
  expect(html).toContain('Whole:');
  expect(html).toContain('href="/me/completeness.json"');
  const file = await get('/me/completeness.json');
  expect(file.headers.get('content-disposition')).toContain('yihao-completeness.json');
  const saved = await file.json();
  expect(saved.list.indexes).toEqual((await proof()).list.indexes);
  expect([...saved.list.indexes].sort()).toEqual((await log()).sort());

  writeFileSync(join(dir, 'verifier.mjs'), offlineVerifier().program);
  writeFileSync(join(dir, 'log.vkey'), await (await get('/log/vkey')).text());
  writeFileSync(join(dir, 'proof.json'), JSON.stringify(saved));
  const shorter = { ...saved, list: { ...saved.list, indexes: saved.list.indexes.slice(1) } };
  writeFileSync(join(dir, 'shorter.json'), JSON.stringify(shorter));
  const run = (...words: string[]) => {
    const { status, stdout } = spawnSync(process.execPath, [join(dir, 'verifier.mjs'), ...words], {
      encoding: 'utf8',
      cwd: dir,
      env: {},
    });
    return { status, said: JSON.parse(stdout) };
  };
  const held = run('proof.json', '--vkey', 'log.vkey', '--earlier', 'proof.json');
  expect(held).toMatchObject({ status: 0, said: { valid: true, reasons: [] } });
  expect(held.said.facts.completeness.indexes).toEqual(saved.list.indexes);
  expect(run('shorter.json', '--vkey', 'log.vkey')).toMatchObject({
    status: 1,
    said: {
      valid: false,
      reasons: ['The list is not the one in the map: an entry is missing, added or changed.'],
    },
  });
}, 60_000);

test('who isn’t signed in is asked to, and a system has no list', async () => {
  const page = await fetch(`${house.baseUrl}/me/completeness`, { redirect: 'manual' });
  expect([page.status, page.headers.get('location')]).toEqual([
    303,
    '/sign-in?next=%2Fme%2Fcompleteness',
  ]);
  const refused = await house.client('audit').call('GET', '/v1/me/access-log/completeness');
  expect(refused.status).toBe(403);
});
