// Which checkpoint is shown, and whether it is witnessed: the newest that a quorum has signed, as long
// as the witnesses keep up; else the newest at all, which then is unwitnessed and called so.
import type { Database } from '../platform/index.ts';
import type { TreeHead } from './checkpoint.ts';
import { takenOver } from './life.ts';
import type { Lives } from './life-store.ts';
import { listShowable, type ShowableRow } from './store.ts';
import type { WitnessPolicy } from './witness-policy.ts';

/** A published checkpoint. */
export interface ShownCheckpoint extends TreeHead {
  /** The signed note, with the lines of all witnesses who signed it. */
  note: string;
  /** A quorum of the policy has signed it. */
  isWitnessed: boolean;
  /** Key names of the witnesses who signed it. */
  witnesses: string[];
}

// Witnesses sign within a second; who is later does not keep up.
const patienceSeconds = 5;

/** Reads what may be shown. */
export function createShown({
  database,
  policy,
  lives,
}: {
  database: Database;
  policy: WitnessPolicy | undefined;
  lives: Lives;
}) {
  function shownFrom({ size, root, note, names, lines }: ShowableRow): ShownCheckpoint {
    // By the policy of today: what an older one called enough may not be any more.
    const isWitnessed = policy?.isQuorum(new Set(names)) ?? false;
    return { size, root, note: note + lines.join(''), isWitnessed, witnesses: names };
  }

  return {
    /**
     * The checkpoint to show, of those over more than `index` entries if any is witnessed; undefined
     * when none is published.
     */
    async find(index = -1): Promise<ShownCheckpoint | undefined> {
      const { current } = await lives.read(database.db);
      const rows = await listShowable(database.db, patienceSeconds, takenOver(current));
      const [newest, older] = rows.map((row) => ({ row, shown: shownFrom(row) }));
      if (!newest || newest.shown.isWitnessed || !older?.shown.isWitnessed) return newest?.shown;
      if (index >= 0) return older.shown.size > index ? older.shown : newest.shown;
      return newest.row.isFresh ? older.shown : newest.shown;
    },
  };
}
