// What the registry does by itself: ends licences whose last day is over, writes the hourly entries of
// public looks, forgets old counters. Each run may be lost, doubled or late without harm.
import type { Actor } from '../identity/index.ts';
import { addDays, cityDay, dbNow, systemScope, type Tx } from '../platform/index.ts';
import type { RegistryDeps } from './deps.ts';
import { forgetDocuments } from './document-store.ts';
import { insertEvents } from './event-store.ts';
import { forgetBefore, takeFinishedHours } from './public-store.ts';
import { createSignatureCheck } from './signature-check.ts';
import { lockDue, updateStatuses } from './store.ts';
import { together } from './together.ts';

/** Licences or hours per transaction: a second of work, so that other acts don't wait long. */
const BATCH = 300;
const KEPT_DAYS = 30;

/** A job for the sweeper: one runner in the cluster. */
export interface RegistryJob {
  name: string;
  everyMs: number;
  run: () => Promise<void>;
}

/** Binds the jobs. */
export function createJobs(deps: RegistryDeps) {
  const { ids, identity, outbox, cityTz } = deps;
  const database = deps.database.as(systemScope);

  const platform = (): Actor => ({
    kind: 'system',
    requestId: ids.uuid(),
    organisationId: null,
    roles: [],
    scopes: [],
  });

  /** Runs batches until one comes back short; returns how much was done. */
  async function drain(batch: (tx: Tx) => Promise<number>): Promise<number> {
    for (let done = 0; ; ) {
      const count = await database.transaction(batch);
      done += count;
      if (count < BATCH) return done;
    }
  }

  async function expireBatch(tx: Tx): Promise<number> {
    const now = await dbNow(tx);
    const due = await lockDue(tx, cityDay(now, cityTz), BATCH);
    if (due.length === 0) return 0;
    const status = 'expired';
    await updateStatuses(
      tx,
      due.map(({ number }) => ({ number, status, isLive: false })),
      now,
    );
    await insertEvents(
      tx,
      due.map(({ number }) => ({
        number,
        id: ids.uuid(),
        act: 'expire',
        status,
        organisationId: null,
        legalBasis: null,
        related: null,
        reasonSealed: null,
      })),
      now,
    );
    const actor = platform();
    const known = await withKeys(tx, due);
    await identity.recordAccessMany(
      tx,
      actor,
      due.map(({ number, holderId, issuerId }) => ({
        type: 'licence.expired',
        outcome: 'ok',
        ...(known.has(holderId) ? { subject: holderId } : {}),
        department: issuerId,
        licence: number,
      })),
    );
    await together(
      due.map(({ number, typeId }) =>
        outbox.add(tx, {
          topic: 'licence.expired',
          key: number,
          payload: { number, type: typeId },
        }),
      ),
    );
    return due.length;
  }

  async function logLooksBatch(tx: Tx): Promise<number> {
    const hours = await takeFinishedHours(tx, await dbNow(tx), BATCH);
    const actor = platform();
    const known = await withKeys(tx, hours);
    await identity.recordAccessMany(
      tx,
      actor,
      hours.map(({ number, holderId, hour, looks }) => ({
        type: 'licence.looked_up',
        outcome: 'ok',
        ...(known.has(holderId) ? { subject: holderId } : {}),
        role: 'anonymous',
        licence: number,
        question: `${looks} × ${hour}`,
        answerKind: 'document',
      })),
    );
    return hours.length;
  }

  /** Those whose data was not erased: an entry about an erased person names nobody. */
  async function withKeys(
    tx: Tx,
    rows: readonly { holderId: string }[],
  ): Promise<ReadonlySet<string>> {
    const revealed = await identity.revealPeople(
      tx,
      rows.map(({ holderId }) => holderId),
    );
    return new Set(revealed.keys());
  }

  const jobs = {
    /** Ends licences past their last day; returns how many. Reads don't wait for it. */
    expireDue: () => drain(expireBatch),

    /** One log entry per licence and finished hour of public looks; returns how many. */
    logLooks: () => drain(logLooksBatch),

    async forgetCounters(): Promise<void> {
      await database.transaction(async (tx) => {
        const today = cityDay(await dbNow(tx), cityTz);
        await forgetBefore(tx, addDays(today, -KEPT_DAYS));
      });
    },

    /** Documents made before today: they are made anew when somebody asks. */
    forgetDocuments: () =>
      drain(async (tx) => forgetDocuments(tx, cityDay(await dbNow(tx), cityTz), BATCH)),
  };

  const { checkSignatures } = createSignatureCheck(deps);

  const schedule: RegistryJob[] = [
    { name: 'registry.expire', everyMs: 60_000, run: async () => void (await jobs.expireDue()) },
    { name: 'registry.looks', everyMs: 300_000, run: async () => void (await jobs.logLooks()) },
    { name: 'registry.forget', everyMs: 86_400_000, run: jobs.forgetCounters },
    {
      name: 'registry.signatures',
      everyMs: 10_000,
      run: async () => void (await checkSignatures()),
    },
    {
      name: 'registry.documents',
      everyMs: 3_600_000,
      run: async () => void (await jobs.forgetDocuments()),
    },
  ];
  return { ...jobs, checkSignatures, jobs: schedule };
}
