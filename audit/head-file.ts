// The head file: the last published checkpoint on disk beside the database, synced before anyone
// sees it. A database restored from an old backup is smaller than it, and betrays itself.
import { readIfThere } from '../platform/index.ts';
import { openCheckpoint, type TreeHead } from './checkpoint.ts';
import { auditErrors } from './errors.ts';
import type { NoteVerifier } from './signed-note.ts';

/** The head in the file; undefined when nothing was published yet. */
export async function readHeadFile(
  path: string,
  verifier: NoteVerifier,
): Promise<TreeHead | undefined> {
  const note = await readIfThere(path);
  if (note === undefined) return undefined;
  try {
    return openCheckpoint(note, verifier);
  } catch (cause) {
    throw auditErrors.head_mismatch(
      `${path} is not a checkpoint signed by this log's key. Restore the file or the key.`,
      { cause },
    );
  }
}
