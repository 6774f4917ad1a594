// Raising alarms: from verdicts to rows and entries of the log, in the transaction that moves the cursor.
// The same grouping serves replays, so that both find the same alarms.
import { createHash } from 'node:crypto';
import type { Actor } from '../identity/index.ts';
import { canonicalJson, type Ids, type Tx } from '../platform/index.ts';
import { addLater, findWindow, insertAlert } from './alert-store.ts';
import type { VigilanceDeps } from './deps.ts';
import type { StoredView } from './look-store.ts';
import type { VigilanceRule } from './vigilance-rule.ts';

/** Looks an alarm's entry names at most. */
const MOST_EVIDENCE = 100;

/** One alarm that is due: the look that raises it, and those of the same group and day after it. */
export interface Alarm {
  groupKey: Buffer;
  day: string;
  first: StoredView;
  others: StoredView[];
}

/** The looks a rule holds of, as alarms: one for each group and day of the city, in the log's order. */
export function alarmsOf(group: VigilanceRule['group'], held: readonly StoredView[]): Alarm[] {
  const alarms = new Map<string, Alarm>();
  for (const view of held) {
    const groupKey = groupKeyOf(group, view);
    const key = `${view.day}|${groupKey.toString('hex')}`;
    const known = alarms.get(key);
    if (known) known.others.push(view);
    else alarms.set(key, { groupKey, day: view.day, first: view, others: [] });
  }
  return [...alarms.values()];
}

function groupKeyOf(group: VigilanceRule['group'], view: StoredView): Buffer {
  if (group === 'actor') return view.actorTag;
  if (group === 'subject' && view.subjectTag) return view.subjectTag;
  return createHash('sha256').update(`look|${view.idx}`).digest();
}

/** The machine that watches; it acts for no department. */
export const watchActor = (ids: Ids): Actor => ({
  kind: 'system',
  requestId: ids.uuid(),
  organisationId: null,
  roles: [],
  scopes: [],
});

/** How a rule's version is named in the log. */
export const ruleName = (id: string, version: number): string => `rule:${id}@${version}`;

type RaiseDeps = Pick<VigilanceDeps, 'ids'> & {
  identity: Pick<VigilanceDeps['identity'], 'recordAccess'>;
};

/**
 * Raises the alarms of one rule, each with its entry: rule, version and the indexes it was raised over.
 * What was raised before only learns of further looks. Returns how many are new.
 */
export async function raiseAlarms(
  tx: Tx,
  { definition, hash }: { definition: VigilanceRule; hash: string },
  alarms: readonly Alarm[],
  { ids, identity }: RaiseDeps,
): Promise<number> {
  let raised = 0;
  for (const { groupKey, day, first, others } of alarms) {
    const { id: ruleId, version: ruleVersion, group, severity, deadlineDays } = definition;
    const key = { ruleId, ruleVersion, groupKey, day };
    const indexes = others.map(({ idx }) => idx);
    if (await addLater(tx, key, [first.idx, ...indexes])) continue;
    const evidence = await evidenceOf(tx, group, first);
    const { stageId } = await identity.recordAccess(tx, watchActor(ids), {
      type: 'vigilance.alerted',
      outcome: 'ok',
      service: ruleName(ruleId, ruleVersion),
      purpose: canonicalJson({ evidence, hash, rule: ruleId, version: ruleVersion }),
      answerKind: 'none',
    });
    await insertAlert(tx, {
      ...key,
      id: ids.uuid(),
      severity,
      lookIndex: first.idx,
      evidence,
      department: first.department,
      actorTag: first.actorTag,
      deadlineDays,
      stageId,
    });
    if (indexes.length > 0) await addLater(tx, key, indexes);
    raised += 1;
  }
  return raised;
}

async function evidenceOf(
  tx: Tx,
  group: VigilanceRule['group'],
  first: StoredView,
): Promise<number[]> {
  const tag = group === 'actor' ? first.actorTag : first.subjectTag;
  if (group === 'look' || !tag) return [first.idx];
  const window = await findWindow(tx, group, tag, first, MOST_EVIDENCE);
  // Pruned when the watch was very late: the look itself is always there.
  return window.includes(first.idx) ? window : [...window, first.idx];
}
