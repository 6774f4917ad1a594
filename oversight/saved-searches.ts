// Searches under a name: an auditor's own, or shared with those of her house. Name and conditions are
// sealed, under the key of the person searched for where there is one; each run is a search like any
// other, with its own reason and its own entry.
import { z } from 'zod';
import { scopeOfLog } from '../audit/index.ts';
import {
  type Actor,
  containsCitizenId,
  type PersonIdentifier,
  requireScope,
} from '../identity/index.ts';
import type { Tx } from '../platform/index.ts';
import type { AuditItem } from './access-item.ts';
import type { AuditQuery } from './auditors.ts';
import type { OversightDeps } from './deps.ts';
import { oversightErrors } from './errors.ts';
import { isId, pageOfRows, readCursor } from './operator.ts';
import type { Page, PageQuery } from './page.ts';
import {
  deleteSavedSearch,
  findSavedSearch,
  insertSavedSearch,
  listSavedSearches,
  noteRun,
  type SavedSearchRow,
  type Viewer,
} from './saved-search-store.ts';
import {
  type Conditions,
  conditionsOf,
  refuseIdentifiers,
  type Searching,
} from './search-conditions.ts';
import type { Watch } from './watched.ts';

/** A saved search as its users see it; whom it looks for it doesn't say. */
export type SavedSearch = {
  id: string;
  name: string;
  conditions: Record<string, string>;
  isByPerson: boolean;
  isShared: boolean;
  isMine: boolean;
  savedAt: string;
  lastRunAt: string | null;
};

const Sealed = z.object({ name: z.string(), conditions: z.record(z.string(), z.string()) });
const LONGEST_NAME = 100;

interface Input extends Conditions {
  name: string;
  subject?: PersonIdentifier | undefined;
  shared?: boolean | undefined;
}

export function createSavedSearches(
  deps: OversightDeps,
  watch: Watch,
  searching: Searching,
  search: (actor: Actor, query: AuditQuery) => Promise<Page<AuditItem>>,
) {
  const { database, ids, identity } = deps;
  const log = database.as(scopeOfLog);
  const context = (id: string) => `oversight.saved_searches|${id}|search_sealed`;

  async function viewerOf(actor: Actor): Promise<Viewer> {
    requireScope(actor, 'audit:read');
    const account = await identity.officerAccountOf(actor, 'auditor');
    return { account, organisation: actor.organisationId ?? '' };
  }

  /** Those whose person was erased meanwhile are left out. */
  async function show(
    tx: Tx,
    rows: readonly SavedSearchRow[],
    { account }: Viewer,
  ): Promise<SavedSearch[]> {
    const texts = await identity.openMany(
      tx,
      rows.map(({ id, personId, searchSealed }) => ({
        personId,
        sealed: searchSealed,
        context: context(id),
      })),
    );
    return rows.flatMap((row, at) => {
      const text = texts[at];
      if (!text) return [];
      const { name, conditions } = Sealed.parse(JSON.parse(text.toString('utf8')));
      const { id, isShared, savedAt, lastRunAt } = row;
      const isMine = row.owner === account;
      const isByPerson = row.personId !== null;
      return [{ id, name, conditions, isByPerson, isShared, isMine, savedAt, lastRunAt }];
    });
  }

  async function get(tx: Tx, id: string, viewer: Viewer): Promise<SavedSearchRow> {
    const row = isId(id) ? await findSavedSearch(tx, id, viewer) : undefined;
    if (!row) throw oversightErrors.search_not_found('There is no such saved search of yours.');
    return row;
  }

  return {
    /** Keeps conditions under a name; a person looked for must be known to the house. */
    async saveSearch(actor: Actor, input: Input): Promise<SavedSearch> {
      return watch.change(actor, { type: 'audit.search_saved' }, scopeOfLog, async (tx) => {
        const viewer = await viewerOf(actor);
        const conditions = conditionsOf(input);
        const name = readName(input.name);
        refuseIdentifiers({ ...conditions });
        // Refuses what no search would take.
        searching.filterOf(conditions, undefined);
        let personId: string | null = null;
        if (input.subject) {
          personId = await searching.findPerson(input.subject);
          if (personId === null) {
            throw oversightErrors.unknown_subject('The house knows nobody with this number.');
          }
        }
        const id = ids.uuid();
        const text = Buffer.from(JSON.stringify({ name, conditions }), 'utf8');
        const searchSealed = await identity.sealFor(tx, personId, text, context(id));
        const { account: owner, organisation } = viewer;
        const isShared = input.shared ?? false;
        await insertSavedSearch(tx, { id, owner, organisation, isShared, personId, searchSealed });
        const [saved] = await show(tx, [await get(tx, id, viewer)], viewer);
        if (!saved) throw new TypeError('It was just saved.');
        return saved;
      });
    },

    /** Her own and those shared in her house, latest first. */
    async listSearches(
      actor: Actor,
      { limit = 50, cursor }: PageQuery = {},
    ): Promise<Page<SavedSearch>> {
      const viewer = await viewerOf(actor);
      return log.transaction(async (tx) => {
        const page = { beforeId: readCursor(cursor), limit: limit + 1 };
        const rows = await listSavedSearches(tx, viewer, page);
        const { items, nextCursor } = pageOfRows(rows, limit, (row) => row);
        return { items: await show(tx, items, viewer), nextCursor };
      });
    },

    /** Runs a saved search: as `search` does, with a reason of today. */
    async runSearch(
      actor: Actor,
      id: string,
      { reason, limit, cursor }: PageQuery & { reason: string },
    ): Promise<Page<AuditItem>> {
      const viewer = await viewerOf(actor);
      const query = await log.transaction(async (tx): Promise<AuditQuery> => {
        const row = await get(tx, id, viewer);
        const [saved] = await show(tx, [row], viewer);
        if (!saved) throw oversightErrors.search_not_found('Whom it looked for was erased.');
        await noteRun(tx, id);
        if (row.personId === null) return saved.conditions;
        const { scheme, value } = await identity.revealPerson(tx, row.personId);
        return { ...saved.conditions, subject: { scheme, value } };
      });
      return search(actor, { ...query, reason, limit, cursor });
    },

    /** Only who saved it takes it away. */
    async deleteSearch(actor: Actor, id: string): Promise<void> {
      await watch.change(actor, { type: 'audit.search_deleted' }, scopeOfLog, async (tx) => {
        const viewer = await viewerOf(actor);
        const row = await get(tx, id, viewer);
        if (row.owner !== viewer.account) {
          throw oversightErrors.not_yours('Only who saved a search takes it away.');
        }
        await deleteSavedSearch(tx, id);
      });
    },
  };
}

function readName(given: string): string {
  const name = given.trim();
  const isFit = name !== '' && name.length <= LONGEST_NAME && !containsCitizenId(name);
  if (isFit) return name;
  const detail = `Give a name of at most ${LONGEST_NAME} characters that holds no citizen ID.`;
  throw oversightErrors.name_invalid(detail, { fields: [{ pointer: '/name', detail }] });
}
