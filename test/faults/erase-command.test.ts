// `yihao erase` as an operator types it: a process of its own over a running house that is reached at
// another address than it calls itself.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PASSWORD, PUBLIC_URL, withHouse } from '../integration/api/house.ts';
import { citizenId } from '../integration/identity/house.ts';
import { runYihao } from '../support/yihao-command.ts';

const house = withHouse();
const operator = 'govsvc-operator-1';
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yihao-erase-'));
  await writeFile(join(dir, 'right'), `${PASSWORD}\n`);
  await writeFile(join(dir, 'wrong'), 'not her password');
});
afterAll(() => rm(dir, { recursive: true }));

const yihao = (words: string[], { publicUrl = PUBLIC_URL, input = '' } = {}) =>
  runYihao(words, {
    settings: { DATA_DIR: dir, PORT: new URL(house.baseUrl).port, PUBLIC_URL: publicUrl },
    input,
  });

const as = (password: string) => ['--as', operator, '--password-file', join(dir, password)];

test('a refused sign-in is one line that says why, and exit code 1', async () => {
  const { code, out, err } = await yihao(['erase', 'list', ...as('wrong')]);
  expect([code, out]).toEqual([1, '']);
  expect(err).toMatch(/^The sign-in was refused: .+ \(identity\.\w+\)\n$/);
});

test('the house is reached at HOST and PORT, and called what PUBLIC_URL says', async () => {
  expect(house.baseUrl).not.toBe(PUBLIC_URL);
  const input = `${citizenId('19110101', 9)}\n`;
  const request = ['erase', 'request', ...as('right'), '--reason', 'asked for at the counter'];
  // Through the door, and to the act itself: nobody has this number.
  const { code, out } = await yihao(request, { input });
  expect([code, JSON.parse(out).code]).toEqual([1, 'oversight.unknown_subject']);
  const foreign = await yihao(request, { input, publicUrl: 'http://elsewhere.test' });
  expect([foreign.code, foreign.out]).toEqual([1, '']);
  expect(foreign.err).toMatch(/^The sign-in was refused: .+\(web\.foreign_origin\)\n$/);
});
