// The watch: follows the log by index, takes looks in, judges them by the rules in force, raises alarms.
// Two cursors in PostgreSQL move by compare-and-set in the transaction that writes what a step led to: a
// process that dies, or two that run at once, lose no look and raise no alarm twice.
import { scopeOfLog } from '../audit/index.ts';
import { systemScope } from '../platform/index.ts';
import { alarmsOf, raiseAlarms, ruleName } from './alarms.ts';
import type { VigilanceDeps } from './deps.ts';
import { isLook, type LookEntry, readLook } from './look.ts';
import { takeIn } from './look-intake.ts';
import { getCursors, listViews, moveCursor, pruneLooks, type StoredView } from './look-store.ts';
import { insertFault, listActive, type RuleRow } from './rule-store.ts';
import { type Judge, VIEWS_AT_ONCE } from './vigilance-judge.ts';

// Entries of one transaction: some hundred milliseconds of work.
const ENTRIES_AT_ONCE = 500;

export function createVigilanceWatch(deps: VigilanceDeps, judge: Judge) {
  const { audit, identity, ids, logger, metrics, cityTz } = deps;
  const database = deps.database.as(systemScope);
  const log = audit.as(scopeOfLog);
  const raisedTotal = metrics.counter('vigilance_alerts_total', 'Alarms raised.', ['rule']);
  const faultsTotal = metrics.counter(
    'vigilance_rule_faults_total',
    'Times a rule could not judge a batch of looks: it took too long, or failed.',
    ['rule'],
  );
  const behind = metrics.gauge('vigilance_behind', 'Entries of the log not yet judged.');

  /** Takes the next entries in; false when there are none, or another process took them. */
  async function takeNext(): Promise<boolean> {
    const { taken } = await database.transaction(getCursors);
    const entries = await log.entriesFrom(taken, ENTRIES_AT_ONCE);
    const last = entries.at(-1);
    if (!last) return false;
    const found: LookEntry[] = entries.filter(isLook);
    const details = await identity.openAccess(found);
    const looks = found.flatMap((entry, at) => {
      const detail = details[at];
      return detail ? [readLook(entry, detail, identity, cityTz)] : [];
    });
    return database.transaction(async (tx) => {
      if (!(await moveCursor(tx, 'taken', taken, last.index + 1))) return false;
      await takeIn(tx, looks, deps);
      return true;
    });
  }

  /** Judges the next looks; false when all are judged, or another process did. */
  async function judgeNext(): Promise<boolean> {
    const { cursors, rules, views } = await database.transaction(async (tx) => {
      const now = await getCursors(tx);
      const next = await listViews(tx, now.judged, now.taken, VIEWS_AT_ONCE);
      return { cursors: now, rules: await listActive(tx), views: next };
    });
    if (cursors.judged >= cursors.taken) return false;
    const isFull = views.length === VIEWS_AT_ONCE;
    const until = isFull ? (views.at(-1)?.idx ?? 0) + 1 : cursors.taken;
    // Outside of the transaction: a rule may take as long as its time-out.
    const verdicts = await judge(
      rules.map(({ definition }) => definition),
      views.map(({ view }) => view),
    );
    const raised = await database.transaction(async (tx) => {
      if (!(await moveCursor(tx, 'judged', cursors.judged, until))) return undefined;
      const counts = new Map<string, number>();
      for (const [at, rule] of rules.entries()) {
        const verdict = verdicts[at];
        if (!verdict) throw new TypeError('Each rule has its verdict.');
        if (verdict.fault !== null) {
          await insertFault(tx, {
            id: ids.uuid(),
            ruleId: rule.id,
            ruleVersion: rule.version,
            fromIdx: cursors.judged,
            toIdx: until,
            reason: verdict.fault,
          });
        }
        const held = verdict.holds.flatMap((index): StoredView[] => {
          const view = views[index];
          return view ? [view] : [];
        });
        const alarms = alarmsOf(rule.definition.group, held);
        counts.set(rule.id, await raiseAlarms(tx, rule, alarms, deps));
      }
      return counts;
    });
    if (!raised) return false;
    for (const [rule, count] of raised) if (count > 0) raisedTotal.inc({ rule }, count);
    for (const [at, rule] of rules.entries()) tellFault(rule, verdicts[at]?.fault ?? null);
    return true;
  }

  function tellFault({ id, version }: RuleRow, fault: string | null): void {
    if (fault === null) return;
    faultsTotal.inc({ rule: id });
    logger.error(
      { rule: ruleName(id, version), fault },
      'A rule of vigilance could not judge a batch of looks; the other rules did.',
    );
  }

  return {
    /** Goes on until everything in the tree is judged, or the process stops. */
    async watch(signal?: AbortSignal): Promise<void> {
      let isMore = true;
      while (isMore && !signal?.aborted) {
        const isTaken = await takeNext();
        const isJudged = await judgeNext();
        isMore = isTaken || isJudged;
      }
      const [{ judged }, { size }] = await Promise.all([
        database.transaction(getCursors),
        audit.head(),
      ]);
      behind.set(size - judged);
    },

    /** Forgets what no window reaches any more. */
    async prune(signal?: AbortSignal): Promise<void> {
      while (!signal?.aborted && (await database.transaction(pruneLooks)) > 0);
    },
  };
}
