// The head file: the last published checkpoint on disk beside the database, synced before anyone
// sees it. A database restored from an old backup is smaller than it, and betrays itself.
import { readIfThere } from '../platform/index.ts';
import { auditErrors } from './errors.ts';
import { type LogLife, openOfLife } from './life.ts';

/** The head in the file, with its note; undefined when nothing was published yet. */
export async function readHeadFile(path: string, life: LogLife) {
  const note = await readIfThere(path);
  if (note === undefined) return undefined;
  try {
    return { ...openOfLife(note, life), note };
  } catch (cause) {
    throw auditErrors.head_mismatch(
      `${path} is not a checkpoint signed by a key of this log. Restore the file or the key.`,
      { cause },
    );
  }
}
