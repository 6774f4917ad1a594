// What a harvest has to do: records of a source against what is stored of it. Pure.

import { shortHash } from './names.ts';
import type { Fault, Identity, ReadSource, SourceRecord } from './source-record.ts';

/** One bad record, for the report. */
export interface RecordError {
  /** The record's number in its list, or its line. */
  position: number;
  id: string;
  faults: Fault[];
}

export interface StoredRecord {
  key: string;
  ordinal: number;
  datasetId: string;
  hash: string;
  isDeleted: boolean;
}

/** A record to be written; `stored` is what it changes or brings back. */
export interface RecordWrite {
  key: string;
  ordinal: number;
  hash: string;
  record: SourceRecord;
  stored: StoredRecord | null;
}

export interface HarvestPlan {
  added: RecordWrite[];
  changed: RecordWrite[];
  unchanged: number;
  deleted: StoredRecord[];
  duplicates: number;
  /** How many records of the source are live before this harvest. */
  storedCount: number;
  errors: RecordError[];
  /** Records that count as duplicates but say something else than the one that was taken. */
  notices: RecordError[];
}

interface Entry {
  position: number;
  identity: Identity;
  record: SourceRecord;
  hash: string;
}

/** The plan that brings what is stored to what the source says now. */
export function planHarvest(source: ReadSource, stored: readonly StoredRecord[]): HarvestPlan {
  const { entries, faulty, errors } = sortOut(source);
  const keyOf = keyMaker(entries);
  const groups = groupBy(entries, ({ identity }) => keyOf(identity));
  const storedGroups = groupBy(stored, ({ key }) => key);
  const plan: HarvestPlan = {
    added: [],
    changed: [],
    unchanged: 0,
    deleted: [],
    duplicates: 0,
    storedCount: stored.filter(({ isDeleted }) => !isDeleted).length,
    errors,
    notices: [],
  };
  for (const [key, group] of groups) {
    match(key, distinct(group, plan), storedGroups.get(key) ?? [], plan);
    storedGroups.delete(key);
  }
  // A record that is there but broken now is not gone: what was taken from it before stays.
  const spared = new Set(faulty.map(keyOf));
  for (const [key, group] of storedGroups) {
    if (!spared.has(key)) plan.deleted.push(...group.filter(({ isDeleted }) => !isDeleted));
  }
  return plan;
}

function sortOut(source: ReadSource): {
  entries: Entry[];
  faulty: Identity[];
  errors: RecordError[];
} {
  const entries: Entry[] = [];
  const faulty: Identity[] = [];
  const errors: RecordError[] = [];
  for (const read of source.records) {
    const { identity, position } = read;
    if ('record' in read) {
      const { record } = read;
      const hash = shortHash(32, JSON.stringify(record));
      entries.push({ position, identity, record, hash });
    } else {
      faulty.push(identity);
      errors.push({ position, id: nameOf(identity), faults: read.faults });
    }
  }
  return { entries, faulty, errors };
}

/** What people know a record by. */
function nameOf({ identifier, title, url }: Identity): string {
  return identifier || title || url;
}

/**
 * How records are told apart: by their identifier; else by their link, unless records with other
 * titles share it (one real portal gives all its 4,494 records the same); else by title and
 * publisher.
 */
function keyMaker(entries: readonly Entry[]): (identity: Identity) => string {
  const titles = new Map<string, string>();
  const shared = new Set<string>();
  for (const { identity } of entries) {
    const { url, title } = identity;
    if (titles.has(url) && titles.get(url) !== title) shared.add(url);
    titles.set(url, title);
  }
  return ({ identifier, url, title, organisation }) => {
    if (identifier !== '') return shortHash(32, 'id', identifier);
    if (url !== '' && !shared.has(url)) return shortHash(32, 'url', url);
    return shortHash(32, 'title', title, organisation);
  };
}

/** The records of one key without repetitions; of one identifier only the first is taken. */
function distinct(group: readonly Entry[], plan: HarvestPlan): Entry[] {
  const byHash = new Map<string, Entry>();
  for (const entry of group) {
    const first = byHash.values().next().value;
    if (byHash.has(entry.hash)) plan.duplicates++;
    else if (first !== undefined && entry.identity.identifier !== '') {
      plan.duplicates++;
      plan.notices.push({
        position: entry.position,
        id: entry.identity.identifier,
        faults: [
          { field: 'identifier', why: `is record ${first.position}'s too, which says otherwise` },
        ],
      });
    } else byHash.set(entry.hash, entry);
  }
  return [...byHash.values()];
}

/** Pairs the records of one key with the stored ones: equal content first, then in their order. */
function match(key: string, entries: Entry[], stored: StoredRecord[], plan: HarvestPlan): void {
  const live = stored.filter(({ isDeleted }) => !isDeleted);
  const gone = stored.filter(({ isDeleted }) => isDeleted);
  const byHash = new Map(live.map((record) => [record.hash, record]));
  const left = new Set(live);
  const others: Entry[] = [];
  for (const entry of entries) {
    const same = byHash.get(entry.hash);
    if (same && left.delete(same)) plan.unchanged++;
    else others.push(entry);
  }
  const free = [...left];
  let ordinal = Math.max(0, ...stored.map((record) => record.ordinal));
  for (const { hash, record } of others) {
    const changed = free.shift();
    const revived = changed ? undefined : gone.shift();
    const before = changed ?? revived ?? null;
    const write = { key, ordinal: before?.ordinal ?? ++ordinal, hash, record, stored: before };
    if (changed) plan.changed.push(write);
    else plan.added.push(write);
  }
  plan.deleted.push(...free);
}

function groupBy<Item>(items: Iterable<Item>, keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
