// `yihao token` and `yihao call` when they are refused: what was wrong and what to do, never a stack.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureClientFile } from '../../../cli/sample/access.ts';
import { readWorld } from '../../../cli/sample/world.ts';
import { runYihao } from '../../support/yihao-command.ts';
import { PUBLIC_URL, withHouse } from './house.ts';

const house = withHouse();
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'yihao-command-'));
  await mkdir(join(dataDir, 'clients'), { recursive: true });
  // The name of a known client, and a key that nobody registered.
  const housing = readWorld().departments.find(({ id }) => id === 'housing');
  if (!housing) throw new Error('The sample city has housing.');
  await ensureClientFile(dataDir, housing, PUBLIC_URL);
  await house.client('housing').call('GET', '/v1/licence-types');
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

const yihao = (...words: string[]) =>
  runYihao(words, {
    settings: { DATA_DIR: dataDir, PORT: new URL(house.baseUrl).port, HOST: '127.0.0.1' },
  });

describe('a command that is refused', () => {
  test.each([
    ['token', '--as', 'housing'],
    ['call', '--as', 'housing', 'GET', '/v1/me'],
  ])('%s says why, and ends with 1', async (...words) => {
    const { code, out, err } = await yihao(...words);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('Refused: invalid_client (401)');
    expect(err).toContain('/ops/clients');
    expect(err).not.toMatch(/^\s+at |CallError/m);
  });

  test('with a body that is no file says so', async () => {
    const { code, err } = await yihao(
      'call',
      '--as',
      'housing',
      'POST',
      '/v1/licences',
      '@nothing',
    );
    expect([code, err.split('\n')[0]]).toEqual([2, 'nothing can not be read.']);
  });
});

test('a problem is told with its code, its places and its paragraph', async () => {
  const { refusalLines } = await import('../../../cli/refused-call.ts');
  const reply = await house.client('housing').call('POST', '/v1/verifications', { service: 'x' });
  const lines = await refusalLines(reply);
  expect(lines[0]).toMatch(/^Refused: \w+\.\w+ \(4\d\d\)$/);
  expect(lines.join('\n')).toContain('  /');
  expect(lines.at(-1)).toMatch(/^What it means: \S+/);
  expect(await refusalLines({ ...reply, status: 502, json: null, text: 'Bad gateway' })).toEqual([
    'Answered with 502, in words that are none of this house:',
    'Bad gateway',
  ]);
});
