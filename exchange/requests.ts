// The requester's other acts on its own verifications: listing them, taking one back.
import { type Actor, rowScopeOf } from '../identity/index.ts';
import type { ExchangeDeps } from './deps.ts';
import type { EndVerification } from './ending.ts';
import { exchangeErrors } from './errors.ts';
import { departmentOf } from './request.ts';
import { findVerification, listVerifications } from './request-store.ts';
import { readId } from './row-id.ts';
import { notFound, outline, requireAsker, type Showing, type Verification } from './show.ts';
import { isVerificationState } from './verification.ts';

export interface ListQuery {
  state?: string | undefined;
  caseId?: string | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

/** How many items a page holds. */
export function pageLimit(limit: number | undefined): number {
  return Math.max(1, Math.min(limit ?? DEFAULT_LIMIT, MAX_LIMIT));
}

/** A page of rows ordered by id, read with one row more than it shows. */
export function pageOf<Row extends { id: string }, Item>(
  rows: Row[],
  limit: number,
  show: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  return {
    items: shown.map(show),
    nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
  };
}

/** Binds the acts to the rooms below. */
export function createRequests(
  { database, identity, audit }: Pick<ExchangeDeps, 'database' | 'identity' | 'audit'>,
  { end, showing }: { end: EndVerification; showing: Showing },
) {
  return {
    /** The caller's own verifications, newest first, without subjects and answers. */
    async listVerifications(actor: Actor, query: ListQuery = {}): Promise<Page<Verification>> {
      requireAsker(actor);
      const { state, caseId, cursor } = query;
      if (state !== undefined && !isVerificationState(state)) {
        throw exchangeErrors.request_invalid('There is no such state.', {
          fields: [{ pointer: '/state', detail: 'is not a state of a verification' }],
        });
      }
      const limit = pageLimit(query.limit);
      const wanted = {
        state,
        caseTag: caseId === undefined ? undefined : identity.caseTag(caseId),
        beforeId: cursor === undefined ? undefined : readId(cursor, notFound),
        limit: limit + 1,
      };
      const requester = departmentOf(actor);
      const rows = await database
        .as(rowScopeOf(actor))
        .transaction((tx) => listVerifications(tx, requester, wanted));
      const stages = rows.flatMap((row) => [row.questionStage, row.answerStage ?? []].flat());
      const indexes = await audit.indexesOf(stages);
      return pageOf(rows, limit, (row) => {
        const own = [row.questionStage, row.answerStage].flatMap(
          (stage) => (stage === null ? undefined : indexes.get(stage)) ?? [],
        );
        return outline(row, own);
      });
    },

    /** Takes a question back before it ended; exchange.already_ended after that. */
    async cancel(actor: Actor, id: string): Promise<Verification> {
      requireAsker(actor);
      const requester = departmentOf(actor);
      await database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const row = await findVerification(tx, readId(id, notFound), 'for update');
        if (!row || row.requester !== requester) throw notFound();
        if (row.endedAt !== null) {
          throw exchangeErrors.already_ended(
            'This verification has ended: it can’t be taken back.',
          );
        }
        await end(tx, actor, row, { state: 'cancelled' });
      });
      return showing.deliver(actor, { id, isRepeat: false });
    },
  };
}
