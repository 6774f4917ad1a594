// Are entries put into the tree? For readiness: whoever asks can't see the leader, which may be another
// process, but can see that what waits gets its place.
import { setTimeout as wait } from 'node:timers/promises';
import type { Database } from '../platform/index.ts';
import { auditErrors } from './errors.ts';
import { findProgress } from './store.ts';

/** A batch takes under 0.2 s; this long nothing has moved when nobody leads. Below the wait for a check. */
const longestLookMs = 1500;
const betweenLooksMs = 100;

/** Binds the look to a database; those who ask at the same time share one. */
export function createSequencing(database: Database) {
  let looking: Promise<void> | undefined;

  const look = () => findProgress(database.db);

  async function lookUntilMoved(): Promise<void> {
    const end = performance.now() + longestLookMs;
    const first = await look();
    for (
      let { waits, size } = first;
      waits && size === first.size;
      { waits, size } = await look()
    ) {
      if (performance.now() > end) {
        throw auditErrors.unavailable('Entries wait, and no process puts them into the tree.');
      }
      await wait(betweenLooksMs);
    }
  }

  /** Resolves when nothing waits or the tree grows; else throws audit.unavailable after 1.5 s. */
  return (): Promise<void> => {
    looking ??= lookUntilMoved().finally(() => {
      looking = undefined;
    });
    return looking;
  };
}
