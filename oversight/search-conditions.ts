// What auditors search by, and the pages it gives. Purposes are sealed, so that they narrow what the
// other conditions found: a page then ends after so many entries, found or not, and the next goes on.
import type { EntryQuery, LogEntry } from '../audit/index.ts';
import { scopeOfLog } from '../audit/index.ts';
import { type AccessDetail, containsCitizenId, type PersonIdentifier } from '../identity/index.ts';
import { AppError } from '../platform/index.ts';
import type { OversightDeps } from './deps.ts';
import { oversightErrors } from './errors.ts';
import { type PageQuery, readPage, readPeriod } from './page.ts';

/** All that are given hold together. */
export interface Conditions {
  caseId?: string | undefined;
  department?: string | undefined;
  service?: string | undefined;
  /** A pseudonym as it stands in an item. */
  actor?: string | undefined;
  type?: string | undefined;
  outcome?: string | undefined;
  /** A part of the purpose. */
  purpose?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

const NAMES = [
  ...['caseId', 'department', 'service', 'actor', 'type', 'outcome', 'purpose', 'from', 'to'],
] as (keyof Conditions)[]; // each a key of Conditions

/** The conditions alone out of a larger object. */
export function conditionsOf(given: Conditions): Conditions {
  return Object.fromEntries(
    NAMES.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])),
  );
}

export interface Found {
  entry: LogEntry;
  detail: AccessDetail;
}

export type Filter = Omit<EntryQuery, 'beforeIndex' | 'limit'>;

/** Entries looked at for one page where the purpose narrows: some tens of milliseconds. */
const MOST_LOOKED_AT = 1000;
const AT_ONCE = 200;

export type Searching = ReturnType<typeof createSearching>;

export function createSearching({
  database,
  audit,
  identity,
  cityTz,
}: Pick<OversightDeps, 'database' | 'audit' | 'identity' | 'cityTz'>) {
  const log = audit.as(scopeOfLog);

  async function open(entries: LogEntry[]): Promise<Found[]> {
    const details = await identity.openAccess(entries);
    return entries.flatMap((entry, at) => {
      const detail = details[at];
      return detail ? [{ entry, detail }] : [];
    });
  }

  return {
    /** The log's own conditions; the purpose is for `page`. */
    filterOf(conditions: Conditions, subjectTag: Buffer | undefined): Filter {
      const { caseId, department, service, actor, type, outcome } = conditions;
      return {
        subjectTag,
        caseTag: caseId === undefined ? undefined : identity.caseTag(caseId),
        department,
        service,
        actor,
        type,
        outcome,
        ...readPeriod(conditions, cityTz),
      };
    },

    /** Newest first, with the index to go on from: null when there are no more. */
    async page(
      filter: Filter,
      purpose: string | undefined,
      query: PageQuery,
    ): Promise<{ found: Found[]; nextCursor: string | null }> {
      const { limit, beforeIndex } = readPage(query);
      if (purpose === undefined) {
        const entries = await log.findEntries({ ...filter, beforeIndex, limit: limit + 1 });
        const last = entries.length > limit ? entries[limit - 1] : undefined;
        const found = await open(entries.slice(0, limit));
        return { found, nextCursor: last ? String(last.index) : null };
      }
      const found: Found[] = [];
      let at = beforeIndex;
      for (let looked = 0; looked < MOST_LOOKED_AT; ) {
        const entries = await log.findEntries({ ...filter, beforeIndex: at, limit: AT_ONCE });
        for (const one of await open(entries)) {
          at = one.entry.index;
          if (one.detail.purpose?.includes(purpose)) found.push(one);
          if (found.length === limit) return { found, nextCursor: String(at) };
        }
        if (entries.length < AT_ONCE) return { found, nextCursor: null };
        looked += entries.length;
      }
      return { found, nextCursor: at === undefined ? null : String(at) };
    },

    count: (filter: Filter, most: number): Promise<number> => log.countEntries(filter, most),

    entry: (index: number): Promise<LogEntry> => log.getEntry(index),

    open,

    /** The person searched for, as the house knows her; null when it does not. Pointers are the body's. */
    async findPerson(subject: PersonIdentifier): Promise<string | null> {
      try {
        return await identity.findPerson(database.db, subject);
      } catch (cause) {
        if (!(cause instanceof AppError) || !cause.fields) throw cause;
        const fields = cause.fields.map((f) => ({ ...f, pointer: `/subject${f.pointer}` }));
        throw new AppError(cause.kind, cause.code, cause.detail, { fields, cause });
      }
    },
  };
}

/** What is kept with the log names nobody: the subject has a field of her own. */
export function refuseIdentifiers(texts: Record<string, string | undefined>): void {
  const names = Object.keys(texts).filter((name) => containsCitizenId(texts[name] ?? ''));
  if (names.length === 0) return;
  throw oversightErrors.identifier_in_text(
    'A citizen ID belongs in `subject` alone; anything else is kept with the log as it is.',
    { fields: names.map((name) => ({ pointer: `/${name}`, detail: 'Contains a citizen ID.' })) },
  );
}

/** The conditions of a question as one line, for the log; never a person's identifier. */
export function inWords(conditions: object): string | undefined {
  const words = Object.entries(conditions).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  return words.length === 0 ? undefined : words.join(' ');
}
