// No page of the documentation was left in the middle of a merge.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');
const MARK = /^(<{7} |={7}$|>{7} )/m;

/** Every Markdown page up to two folders deep: the documents and each room's own page. */
function pages(folder = root, depth = 0): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name.endsWith('.md')) return [path];
    const isRoom = entry.isDirectory() && !/^(\.|node_modules$)/.test(entry.name);
    return isRoom && depth < 2 ? pages(path, depth + 1) : [];
  });
}

test('pages hold no marks of a merge', () => {
  const found = pages();
  expect(found.length).toBeGreaterThan(25);
  const marked = found.filter((path) => MARK.test(readFileSync(path, 'utf8')));
  expect(marked).toEqual([]);
  expect(MARK.test('a\n<<<<<<< HEAD\nb')).toBe(true);
});
