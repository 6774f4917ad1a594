// Which module imports which, types included: read from the sources with swc, because no checker of
// import rules can parse JSX without TypeScript's old compiler API.
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { type Module, parse } from '@swc/core';

export interface ImportEdge {
  /** Path of the importing module, relative to the base. */
  readonly from: string;
  /** Path of a module of ours relative to the base, or a package's name. */
  readonly to: string;
  readonly isPackage: boolean;
}

/** All TypeScript modules below the folders, relative to `baseDir`. */
export async function modulesBelow(baseDir: string, folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    for (const name of await readdir(join(baseDir, folder), { recursive: true })) {
      if (/\.tsx?$/.test(name)) found.push(`${folder}/${name}`);
    }
  }
  return found.sort();
}

/** The imports of each module: static, re-exports, and dynamic ones with a literal. */
export async function importsOf(
  baseDir: string,
  modules: readonly string[],
): Promise<ImportEdge[]> {
  const edges: ImportEdge[] = [];
  for (const from of modules) {
    const source = await readFile(join(baseDir, from), 'utf8');
    const ast = await parse(source, {
      syntax: 'typescript',
      tsx: from.endsWith('.tsx'),
      target: 'es2022',
    });
    for (const specifier of specifiersIn(ast)) edges.push({ from, ...resolve(from, specifier) });
  }
  return edges;
}

function resolve(from: string, specifier: string): { to: string; isPackage: boolean } {
  if (specifier.startsWith('.')) {
    return { to: normalize(join(dirname(from), specifier)), isPackage: false };
  }
  return { to: specifier, isPackage: true };
}

/** Walks the tree for string literals that name modules. */
function specifiersIn(ast: Module): string[] {
  const found = new Set<string>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const child of node) visit(child);
    else if (isNode(node)) {
      if (isNode(node.source) && typeof node.source.value === 'string')
        found.add(node.source.value);
      if (node.type === 'CallExpression' && isNode(node.callee) && node.callee.type === 'Import') {
        for (const text of literalsIn(node.arguments)) found.add(text);
      }
      for (const child of Object.values(node)) visit(child);
    }
  };
  visit(ast.body);
  return [...found];
}

function literalsIn(list: unknown): string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item) =>
    isNode(item) && isNode(item.expression) && typeof item.expression.value === 'string'
      ? [item.expression.value]
      : [],
  );
}

function isNode(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Every module that can reach itself, each with a way round. */
export function cyclesIn(edges: readonly ImportEdge[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { from, to, isPackage } of edges) {
    if (!isPackage) next.set(from, [...(next.get(from) ?? []), to]);
  }
  const cycles: string[][] = [];
  const done = new Set<string>();
  const walk = (module: string, path: string[]): void => {
    const at = path.indexOf(module);
    if (at >= 0) {
      cycles.push([...path.slice(at), module]);
      return;
    }
    if (done.has(module)) return;
    for (const target of next.get(module) ?? []) walk(target, [...path, module]);
    done.add(module);
  };
  for (const module of next.keys()) walk(module, []);
  return cycles;
}
