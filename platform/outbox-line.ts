// One subscriber of the outbox in this process: slow or failing, it holds up no other.
import type { Json } from './canonical-json.ts';
import type { Database } from './database.ts';
import { errorLabel } from './error-report.ts';
import type { Ids } from './ids.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { type Claim, claimDeliveries, endDeliveries, postponeDelivery } from './outbox-store.ts';
import { within } from './within.ts';

export interface OutboxEvent {
  /** The same at every delivery of this event: what a subscriber tells doubles by. */
  id: string;
  topic: string;
  key: string;
  payload: Json;
  at: Date;
}

/** Idempotent: an event may come twice. */
export type OutboxHandler = (event: OutboxEvent) => Promise<void>;

export interface LineSettings {
  /** Deliveries that run at once. */
  concurrency: number;
  /** Longest a handler may take; after that the delivery counts as failed. */
  handlerTimeoutMs: number;
  /** Attempts before a delivery is dead. */
  maxAttempts: number;
  /** Pause after the first failure; doubles with each further one. */
  firstPauseMs: number;
}

interface LineDeps extends LineSettings {
  database: Database;
  ids: Ids;
  logger: Logger;
  metrics: Metrics;
}

const longestPauseMs = 15 * 60_000;
/** What a claim lasts beyond the handler's time; then others take the delivery for abandoned. */
const leaseMarginMs = 10_000;

/** Opens the line of `subscriber`; it sleeps until it is woken. */
export function openLine(
  subscriber: string,
  { database, ids, logger, metrics, ...settings }: LineDeps,
) {
  const { concurrency, handlerTimeoutMs, maxAttempts, firstPauseMs } = settings;
  const handlers = new Map<string, OutboxHandler>();
  const running = new Set<Promise<void>>();
  /** Handled, but not yet noted as delivered. */
  const handled: Claim[] = [];
  const meters = {
    delivered: metrics.counter('outbox_delivered_total', 'Deliveries done.', ['subscriber']),
    failed: metrics.counter('outbox_failed_total', 'Attempts that failed.', ['subscriber']),
    dead: metrics.counter('outbox_dead_total', 'Deliveries given up.', ['subscriber']),
    seconds: metrics.histogram('outbox_delivery_seconds', 'From act to delivery.', ['subscriber']),
  };
  let noting: Promise<void> | undefined;
  let claiming: Promise<void> | undefined;
  let isAwake = false;
  let isClosed = false;

  /** Looks for due deliveries in a moment: hands that become free at once ask once. */
  function wake(): void {
    if (isAwake || isClosed) return;
    isAwake = true;
    if (claiming) return;
    claiming = claim()
      .catch((error: unknown) => logger.warn({ err: error, subscriber }, 'Nothing was claimed.'))
      .finally(() => {
        claiming = undefined;
        // Woken while the last look was ending.
        if (isAwake && !isClosed) {
          isAwake = false;
          wake();
        }
      });
  }

  async function claim(): Promise<void> {
    while (isAwake && !isClosed) {
      await new Promise((resolve) => setImmediate(resolve));
      isAwake = false;
      const free = concurrency - running.size;
      if (free === 0) return;
      const leaseMs = handlerTimeoutMs + leaseMarginMs;
      const topics = [...handlers.keys()];
      for (const claimed of await claimDeliveries(database.db, subscriber, topics, free, leaseMs)) {
        const delivering = deliver(claimed).finally(() => {
          running.delete(delivering);
          wake();
        });
        running.add(delivering);
      }
    }
  }

  async function deliver(claimed: Claim): Promise<void> {
    const { event, ageSeconds } = claimed;
    try {
      const handler = handlers.get(event.topic);
      if (!handler) throw new TypeError(`No handler for ${event.topic}.`);
      await within(handlerTimeoutMs, handler(event), 'a subscriber');
    } catch (error) {
      await fail(claimed, error);
      return;
    }
    try {
      handled.push(claimed);
      noting ??= note().finally(() => {
        noting = undefined;
      });
      await noting;
      meters.delivered.inc({ subscriber });
      meters.seconds.observe({ subscriber }, ageSeconds);
    } catch (error) {
      // The claim runs out and the event comes again.
      logger.warn({ err: error, subscriber, event: event.id }, 'A delivery was not noted.');
    }
  }

  /** Notes together what was handled while the last note was written. */
  async function note(): Promise<void> {
    while (handled.length > 0) {
      await endDeliveries(database.db, handled.splice(0), 'delivered', null);
    }
  }

  async function fail(claimed: Claim, error: unknown): Promise<void> {
    const { attempts, event } = claimed;
    const about = { subscriber, event: event.id, topic: event.topic, attempts };
    meters.failed.inc({ subscriber });
    try {
      if (attempts < maxAttempts) {
        logger.warn({ ...about, err: error }, 'A delivery failed.');
        await postponeDelivery(database.db, claimed, pauseMs(attempts), errorLabel(error));
      } else {
        logger.error({ ...about, err: error }, 'A delivery was given up.');
        meters.dead.inc({ subscriber });
        await endDeliveries(database.db, [claimed], 'dead', errorLabel(error));
      }
    } catch (cause) {
      logger.warn({ ...about, err: cause }, 'A failed delivery was not noted.');
    }
  }

  /** Half of it is left to chance, so that what failed together comes apart. */
  function pauseMs(attempts: number): number {
    const half = Math.round(Math.min(firstPauseMs * 2 ** (attempts - 1), longestPauseMs) / 2);
    return half + ids.int(half + 1);
  }

  return {
    subscriber,
    handlers,
    wake,
    /** Claims no more and waits for the running handlers. */
    close: async (): Promise<void> => {
      isClosed = true;
      await claiming;
      await Promise.all(running);
    },
  };
}

export type Line = ReturnType<typeof openLine>;
