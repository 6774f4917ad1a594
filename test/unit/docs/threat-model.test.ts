// The threat model promises nothing that no test shows: each file it names is there.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');
const document = readFileSync(join(root, 'docs', 'threat-model.md'), 'utf8');

test('every test the threat model names exists', () => {
  const named = [...document.matchAll(/`((?:[\w-]+\/)*[\w-]+\.test\.ts)`/g)].map(
    ([, path]) => path,
  );
  expect(named.length).toBeGreaterThan(40);
  const missing = named.filter((path) => !existsSync(join(root, 'test', path ?? '')));
  expect(missing).toEqual([]);
});

test('every wall has a test', () => {
  const rows = document
    .split('\n')
    .filter(
      (line) => line.startsWith('| ') && !line.startsWith('| who') && !line.startsWith('|---'),
    );
  const walls = rows.filter((line) => line.split('|').length === 5 && !line.includes('shown by'));
  expect(walls.length).toBeGreaterThan(20);
  for (const wall of walls) expect(wall).toMatch(/\.test\.ts`|e2e/);
});
