// What a leader makes sure of before it writes or signs anything: that this is the database the last
// checkpoints were signed for.
import type { Database } from '../platform/index.ts';
import type { TreeHead } from './checkpoint.ts';
import { auditErrors } from './errors.ts';
import { readHeadFile } from './head-file.ts';
import { growsFrom } from './proofs.ts';
import { findLastCheckpoint } from './sequence-store.ts';
import type { NoteVerifier } from './signed-note.ts';
import type { ReadTile } from './tiles.ts';

export interface SelfCheckDeps {
  logDatabase: Database;
  readTile: ReadTile;
  verifier: NoteVerifier;
  headFile?: string | undefined;
  /** What outside witnesses hold of this log. */
  listWitnessedHeads?(): Promise<{ head: TreeHead; name: string }[]>;
}

/**
 * Refuses a database that is older than what was published, or that does not fit it: a leader on it
 * would build a second history. Throws audit.head_mismatch with what to do.
 */
export async function checkHead(
  head: TreeHead,
  derivedRoot: Buffer,
  deps: SelfCheckDeps,
): Promise<void> {
  const { logDatabase, readTile, verifier, headFile } = deps;
  if (!head.root.equals(derivedRoot)) {
    throw auditErrors.head_mismatch(
      `The tiles of the log do not give the root of its ${head.size} entries. Run the audit verification; restore what it names.`,
    );
  }
  const last = await findLastCheckpoint(logDatabase.db);
  const inFile = headFile ? await readHeadFile(headFile, verifier) : undefined;
  const known = [
    ...(last ? [{ head: last, where: 'the database' }] : []),
    ...(inFile ? [{ head: inFile, where: headFile ?? 'the head file' }] : []),
    ...((await deps.listWitnessedHeads?.()) ?? []).map(({ head, name }) => ({
      head,
      where: `the witness ${name}`,
    })),
  ];
  for (const { head: signed, where } of known) {
    if (signed.size > head.size) {
      throw auditErrors.head_mismatch(
        `The database holds ${head.size} log entries, but ${where} holds a signed checkpoint over ${signed.size}. The database is an old copy: restore the newest one. Nothing is written or signed.`,
      );
    }
    if (!(await growsFrom(signed, head.root, { size: head.size, readTile }))) {
      throw auditErrors.head_mismatch(
        `The log does not grow out of the signed checkpoint over ${signed.size} entries that ${where} holds. Restore the database that belongs to it. Nothing is written or signed.`,
      );
    }
  }
}
