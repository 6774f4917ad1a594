// Whoever watches is watched: each call is an entry of its own, refused and failed ones too, and nothing
// is answered before that entry is in the tree.
import type { AccessEntry, Actor } from '../identity/index.ts';
import { requireScope } from '../identity/index.ts';
import { AppError, type RowScope, type Tx } from '../platform/index.ts';
import type { OversightDeps } from './deps.ts';

/** What is to be said about a call when it ends; the act fills in what it learns on the way. */
export type Call = Omit<AccessEntry, 'outcome' | 'code'>;

export type Watch = ReturnType<typeof createWatch>;

export function createWatch({
  database,
  audit,
  identity,
}: {
  database: OversightDeps['database'];
  audit: Pick<OversightDeps['audit'], 'sequenced'>;
  identity: Pick<OversightDeps['identity'], 'recordAccess'>;
}) {
  async function record(
    actor: Actor,
    call: Call,
    outcome: Pick<AccessEntry, 'outcome' | 'code'>,
  ): Promise<void> {
    const { stageId } = await database.transaction((tx) =>
      identity.recordAccess(tx, actor, { ...call, ...outcome }),
    );
    await audit.sequenced([stageId]);
  }

  async function recordFault(actor: Actor, call: Call, error: unknown): Promise<void> {
    await record(
      actor,
      call,
      error instanceof AppError
        ? { outcome: isRefusal(error) ? 'refused' : 'failed', code: error.code }
        : { outcome: 'failed' },
    );
  }

  return {
    /** Runs a look of an auditor; its outcome is sequenced before anyone learns it. */
    async look<T>(actor: Actor, call: Call, act: () => Promise<T>): Promise<T> {
      let result: T;
      try {
        requireScope(actor, 'audit:read');
        result = await act();
      } catch (error) {
        await recordFault(actor, call, error);
        throw error;
      }
      await record(actor, call, { outcome: 'ok' });
      return result;
    },

    /** Runs an act that changes something: its entry stands in the same transaction. */
    async change<T>(
      actor: Actor,
      call: Call,
      scope: RowScope,
      act: (tx: Tx) => Promise<T>,
    ): Promise<T> {
      let done: { result: T; stageId: string };
      try {
        done = await database.as(scope).transaction(async (tx) => {
          const result = await act(tx);
          const { stageId } = await identity.recordAccess(tx, actor, { ...call, outcome: 'ok' });
          return { result, stageId };
        });
      } catch (error) {
        await recordFault(actor, call, error);
        throw error;
      }
      await audit.sequenced([done.stageId]);
      return done.result;
    },
  };
}

/** Refused for what the caller is or asked; anything else went wrong on our side or in time. */
function isRefusal({ kind, code }: AppError): boolean {
  if (kind === 'conflict') return code.startsWith('oversight.');
  return ['unauthenticated', 'forbidden', 'invalid', 'malformed'].includes(kind);
}
