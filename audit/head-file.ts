// The head file: the last published checkpoint on disk beside the database, synced before anyone
// sees it. A database restored from an old backup is smaller than it, and betrays itself.
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { openCheckpoint, type TreeHead } from './checkpoint.ts';
import { auditErrors } from './errors.ts';
import type { NoteVerifier } from './signed-note.ts';

/** The head in the file; undefined when nothing was published yet. */
export async function readHeadFile(
  path: string,
  verifier: NoteVerifier,
): Promise<TreeHead | undefined> {
  let note: string;
  try {
    note = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return openCheckpoint(note, verifier);
  } catch (cause) {
    throw auditErrors.head_mismatch(
      `${path} is not a checkpoint signed by this log's key. Restore the file or the key.`,
      { cause },
    );
  }
}

/** Replaces the file at once: after a crash it holds the old note or the new one, on disk. */
export async function writeHeadFile(path: string, note: string): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(note);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
