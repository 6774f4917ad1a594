// Makes the next edition of the map: takes in what the log has grown by and what has become due since the
// last one, in one transaction with the entry that will hold the root. Nothing is carried in memory from
// one edition to the next, so that a process that dies or is paused in the middle leaves nothing half done.
import { hash } from 'node:crypto';
import { setImmediate as breathe } from 'node:timers/promises';
import { type Database, encodeBase64url, type Ids, type Tx } from '../../platform/index.ts';
import type { LeafDraft } from '../leaf.ts';
import {
  blockItems,
  emptyList,
  encodeIndex,
  encodePending,
  extendList,
  listCommitment,
} from './list.ts';
import {
  type BlockRow,
  disclosedMap,
  findPages,
  getMapState,
  insertEdition,
  insertPages,
  listNewEntries,
  listNewlyDue,
  listPending,
  listUnlabelled,
  lockSubjects,
  type MappedEntry,
  type MapState,
  pendingMap,
  putBlocks,
  putSubjects,
  type SubjectRow,
  takeRemovals,
} from './map-store.ts';
import { changePages, emptyPage, type MapChange, type Page, pagesBelow } from './trie.ts';

/** The key that gives each tag its one label (RFC 9381). */
export interface MapKey {
  readonly publicKey: Buffer;
  output(tag: Buffer): Buffer;
  /** Shows anyone that the output is this key's for the tag. */
  prove(tag: Buffer): Buffer;
}

export interface ExtendDeps {
  /** Connects as the log role. */
  logDatabase: Database;
  ids: Ids;
  key: MapKey;
  append(tx: Tx, draft: LeafDraft): Promise<{ stageId: string }>;
}

/** Entries taken in at once: about a second's work, and a few megabytes. */
const mostEntries = 16_384;
/** An edition is made this often even when nothing changed, so that no proof speaks of long ago. */
const longestSilenceMs = 600_000;

export const labelOf = (key: MapKey, tag: Buffer): Buffer => key.output(tag).subarray(0, 32);

export function createExtend({ logDatabase, ids, key, append }: ExtendDeps) {
  /** Labels take a millisecond each: made before the map is locked, and never many in a row. */
  async function labelAhead(state: MapState): Promise<Map<string, Buffer>> {
    const labels = new Map<string, Buffer>();
    for (const tag of await listUnlabelled(logDatabase.db, state.size, endOf(state))) {
      labels.set(tag.toString('hex'), labelOf(key, tag));
      await breathe();
    }
    return labels;
  }

  /** The next edition; undefined when there is nothing to tell. `isWhole`: all the log is taken in. */
  return async function extend(): Promise<{ edition: number; isWhole: boolean } | undefined> {
    const before = await getMapState(logDatabase.db, false);
    if (before.key && !before.key.equals(key.publicKey)) {
      throw new TypeError('The map was made with another key; see docs/adr/0021.');
    }
    const labels = await labelAhead(before);
    return logDatabase.transaction(async (tx) => {
      const state = await getMapState(tx, true);
      const size = endOf(state);
      // A clock that was set back takes nothing back.
      const due = new Date(Math.max(state.due.getTime(), state.now.getTime()));
      const [fresh, newlyDue] = [
        await listNewEntries(tx, state.size, size),
        await listNewlyDue(tx, state.size, state.due, due),
      ];
      const removed = await takeRemovals(tx);
      const changed = new Map(
        [...newlyDue, ...fresh].map(({ subjectTag }) => [subjectTag.toString('hex'), subjectTag]),
      );
      const isSilent =
        state.madeAt && state.now.getTime() - state.madeAt.getTime() < longestSilenceMs;
      if (isSilent && changed.size === 0 && removed.length === 0) return undefined;
      const edition = state.edition + 1;

      const isDue = ({ discloseAt }: MappedEntry) => !discloseAt || discloseAt <= due;
      const disclosed = byTag([...newlyDue, ...fresh].filter(isDue));
      const hiding = byTag([...newlyDue, ...fresh.filter((entry) => !isDue(entry))]);
      const subjects = await openSubjects(tx, changed, labels);
      const extended = extendLists(subjects, disclosed);
      await putSubjects(tx, edition, extended.subjects);
      await putBlocks(tx, extended.blocks);

      const pending = byTag(await listPending(tx, tagsIn(hiding, changed), size, due));
      const gone = removed.map((label) => ({ label, value: null }));
      const root = await changeMap(tx, disclosedMap, edition, gone, extended.changes);
      const pendingRoot = await changeMap(
        tx,
        pendingMap,
        edition,
        gone,
        [...hiding.keys()].flatMap((tag) => {
          const subject = subjects.get(tag);
          return subject ? [pendingChange(subject, pending.get(tag) ?? [])] : [];
        }),
      );
      const pendingSalt = ids.bytes(32);
      const made = { edition, size, due, root, pendingRoot, pendingSalt };
      const { stageId } = await append(tx, rootDraft({ ...made, key: key.publicKey }));
      await insertEdition(tx, { ...made, stageId, key: key.publicKey });
      return { edition, isWhole: size === state.logSize };
    });
  };

  /** The rows of all changed subjects, new ones with a label and a salt of their own. */
  async function openSubjects(
    tx: Tx,
    changed: ReadonlyMap<string, Buffer>,
    labels: ReadonlyMap<string, Buffer>,
  ): Promise<Map<string, SubjectRow>> {
    const known = await lockSubjects(tx, [...changed.values()]);
    const subjects = new Map(known.map((row) => [row.subjectTag.toString('hex'), row]));
    for (const [tag, subjectTag] of changed) {
      if (subjects.has(tag)) continue;
      const label = labels.get(tag) ?? labelOf(key, subjectTag);
      subjects.set(tag, { subjectTag, label, salt: ids.bytes(32), ...emptyList });
    }
    return subjects;
  }
}

const endOf = ({ size, logSize }: MapState): number => Math.min(logSize, size + mostEntries);

function byTag(entries: readonly MappedEntry[]): Map<string, MappedEntry[]> {
  const groups = new Map<string, MappedEntry[]>();
  for (const entry of entries) {
    const tag = entry.subjectTag.toString('hex');
    const group = groups.get(tag);
    if (group) group.push(entry);
    else groups.set(tag, [entry]);
  }
  return groups;
}

function tagsIn(groups: ReadonlyMap<string, unknown>, tags: ReadonlyMap<string, Buffer>): Buffer[] {
  return [...tags].flatMap(([tag, bytes]) => (groups.has(tag) ? [bytes] : []));
}

/** Extends each list by what was disclosed; subjects of whom nothing was keep theirs. */
function extendLists(
  subjects: ReadonlyMap<string, SubjectRow>,
  disclosed: ReadonlyMap<string, readonly MappedEntry[]>,
) {
  const made = {
    subjects: [] as SubjectRow[],
    blocks: [] as BlockRow[],
    changes: [] as MapChange[],
  };
  for (const [tag, subject] of subjects) {
    const indexes = (disclosed.get(tag) ?? []).map(({ index }) => index).sort((a, b) => a - b);
    const { subjectTag, label, salt } = subject;
    const { state, full } = extendList(subject, indexes.map(encodeIndex));
    made.subjects.push({ subjectTag, label, salt, ...state });
    if (indexes.length === 0) continue;
    const first = Math.floor(subject.count / blockItems);
    const parts = state.tail.length > 0 ? [...full, state.tail] : full;
    made.blocks.push(...parts.map((items, at) => ({ subjectTag, block: first + at, items })));
    made.changes.push({ label, value: listCommitment(salt, state) });
  }
  return made;
}

/** What the map of the undisclosed holds of a subject: entries and dates, or nothing. */
function pendingChange({ label, salt }: SubjectRow, entries: readonly MappedEntry[]): MapChange {
  const items = entries.flatMap(({ index, discloseAt }) =>
    discloseAt ? [encodePending({ index, discloseAt })] : [],
  );
  if (items.length === 0) return { label, value: null };
  return { label, value: listCommitment(salt, extendList(emptyList, items).state) };
}

/** Writes a map's changed pages; its root. Who comes back after an erasure keeps her label. */
async function changeMap(
  tx: Tx,
  map: number,
  edition: number,
  removals: readonly MapChange[],
  settings: readonly MapChange[],
): Promise<Buffer> {
  const changes = new Map(
    [...removals, ...settings].map((each) => [each.label.toString('hex'), each]),
  );
  const labels = [...changes.values()].map(({ label }) => label);
  const pages = await loadPages(labels, (paths) => findPages(tx, map, paths));
  const { root, written } = changePages(pages, [...changes.values()]);
  await insertPages(tx, map, edition, written);
  return root;
}

/** The pages on the labels' ways, a level of them at a time. */
export async function loadPages(
  labels: readonly Buffer[],
  read: (paths: readonly string[]) => Promise<Map<string, Page>>,
): Promise<Map<string, Page>> {
  const pages = new Map<string, Page>();
  let groups = new Map<string, readonly Buffer[]>([['', labels]]);
  while (groups.size > 0) {
    const found = await read([...groups.keys()]);
    const next = new Map<string, readonly Buffer[]>();
    for (const [path, group] of groups) {
      const page = found.get(path) ?? (path === '' ? emptyPage : undefined);
      if (!page) throw new Error(`The map lacks its page ${path}.`);
      pages.set(path, page);
      for (const below of pagesBelow(page, path, group)) {
        const last = below.at(-1);
        const within = group.filter((label) => label.toString('hex')[path.length] === last);
        next.set(below, within);
      }
    }
    groups = next;
  }
  return pages;
}

/** What an edition says of itself in the log; the root of the undisclosed is hidden by a salt of its own. */
function rootDraft(
  made: Record<'edition' | 'size', number> &
    Record<'root' | 'pendingRoot' | 'pendingSalt' | 'key', Buffer> & { due: Date },
): LeafDraft {
  const { edition, size, due, root, pendingRoot, pendingSalt, key } = made;
  const pending = hash('sha256', Buffer.concat([pendingSalt, pendingRoot]), 'buffer');
  return {
    type: 'map.published',
    outcome: 'ok',
    department: null,
    actor: 'platform',
    commitments: {},
    map: {
      edition,
      root: encodeBase64url(root),
      pending: encodeBase64url(pending),
      key: encodeBase64url(key),
      size,
      due: due.toISOString(),
    },
  };
}
