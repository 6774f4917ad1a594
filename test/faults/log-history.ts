// The history checker: holds what callers were told and what was signed against what the database holds.
import { readFile } from 'node:fs/promises';
import type postgres from 'postgres';
import { expect } from 'vitest';
import { createCompactRange, leafHash } from '../../audit/merkle-tree.ts';
import { splitNote } from '../../audit/signed-note.ts';
import type { LogProcess } from './log-process.ts';

export interface History {
  /** Every process that ever wrote this log, killed ones too. */
  processes: readonly Pick<LogProcess, 'lines' | 'acknowledged'>[];
  headFile?: string;
  /** What witnesses hold, and whatever else was signed and seen. */
  notes?: readonly string[];
  /** Before the database was put back: what was acknowledged then may be lost. */
  mayMiss?: (index: number) => boolean;
}

/**
 * Holds whatever was promised: each acknowledged index is there and holds that act's entry, no index was used
 * twice and none is missing, acts are whole or absent, and for each size one root was ever signed: that of the
 * entries that are there.
 */
export async function checkHistory(
  sql: postgres.Sql,
  { processes, headFile, notes = [], mayMiss = () => false }: History,
): Promise<{ entries: number; signed: number; acknowledged: number }> {
  const rows = await sql<{ idx: number; leaf: Buffer; leaf_hash: Buffer }[]>`
    select idx::float8 as idx, leaf, leaf_hash from audit.entries order by idx`;
  const [head] = await sql<{ size: number; root: Buffer }[]>`
    select size::float8 as size, root from audit.head`;

  // Indexes without gap, as many as the head says; the tree gives its root.
  expect(rows.every(({ idx }, at) => idx === at)).toBe(true);
  expect(head?.size).toBe(rows.length);
  const range = createCompactRange(0, []);
  const roots = [range.root()];
  const groups = new Map<string, number[]>();
  const ids = new Set<string>();
  for (const { idx, leaf, leaf_hash } of rows) {
    expect(leafHash(leaf).equals(leaf_hash)).toBe(true);
    range.append(leaf_hash);
    roots.push(range.root());
    const { id, verification }: { id: string; verification?: string } = JSON.parse(String(leaf));
    expect(ids.has(id)).toBe(false);
    ids.add(id);
    if (verification !== undefined) {
      groups.set(verification, [...(groups.get(verification) ?? []), idx]);
    }
  }
  expect(head?.root.equals(roots[rows.length] ?? Buffer.alloc(0))).toBe(true);

  // Acts are whole; what was acknowledged is there, under the indexes that were told.
  const isOurs = processes.length > 0;
  expect([...groups.values()].filter(({ length }) => isOurs && length !== 3)).toEqual([]);
  const told = processes.flatMap((one) => one.acknowledged());
  const wrong = told.filter(
    ({ group, indexes }) =>
      JSON.stringify(groups.get(group)) !== JSON.stringify(indexes) && !indexes.some(mayMiss),
  );
  expect(wrong).toEqual([]);

  // One root for each size, ever: of what was signed, kept, put into the head file, shown and witnessed.
  const kept = await sql<{ note: string }[]>`select note from audit.checkpoints`;
  const inFile =
    headFile === undefined ? undefined : await readFile(headFile, 'utf8').catch(() => undefined);
  const signed = [
    ...[...kept.map(({ note }) => note), ...notes, ...(inFile === undefined ? [] : [inFile])].map(
      (note) => splitNote(note).text,
    ),
    ...processes.flatMap(({ lines }) =>
      lines.flatMap((line) => [
        ...(line.signed === undefined ? [] : [line.signed]),
        ...(line.checkpoint === undefined ? [] : [splitNote(line.checkpoint).text]),
      ]),
    ),
  ];
  const bySize = new Map<string, Set<string>>();
  for (const text of signed) {
    const [origin, size = '', root = ''] = text.split('\n');
    const key = `${origin} ${size}`;
    bySize.set(key, (bySize.get(key) ?? new Set()).add(root));
    if (!mayMiss(Number(size) - 1)) expect(roots[Number(size)]?.toString('base64')).toBe(root);
  }
  expect([...bySize].filter(([, some]) => some.size > 1)).toEqual([]);
  return { entries: rows.length, signed: bySize.size, acknowledged: told.length };
}
