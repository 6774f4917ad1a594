// Files with secrets: whole or not there at all, readable by their owner alone.
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemIds } from './ids.ts';

/** Puts `text` at `path` with mode 0600 in one step, on disk when this resolves. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const part = `${path}.${systemIds.token(6)}.part`;
  try {
    const file = await open(part, 'wx', 0o600);
    try {
      await file.writeFile(`${text}\n`);
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
