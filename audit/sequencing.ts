// Are entries put into the tree? For readiness: whoever asks can't see the leader, which may be another
// process, but can see that what waits gets its place.
import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { type Database, selectRows } from '../platform/index.ts';
import { auditErrors } from './errors.ts';

/** A batch takes under 0.2 s; this long nothing has moved when nobody leads. Below the wait for a check. */
const longestLookMs = 1500;
const betweenLooksMs = 100;

interface Look {
  size: number;
  waits: boolean;
}

/** Binds the look to a database; those who ask at the same time share one. */
export function createSequencing(database: Database) {
  let looking: Promise<void> | undefined;

  async function look(): Promise<Look> {
    const [row] = await selectRows<Look>(
      database.db,
      sql`select size::float8 as size, exists (select seq from audit.stage order by seq limit 1) as waits
          from audit.head`,
    );
    if (!row) throw new TypeError('The log has no head row; was the database migrated?');
    return row;
  }

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
