// Files with secrets: whole or not there at all, readable by their owner alone.
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemIds } from './ids.ts';

/** Puts `text` at `path` with mode 0600 in one step, on disk when this resolves. */
export function writePrivateFile(path: string, text: string): Promise<void> {
  return replaceFile(path, `${text}\n`);
}

/**
 * Replaces a file at once, mode 0600: after a crash it holds the old content or the new, on disk. The
 * new is on disk when this resolves.
 */
export async function replaceFile(path: string, content: string): Promise<void> {
  const part = `${path}.${systemIds.token(6)}.part`;
  try {
    const file = await open(part, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
    const folder = await open(dirname(path), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** The text of a file; undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
