// Refusals at a door are entries of the log: who wanted in, where. What it wanted of whom was not read,
// so the entry names no subject.
import { AppError, type Database, type Tx } from '../platform/index.ts';
import type { AccessEntry } from './access.ts';
import type { Actor } from './actor.ts';
import { type Door, requireEntry } from './doors.ts';

/** Binds the check to one house. */
export function createDoorkeeper(deps: {
  database: Database;
  recordAccess: (tx: Tx, actor: Actor, entry: AccessEntry) => Promise<unknown>;
}) {
  const { database, recordAccess } = deps;
  return {
    /** Refuses who may not enter; the refusal of a known caller is logged first. */
    async admitAt(door: Door, actor: Actor, operation: string): Promise<void> {
      try {
        requireEntry(actor, door);
      } catch (error) {
        if (error instanceof AppError && actor.kind !== 'anonymous') {
          const { code } = error;
          const entry = { type: 'door.refused', outcome: 'refused' as const, code };
          await database.transaction((tx) =>
            recordAccess(tx, actor, { ...entry, question: operation, answerKind: 'none' }),
          );
        }
        throw error;
      }
    },
  };
}
