// What a leader makes sure of before it writes or signs anything: that this is the database the last
// checkpoints were signed for.
import type { Database } from '../platform/index.ts';
import type { TreeHead } from './checkpoint.ts';
import { auditErrors } from './errors.ts';
import { readHeadFile } from './head-file.ts';
import { endOf, type LogEpoch, type LogLife, openOfLife } from './life.ts';
import type { Lives } from './life-store.ts';
import { growsFrom } from './proofs.ts';
import { findLastCheckpoint } from './sequence-store.ts';
import type { ReadTile } from './tiles.ts';
import type { WitnessedHead } from './witnessing.ts';

/** A head this log has signed, and who has it. */
export interface KnownHead extends TreeHead {
  epoch: LogEpoch;
  note: string;
  where: string;
}

export interface KnownHeadsDeps {
  logDatabase: Database;
  headFile?: string | undefined;
  /** What outside witnesses hold of this log. */
  listWitnessedHeads?(life: LogLife): Promise<WitnessedHead[]>;
}

export interface SelfCheckDeps extends KnownHeadsDeps {
  readTile: ReadTile;
  lives: Lives;
}

/** The newest heads that were signed, as the database, the head file and the witnesses have them. */
export async function listKnownHeads(deps: KnownHeadsDeps, life: LogLife): Promise<KnownHead[]> {
  const { logDatabase, headFile } = deps;
  const last = await findLastCheckpoint(logDatabase.db);
  const inFile = headFile ? await readHeadFile(headFile, life) : undefined;
  return [
    ...(last ? [{ ...inDatabase(last, life), where: 'the database' }] : []),
    ...(inFile ? [{ ...inFile, where: headFile ?? 'the head file' }] : []),
    ...((await deps.listWitnessedHeads?.(life)) ?? []).map(({ name, ...head }) => ({
      ...head,
      where: `the witness ${name}`,
    })),
  ];
}

/** As the row has it; the note beside it must be one of this log's. */
function inDatabase(last: TreeHead & { note: string }, life: LogLife) {
  try {
    return { ...openOfLife(last.note, life), ...last };
  } catch (cause) {
    throw auditErrors.head_mismatch(
      `The checkpoint over ${last.size} entries in the database is not signed by a key of this log. Run the audit verification; restore what it names.`,
      { cause },
    );
  }
}

/** What speaks against writing on: a signed head that this tree neither holds nor states as lost. */
export type HeadFault = { known: KnownHead; kind: 'older' | 'forked' };

/** The first fault among what was signed; undefined when the tree grows out of all of it. */
export async function findHeadFault(
  head: TreeHead,
  life: LogLife,
  { readTile, ...deps }: KnownHeadsDeps & { readTile: ReadTile },
): Promise<HeadFault | undefined> {
  const faults: HeadFault[] = [];
  for (const known of await listKnownHeads(deps, life)) {
    const end = endOf(life, known.epoch);
    // Of an earlier epoch: lost, and said so.
    if (end && known.size > end.kept && known.size <= end.stated) continue;
    if (known.size > (end?.kept ?? head.size)) faults.push({ known, kind: 'older' });
    else if (!(await growsFrom(known, head.root, { size: head.size, readTile }))) {
      faults.push({ known, kind: 'forked' });
    }
  }
  return faults.sort((a, b) => b.known.size - a.known.size)[0];
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
  if (!head.root.equals(derivedRoot)) {
    throw auditErrors.head_mismatch(
      `The tiles of the log do not give the root of its ${head.size} entries. Run the audit verification; restore what it names.`,
    );
  }
  const life = await deps.lives.read(deps.logDatabase.db);
  const fault = await findHeadFault(head, life, deps);
  if (!fault) return;
  const { size, where } = fault.known;
  throw auditErrors.head_mismatch(
    fault.kind === 'older'
      ? `The database holds ${head.size} log entries, but ${where} holds a signed checkpoint over ${size}. The database is an old copy: restore the newest one, or, if there is none, state the loss with \`yihao audit new-epoch\`. Nothing is written or signed.`
      : `The log does not grow out of the signed checkpoint over ${size} entries that ${where} holds. Restore the database that belongs to it, or, if there is none, state the loss with \`yihao audit new-epoch\`. Nothing is written or signed.`,
  );
}
