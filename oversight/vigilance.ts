// Vigilance put together: rules over looks, alarms, and what auditors do with them
// (docs/adr/0020-vigilance.md).
import { scopeOfLog } from '../audit/index.ts';
import { alarmFromOutside } from './alarms-outside.ts';
import { countByRule, countJudged } from './alert-store.ts';
import { createAlerts } from './alerts.ts';
import type { VigilanceDeps } from './deps.ts';
import { createMarks } from './marks.ts';
import { createReplays } from './replays.ts';
import { createRules, publishShipped } from './rules.ts';
import { createJudge, type JudgeOptions } from './vigilance-judge.ts';
import { createVigilanceWatch } from './vigilance-watch.ts';
import { createWatch } from './watched.ts';

export type Vigilance = ReturnType<typeof createVigilance>;

export function createVigilance(deps: VigilanceDeps, options: JudgeOptions = {}) {
  const judge = createJudge(options);
  const watch = createWatch(deps);
  const { watch: watchLog, prune } = createVigilanceWatch(deps, judge);
  const replays = createReplays(deps, watch, judge);
  deps.outbox.on('exchange.probing', 'oversight.vigilance', (event) =>
    alarmFromOutside(deps, event, {
      rule: 'exchange-probing',
      severity: 'medium',
      deadlineDays: 7,
    }),
  );
  deps.outbox.on('registry.signature_unrecorded', 'oversight.vigilance', (event) =>
    alarmFromOutside(deps, event, {
      rule: 'registry-signature-unrecorded',
      severity: 'high',
      deadlineDays: 1,
    }),
  );
  return {
    ...createAlerts(deps, watch),
    ...createMarks(deps, watch),
    ...createRules(deps, watch),
    ...replays,

    /** Publishes the rules that come with the house and that the city doesn't know yet. */
    publishShipped: () =>
      deps.database.as(scopeOfLog).transaction((tx) => publishShipped(tx, deps)),

    /** Looks judged and alarms by rule, with how they ended: figures about nobody, for the operator's tool. */
    figures: () =>
      deps.database.as(scopeOfLog).transaction(async (tx) => ({
        looks: await countJudged(tx),
        rules: await countByRule(tx),
      })),

    /** Judges everything that is in the tree now. */
    watchLog,

    jobs: [
      { name: 'oversight.watch', everyMs: 1_000, run: (signal: AbortSignal) => watchLog(signal) },
      {
        name: 'oversight.replay',
        everyMs: 1_000,
        run: (signal: AbortSignal) => replays.runReplays(signal),
      },
      { name: 'oversight.prune', everyMs: 3_600_000, run: (signal: AbortSignal) => prune(signal) },
    ],
  };
}
