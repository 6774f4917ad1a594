// Closing a case in which looks were kept from their subjects: from then on they are told, and nothing more
// can be delayed in it. By the department that asked alone.
import { type Actor, accountOf, rowScopeOf } from '../identity/index.ts';
import { AppError, systemScope } from '../platform/index.ts';
import {
  type CovertCaseRow,
  listCases,
  listDelayed,
  listUnsettled,
  markClosed,
  markSettled,
} from './covert-case-store.ts';
import type { ExchangeDeps } from './deps.ts';
import { exchangeErrors } from './errors.ts';
import { checkFreeTexts, freeTextFaults } from './free-text.ts';
import { departmentOf } from './request.ts';
import { type Page, pageLimit, pageOf } from './requests.ts';
import { readId } from './row-id.ts';
import { requireAsker } from './show.ts';

/** A case in which a department has delayed looks. Its number is not here: it may say something of a person. */
export type CovertCase = {
  id: string;
  state: 'open' | 'closed';
  openedAt: string;
  closedAt?: string;
  /** When its last look is told without a closing. */
  discloseBy: string | null;
  looks: number;
};

/** A transaction that had staged an entry before the closing has ended by then. */
const SETTLE_MINUTES = 10;
const BATCH = 100;

/** Binds the acts to the rooms below. */
export function createCovertCases(deps: ExchangeDeps) {
  const { database, identity, audit, logger } = deps;

  async function recordRefusal(actor: Actor, caseId: string, code: string): Promise<void> {
    const { faults, holdsIdentifier } = freeTextFaults({ caseId });
    const isClean = faults.length + holdsIdentifier.length === 0;
    await database.transaction((tx) =>
      identity.recordAccess(tx, actor, {
        type: 'case.closed',
        outcome: 'refused',
        code,
        answerKind: 'none',
        ...(isClean ? { caseId } : {}),
      }),
    );
  }

  return {
    /** The department's own cases with delayed looks, newest first. */
    async listCovertCases(
      actor: Actor,
      query: { limit?: number | undefined; cursor?: string | undefined } = {},
    ): Promise<Page<CovertCase>> {
      requireAsker(actor);
      const requester = departmentOf(actor);
      const limit = pageLimit(query.limit);
      const { cursor } = query;
      const beforeId = cursor === undefined ? undefined : readId(cursor, notFound);
      const rows = await database
        .as(rowScopeOf(actor))
        .transaction((tx) => listCases(tx, requester, { beforeId, limit: limit + 1 }));
      return pageOf(rows, limit, shown);
    },

    /**
     * Closes a case by its number. Each person looked at reads of the closing, and of the looks; the log is told
     * of refused closings too.
     */
    async closeCase(
      actor: Actor,
      { caseId, officer }: { caseId: string; officer?: string | undefined },
    ): Promise<{ looks: number }> {
      try {
        requireAsker(actor);
        checkFreeTexts({ caseId, officer });
        const requester = departmentOf(actor);
        const one = { requester, caseTag: identity.caseTag(caseId) };
        const { stages, looks } = await database.as(rowScopeOf(actor)).transaction(async (tx) => {
          const closed = await markClosed(tx, { ...one, by: accountOf(actor) });
          if (closed === undefined) throw notFound();
          if (!closed) throw exchangeErrors.case_closed('This case was closed before.');
          const delayed = await listDelayed(tx, one);
          await audit.discloseCase(
            tx,
            one.caseTag,
            delayed.map(({ id }) => id),
          );
          const subjects = new Set(
            delayed.flatMap(({ subjectId, isErased }) => (isErased ? [] : [subjectId])),
          );
          const entries = [...subjects].map((subject) => ({
            type: 'case.closed',
            outcome: 'ok' as const,
            subject,
            caseId,
            answerKind: 'none',
            ...(officer === undefined ? {} : { officer }),
          }));
          const staged = await identity.recordAccessMany(tx, actor, entries);
          return { stages: staged.map(({ stageId }) => stageId), looks: delayed.length };
        });
        await audit.sequenced(stages);
        return { looks };
      } catch (error) {
        if (error instanceof AppError && error.kind !== 'unavailable') {
          await recordRefusal(actor, caseId, error.code);
        }
        throw error;
      }
    },

    /** Discloses what was on its way into the log while a case was closed. For the sweeper. */
    async settleCases(): Promise<void> {
      const system = database.as(systemScope);
      const cases = await system.transaction((tx) => listUnsettled(tx, SETTLE_MINUTES, BATCH));
      for (const { isOld, ...one } of cases) {
        await system
          .transaction(async (tx) => {
            const delayed = await listDelayed(tx, one);
            const found = await audit.discloseCase(
              tx,
              one.caseTag,
              delayed.map(({ id }) => id),
            );
            if (isOld && found === 0) await markSettled(tx, one);
          })
          .catch((error: unknown) => {
            logger.error({ err: error }, 'What a closed case holds could not be disclosed yet.');
          });
      }
    },
  };
}

function shown({ id, openedAt, closedAt, discloseBy, looks }: CovertCaseRow): CovertCase {
  const time = (ms: number) => new Date(ms).toISOString();
  return {
    id,
    state: closedAt === null ? 'open' : 'closed',
    openedAt: time(openedAt),
    ...(closedAt === null ? {} : { closedAt: time(closedAt) }),
    discloseBy: discloseBy === null ? null : time(discloseBy),
    looks,
  };
}

function notFound(): AppError {
  return exchangeErrors.case_not_found(
    'Your department has delayed no look in a case of this number.',
  );
}
