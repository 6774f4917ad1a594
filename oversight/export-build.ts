// The job that writes exports. Each part is a transaction of its own: lines, people, digest and place
// are stored together, so that a killed process leaves a file that the next run goes on with.
import { type Actor, anonymousActor } from '../identity/index.ts';
import { AppError, systemScope, type Tx } from '../platform/index.ts';
import { accessReceipt } from './access-item.ts';
import { chained, emptyChain, entryLine, headLine, manifestLine, sealOf } from './bundle.ts';
import type { OversightDeps } from './deps.ts';
import {
  addPart,
  beginExport,
  completeExport,
  type ExportRow,
  expireExports,
  failExport,
  listRunning,
  setManifestStage,
  takeExport,
} from './export-store.ts';
import { partContext, readRequest } from './exports.ts';
import type { Filter, Found, Searching } from './search-conditions.ts';

/** About 120 MB; more is asked for by period. */
export const MOST_ENTRIES = 100_000;
/** About 250 kB, well within a statement's time. */
const ENTRIES_PER_PART = 200;
const KEPT_DAYS = 7;

const job: Actor = { ...anonymousActor('oversight.export'), kind: 'system' };

export function createExportBuild(
  deps: OversightDeps,
  searching: Searching,
  { mostEntries = MOST_ENTRIES }: { mostEntries?: number } = {},
) {
  const { audit, identity, logger } = deps;
  const house = deps.database.as(systemScope);

  /** One step of one export; true while there may be another right away. */
  async function step(id: string): Promise<boolean> {
    return house.transaction(async (tx) => {
      const row = await takeExport(tx, id);
      if (!row) return false;
      const request = await readRequest(tx, identity, row);
      if (!request) {
        await failExport(tx, id, 'person_erased');
        return false;
      }
      const filter = searching.filterOf(request.conditions, await tagOf(tx, row));
      const { purpose } = request.conditions;
      if (row.checkpoint === null) {
        return begin(tx, row, filter, request.conditions);
      }
      if (row.manifestStage === null) return addEntries(tx, row, filter, purpose);
      return seal(tx, row, row.manifestStage);
    });
  }

  async function tagOf(tx: Tx, { personId }: ExportRow): Promise<Buffer | undefined> {
    return personId === null ? undefined : identity.subjectTagOf(tx, personId);
  }

  async function begin(
    tx: Tx,
    row: ExportRow,
    filter: Filter,
    conditions: Record<string, string>,
  ): Promise<boolean> {
    // What was in the log when it was approved is to be in the file.
    const shown = await audit.checkpointOver(row.treeSize ?? 0);
    if (!shown) return false;
    const { size, note } = shown;
    const total = await searching.count({ ...filter, below: size }, mostEntries + 1);
    if (total > mostEntries) {
      await failExport(tx, row.id, 'too_large');
      return false;
    }
    await beginExport(tx, row.id, { checkpoint: note, treeSize: size, total });
    const createdAt = row.decidedAt ?? row.requestedAt;
    const line = headLine({ id: row.id, createdAt, conditions, checkpoint: note });
    await store(tx, row, [line], { people: [], entries: 0, afterIndex: null });
    return true;
  }

  async function addEntries(
    tx: Tx,
    row: ExportRow,
    filter: Filter,
    purpose: string | undefined,
  ): Promise<boolean> {
    const size = row.treeSize ?? 0;
    const { found, nextCursor } = await searching.page({ ...filter, below: size }, purpose, {
      limit: ENTRIES_PER_PART,
      cursor: row.afterIndex === null ? undefined : String(row.afterIndex),
    });
    let chain = row.chain ?? emptyChain;
    if (found.length > 0 || nextCursor !== null) {
      const lines: string[] = [];
      for (const { entry, detail } of found) {
        const proof = await audit.inclusion(entry.index, size);
        lines.push(entryLine(entry, detail, proof, row.personId !== null));
      }
      const people = await peopleIn(tx, found);
      const afterIndex = nextCursor === null ? null : Number(nextCursor);
      chain = await store(tx, row, lines, { people, entries: found.length, afterIndex });
    }
    if (nextCursor !== null) return true;
    const { stageId } = await identity.recordAccess(tx, job, {
      type: 'audit.export_sealed',
      outcome: 'ok',
      caseId: row.id,
      purpose: sealOf(chain),
    });
    await setManifestStage(tx, row.id, stageId);
    return true;
  }

  async function peopleIn(tx: Tx, found: readonly Found[]): Promise<string[]> {
    const tags = found.flatMap(({ entry }) => (entry.subjectTag ? [entry.subjectTag] : []));
    return identity.findPeopleByTags(tx, tags);
  }

  /** The manifest with its receipt, once the entry that commits to it is in a signed tree. */
  async function seal(tx: Tx, row: ExportRow, stageId: string): Promise<boolean> {
    const index = (await audit.indexesOf([stageId])).get(stageId);
    if (index === undefined) return false;
    const proof = await audit.receipt(index).catch((error: unknown) => {
      if (error instanceof AppError && error.kind === 'conflict') return undefined;
      throw error;
    });
    if (proof === undefined) return false;
    const [one] = await searching.open([await searching.entry(index)]);
    if (!one) throw new TypeError('One entry in, one detail out.');
    const receipt = accessReceipt(one.entry, one.detail, proof);
    const digest = row.chain ?? emptyChain;
    const line = manifestLine({ id: row.id, entries: row.done, digest }, receipt);
    await store(tx, row, [line], { people: [], entries: 0, afterIndex: null });
    await completeExport(tx, row.id, KEPT_DAYS);
    return false;
  }

  /** Stores lines as the next part; returns the digest over all so far. */
  async function store(
    tx: Tx,
    row: ExportRow,
    lines: readonly string[],
    part: { people: readonly string[]; entries: number; afterIndex: number | null },
  ): Promise<Buffer> {
    const chain = lines.reduce(chained, row.chain ?? emptyChain);
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''), 'utf8');
    const context = partContext(row.id, row.parts);
    const sealed = await identity.sealFor(tx, null, bytes, context);
    await addPart(tx, row, { ...part, sealed, bytes: bytes.length, chain });
    return chain;
  }

  return {
    /** For the sweeper: writes what was approved, takes away what ran out. */
    async writeExports(signal?: AbortSignal): Promise<void> {
      for (const id of await house.transaction(listRunning)) {
        try {
          while (!signal?.aborted && (await step(id)));
        } catch (error) {
          logger.error({ err: error, export: id }, 'An export could not go on; it is tried again.');
        }
      }
      await house.transaction(expireExports);
    },
  };
}
