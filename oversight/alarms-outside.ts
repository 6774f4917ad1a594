// Alarms that other rooms tell of by the outbox: the same table, the same states, the same entry.
import { createHash } from 'node:crypto';
import { canonicalJson, cityDay, type OutboxEvent, systemScope } from '../platform/index.ts';
import { ruleName, watchActor } from './alarms.ts';
import { insertAlert } from './alert-store.ts';
import type { VigilanceDeps } from './deps.ts';
import type { Severity } from './vigilance-rule.ts';
import { isObject } from './vigilance-view.ts';

/**
 * Stores the alarm of an event once, however often it comes. Its payload may name the department
 * (`requester`) and the entry it is about by its stage (`stageId`).
 */
export async function alarmFromOutside(
  { database, audit, identity, ids, cityTz }: VigilanceDeps,
  event: OutboxEvent,
  { rule, severity, deadlineDays }: { rule: string; severity: Severity; deadlineDays: number },
): Promise<void> {
  const payload = isObject(event.payload) ? event.payload : {};
  const { requester, stageId } = payload;
  const evidence = typeof stageId === 'string' ? await audit.sequenced([stageId]) : [];
  const key = {
    ruleId: rule,
    ruleVersion: 1,
    groupKey: createHash('sha256').update(`event|${event.id}`).digest(),
    day: cityDay(event.at, cityTz),
  };
  await database
    .as(systemScope)
    .transaction(async (tx) => {
      const entry = await identity.recordAccess(tx, watchActor(ids), {
        type: 'vigilance.alerted',
        outcome: 'ok',
        service: ruleName(rule, 1),
        purpose: canonicalJson({ evidence, rule, version: 1 }),
        answerKind: 'none',
      });
      const isNew = await insertAlert(tx, {
        ...key,
        id: ids.uuid(),
        severity,
        lookIndex: evidence[0] ?? null,
        evidence,
        department: typeof requester === 'string' ? requester : null,
        actorTag: null,
        deadlineDays,
        stageId: entry.stageId,
      });
      // Told before: the entry goes with the transaction.
      if (!isNew) throw new AlreadyTold();
    })
    .catch((error: unknown) => {
      if (!(error instanceof AlreadyTold)) throw error;
    });
}

class AlreadyTold extends Error {}
