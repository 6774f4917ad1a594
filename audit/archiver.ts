// Taking old entries out of the database (docs/adr/0017-archive.md): each range is written to a file, the
// file is checked by itself, then the range is dropped. Killed anywhere, the next run goes on.
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, databaseFault, dbNow } from '../platform/index.ts';
import {
  type ArchivedBundle,
  type ArchiveHeader,
  verifyArchive,
  writeArchive,
} from './archive-file.ts';
import {
  type Archive,
  dropArchived,
  findCovering,
  findNewest,
  listArchives,
  listPartitions,
  type Partition,
  putArchive,
} from './archive-store.ts';
import { entryBundle } from './entries.ts';
import { auditErrors } from './errors.ts';
import { type LeafRange, perfectSubtrees } from './merkle-tree.ts';
import type { NoteVerifier } from './signed-note.ts';
import { createTileSource } from './tile-source.ts';
import { hashRange, hashSubtrees, type TiledTree, tileWidth } from './tiles.ts';

export interface ArchiverDeps {
  /** Connects as the owner: nobody else may drop what holds entries. */
  owner: Database;
  verifier: NoteVerifier;
  /** Where the files lie. */
  folder: string;
  /** How long the law wants entries kept at hand. */
  retentionDays: number;
  /** Logs that a range was archived, before it is dropped. */
  record(archived: { first: number; after: number; root: string; sha256: string }): Promise<void>;
}

type Progress = (done: number, of: number) => void;

/** Archives whole partitions, oldest first. */
export function createArchiver({ owner, verifier, folder, retentionDays, record }: ArchiverDeps) {
  const { db } = owner;
  const source = createTileSource(db);

  /**
   * Archives every range whose entries are all older than `before`; returns those that lie in files now.
   * audit.retention_runs when that is later than the retention allows.
   */
  async function archive(before: Date, onProgress: Progress = () => {}): Promise<Archive[]> {
    const latest = new Date((await dbNow(db)).getTime() - retentionDays * 86_400_000);
    if (before > latest) {
      throw auditErrors.retention_runs(
        `Entries are kept for ${retentionDays} days: nothing after ${latest.toISOString()} may be archived (LOG_RETENTION_DAYS).`,
      );
    }
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const done: Archive[] = [];
    for (const partition of await listPartitions(db)) {
      const archived =
        (await archiveOne(partition, before, onProgress).catch(async (error: unknown) => {
          // Another run was ahead, and took the entries away from under this one.
          if (await findDropped(partition)) return undefined;
          throw error;
        })) ?? (await findDropped(partition));
      if (!archived) break;
      done.push(archived);
    }
    return done;
  }

  async function findDropped({ first }: Partition): Promise<Archive | undefined> {
    return (await listArchives(db, first)).find(({ droppedAt }) => droppedAt !== null);
  }

  async function archiveOne(
    partition: Partition,
    before: Date,
    onProgress: Progress,
  ): Promise<Archive | undefined> {
    const { first, after } = partition;
    const newestAt = await findNewest(db, partition);
    const covering = await findCovering(db, after);
    if (!newestAt || newestAt >= before || !covering) return undefined;
    if (perfectSubtrees({ start: first, end: after }).length !== 1) {
      throw new TypeError(`The partition from ${first} to ${after} is no subtree of the log.`);
    }
    const file = `log-${first}-${after}.archive`;
    const path = join(folder, file);
    const known = (await listArchives(db, first))[0];
    if (!known || !(await isWhole(path, known))) {
      const tree = { size: covering.size, readTile: source.read };
      const root = await hashRange({ start: first, end: after }, tree);
      const header = await headerOf({ start: first, end: after }, root, tree, covering.note);
      const written = await writeArchive(path, header, bundles(first, after, onProgress));
      const report = await verifyArchive(path, verifier);
      if (!report.ok) throw unfit(path, report.faults);
      await record({ first, after, root: header.root, sha256: report.sha256 });
      const checkpointSize = covering.size;
      await putArchive(db, { first, after, root, checkpointSize, file, newestAt, ...written });
    }
    await dropPatiently(partition);
    return (await listArchives(db, first))[0];
  }

  async function* bundles(
    first: number,
    after: number,
    onProgress: Progress,
  ): AsyncGenerator<ArchivedBundle> {
    for (let at = first; at < after; at += tileWidth) {
      const n = at / tileWidth;
      const tile = await source.read({ level: 0, n, width: tileWidth });
      const bundle = await entryBundle(db, n, tileWidth);
      if (!bundle)
        throw auditErrors.head_mismatch(
          `Entries from ${at} on are missing. Nothing is archived. Run the audit verification.`,
        );
      yield { tile, bundle };
      onProgress(at + tileWidth - first, after - first);
    }
  }

  /** The file of a range that is to be dropped: read again, whole, right before. */
  async function isWhole(path: string, known: Archive): Promise<boolean> {
    if (!(await stat(path).catch(() => undefined))) return false;
    const report = await verifyArchive(path, verifier);
    return report.ok && report.sha256 === known.sha256.toString('hex');
  }

  /** Whoever reads the log just now goes first. */
  async function dropPatiently(partition: Partition): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await owner.transaction((tx) => dropArchived(tx, partition));
        return;
      } catch (error) {
        if (attempt === dropAttempts || databaseFault(error)?.code !== lockNotAvailable)
          throw error;
      }
    }
  }

  return { archive };
}

// Each waits two seconds for the tables' readers.
const dropAttempts = 10;
const lockNotAvailable = '55P03';

async function headerOf(
  { start, end }: LeafRange,
  root: Buffer,
  tree: TiledTree,
  checkpoint: string,
): Promise<ArchiveHeader> {
  const texts = async (range: LeafRange) =>
    (await hashSubtrees(range, tree)).map((each) => each.toString('base64'));
  return {
    first: start,
    after: end,
    root: root.toString('base64'),
    before: await texts({ start: 0, end: start }),
    behind: await texts({ start: end, end: tree.size }),
    checkpoint,
  };
}

function unfit(path: string, faults: readonly { index?: number; what: string }[]) {
  const [fault] = faults;
  const where = fault?.index === undefined ? '' : `entry ${fault.index}: `;
  return auditErrors.head_mismatch(
    `${path} does not hold against its checkpoint: ${where}${fault?.what}. Nothing is dropped. Run the audit verification.`,
  );
}
