// docs/problems.md lists every code a caller can meet, with its status: no more and no fewer.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { INTERNAL_CODE } from '../../../api/errors.ts';
import { statusOfKind } from '../../../api/problem.ts';
import { AppError, type Kind } from '../../../platform/index.ts';
import { rooms } from '../../support/floor-plan.ts';

const root = join(import.meta.dirname, '..', '..', '..');

interface Source {
  path: string;
  text: string;
}

/** All sources of the rooms but the file that defines AppError. */
async function readSources(): Promise<Source[]> {
  const sources: Source[] = [];
  for (const room of rooms) {
    for (const path of await readdir(join(root, room), { recursive: true })) {
      if (!/\.tsx?$/.test(path) || (room === 'platform' && path === 'errors.ts')) continue;
      sources.push({
        path: `${room}/${path}`,
        text: await readFile(join(root, room, path), 'utf8'),
      });
    }
  }
  return sources;
}

/** Code and status of each refusal in an exported catalogue; a catalogue that isn't exported is a fault. */
async function catalogued(source: Source): Promise<string[]> {
  const exports: Record<string, unknown> = await import(join(root, source.path));
  const found = Object.values(exports).flatMap((value) => {
    if (typeof value !== 'object' || value === null || !('codes' in value)) return [];
    return Object.values(value).flatMap((make) => (typeof make === 'function' ? [make('')] : []));
  });
  expect(found, `${source.path} exports its catalogue`).not.toEqual([]);
  return found.map((error) => {
    if (!(error instanceof AppError)) throw new TypeError(`${source.path}: not a refusal.`);
    return `${error.code} ${statusOfKind(error.kind)}`;
  });
}

const inline = /new AppError\(\s*'(?<kind>\w+)',\s*'(?<code>[a-z0-9_.]+)'/g;

/** Code and status of each refusal written in place. */
function written({ path, text }: Source): string[] {
  const found = [...text.matchAll(inline)].map(({ groups = {} }) => {
    // The compiler has checked that the word is a kind.
    return `${groups.code} ${statusOfKind(groups.kind as Kind)}`;
  });
  // One that passes on another refusal's code makes none of its own.
  const passedOn = text.split(/new AppError\(\s*\w+\.kind/).length - 1;
  expect(found.length + passedOn, `refusals in ${path} that can be read`).toBe(
    text.split('new AppError(').length - 1,
  );
  return found;
}

async function codesInSources(): Promise<string[]> {
  const codes = [`${INTERNAL_CODE} 500`];
  for (const source of await readSources()) {
    codes.push(...written(source));
    if (/= errorCatalogue\(/.test(source.text)) codes.push(...(await catalogued(source)));
  }
  return [...new Set(codes)].sort();
}

const line = /^- `(?<code>[a-z0-9_.]+)` \((?<status>\d{3})\): (?<words>.+)$/;

async function readDocument() {
  const text = await readFile(join(root, 'docs/problems.md'), 'utf8');
  let room = '';
  const entries: { room: string; code: string; status: string; words: string }[] = [];
  for (const row of text.split('\n')) {
    room = /^## (\w+)/.exec(row)?.[1] ?? room;
    const { code, status, words } = line.exec(row)?.groups ?? {};
    if (code && status && words) entries.push({ room, code, status, words });
    else expect(row, 'a line that is no entry').not.toMatch(/^- /);
  }
  return entries;
}

describe('docs/problems.md', () => {
  test('lists each code of the sources with its status, and no other', async () => {
    const entries = await readDocument();
    expect(entries.map(({ code, status }) => `${code} ${status}`).sort()).toEqual(
      await codesInSources(),
    );
  });

  test('puts each code under the room it names', async () => {
    const entries = await readDocument();
    expect(entries.filter(({ room, code }) => !code.startsWith(`${room}.`))).toEqual([]);
  });
});
