// Events told upward and sideways: written with the act, delivered to each subscriber at least once.
//
// No NOTIFY in the act's transaction: PostgreSQL lets notifying transactions commit one by one.
// Measured with 16 clients writing two rows each: 2,750 transactions/s without, 510 with it.
import type { Json } from './canonical-json.ts';
import { holdsCitizenId } from './citizen-id-net.ts';
import type { Database, Tx } from './database.ts';
import { errorLabel } from './error-report.ts';
import type { Ids } from './ids.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import {
  type Claim,
  claimDeliveries,
  endDelivery,
  fanOut,
  insertEvent,
  measureOutbox,
  notifyOutbox,
  outboxChannel,
  postponeDelivery,
  purgeOutbox,
  reviveDead,
  subscribe,
} from './outbox-store.ts';
import type { Sweeper } from './sweeper.ts';
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

export interface OutboxDeps {
  database: Database;
  ids: Ids;
  logger: Logger;
  metrics: Metrics;
  sweeper: Sweeper;
  /** Deliveries to one subscriber that run at once in this process. */
  concurrency?: number;
  /** Longest a handler may take; after that the delivery counts as failed. */
  handlerTimeoutMs?: number;
  /** Attempts before a delivery is dead: 15 with doubling up to 15 minutes are about 1.5 hours. */
  maxAttempts?: number;
  /** Pause after the first failure; doubles with each further one. */
  firstPauseMs?: number;
  /** How often each process looks for what no wake-up told of. */
  sweepMs?: number;
  /** How long delivered events are kept. */
  keepDays?: number;
}

/** One subscriber in this process: slow or failing, it holds up no other. */
interface Line {
  subscriber: string;
  handlers: Map<string, OutboxHandler>;
  running: Set<Promise<void>>;
  isClaiming: boolean;
  isWoken: boolean;
}

const longestPauseMs = 15 * 60_000;
const purgeEveryMs = 60_000;
const renewEveryMs = 3_600_000;
/** After add(): the first look finds most commits, the second the slow ones, the sweep the rest. */
const wakeDelaysMs = [15, 200];

/** The outbox. Subscribers are named before start(); a process that only adds never starts. */
export function createOutbox({
  database,
  ids,
  logger,
  metrics,
  sweeper,
  concurrency = 4,
  handlerTimeoutMs = 20_000,
  maxAttempts = 15,
  firstPauseMs = 1000,
  sweepMs = 2000,
  keepDays = 7,
}: OutboxDeps) {
  const leaseMs = handlerTimeoutMs + 10_000;
  const lines = new Map<string, Line>();
  const wakes = new Map<number, NodeJS.Timeout>();
  const timers: NodeJS.Timeout[] = [];
  const meters = {
    delivered: metrics.counter('outbox_delivered_total', 'Deliveries done.', ['subscriber']),
    failed: metrics.counter('outbox_failed_total', 'Attempts that failed.', ['subscriber']),
    dead: metrics.counter('outbox_dead_total', 'Deliveries given up.', ['subscriber']),
    deadNow: metrics.gauge('outbox_dead', 'Deliveries that lie dead.'),
    oldest: metrics.gauge('outbox_oldest_seconds', 'Age of the oldest event not delivered.'),
    seconds: metrics.histogram('outbox_delivery_seconds', 'From act to delivery.', ['subscriber']),
  };
  let isStarted = false;
  let isClosed = false;
  let stopListening: (() => Promise<void>) | undefined;
  let fanningOut: Promise<void> | undefined;

  async function add(tx: Tx, event: { topic: string; key: string; payload: Json }): Promise<void> {
    const payload = JSON.stringify(event.payload);
    if (holdsCitizenId(`${event.key} ${payload}`)) {
      throw new TypeError(`An event of ${event.topic} must not hold a citizen ID.`);
    }
    await insertEvent(tx, { id: ids.uuid(), topic: event.topic, key: event.key, payload });
    for (const delay of wakeDelaysMs) wakeIn(delay);
  }

  function wakeIn(delayMs: number): void {
    if (wakes.has(delayMs) || isClosed) return;
    const timer = setTimeout(() => {
      wakes.delete(delayMs);
      if (isStarted) wakeAll();
      else background(notifyOutbox(database.db), 'Other processes were not woken.');
    }, delayMs);
    wakes.set(delayMs, timer);
    timer.unref();
  }

  function on(topic: string, subscriber: string, handler: OutboxHandler): void {
    if (isStarted) throw new TypeError('Subscribers are named before the outbox starts.');
    const line = lines.get(subscriber) ?? {
      subscriber,
      handlers: new Map<string, OutboxHandler>(),
      running: new Set<Promise<void>>(),
      isClaiming: false,
      isWoken: false,
    };
    if (line.handlers.has(topic)) {
      throw new TypeError(`"${subscriber}" has a handler for ${topic} already.`);
    }
    line.handlers.set(topic, handler);
    lines.set(subscriber, line);
  }

  async function start(): Promise<void> {
    if (isStarted) throw new TypeError('The outbox was started already.');
    isStarted = true;
    await subscribeAll();
    stopListening = await database.listen(outboxChannel, wakeAll);
    timers.push(
      setInterval(wakeAll, sweepMs),
      setInterval(
        () => background(subscribeAll(), 'Subscriptions were not renewed.'),
        renewEveryMs,
      ),
    );
    sweeper.every(purgeEveryMs, 'outbox.purge', purge);
    wakeAll();
  }

  function wakeAll(): void {
    if (isClosed) return;
    fanningOut ??= spread().finally(() => {
      fanningOut = undefined;
      for (const line of lines.values()) background(pump(line), 'Deliveries could not be claimed.');
    });
    background(fanningOut, 'Events could not be handed out.');
  }

  /** Makes a delivery row for each subscriber of each new event. */
  async function spread(): Promise<void> {
    while (!isClosed && (await fanOut(database)) > 0);
  }

  /** Claims what is due while there are free hands; each ended delivery frees one and asks again. */
  async function pump(line: Line): Promise<void> {
    if (line.isClaiming) {
      line.isWoken = true;
      return;
    }
    line.isClaiming = true;
    try {
      do {
        line.isWoken = false;
        const free = concurrency - line.running.size;
        if (isClosed || free <= 0) break;
        const topics = [...line.handlers.keys()];
        const claims = await claimDeliveries(database.db, line.subscriber, topics, free, leaseMs);
        for (const claim of claims) run(line, claim);
      } while (line.isWoken);
    } finally {
      line.isClaiming = false;
    }
  }

  function run(line: Line, claim: Claim): void {
    const running = deliver(line, claim).finally(() => {
      line.running.delete(running);
      background(pump(line), 'Deliveries could not be claimed.');
    });
    line.running.add(running);
  }

  async function deliver(line: Line, claim: Claim): Promise<void> {
    const { subscriber } = line;
    const { event, ageSeconds } = claim;
    try {
      const handler = line.handlers.get(event.topic);
      if (!handler) throw new TypeError(`No handler for ${event.topic}.`);
      await within(handlerTimeoutMs, handler(event), 'a subscriber');
    } catch (error) {
      await fail(line, claim, error);
      return;
    }
    try {
      await endDelivery(database.db, claim, 'delivered', null);
      meters.delivered.inc({ subscriber });
      meters.seconds.observe({ subscriber }, ageSeconds);
    } catch (error) {
      // The claim runs out and the event comes again.
      logger.warn({ err: error, subscriber, event: event.id }, 'A delivery was not recorded.');
    }
  }

  async function fail(line: Line, claim: Claim, error: unknown): Promise<void> {
    const { subscriber } = line;
    const about = { err: error, subscriber, event: claim.event.id, topic: claim.event.topic };
    meters.failed.inc({ subscriber });
    try {
      if (claim.attempts < maxAttempts) {
        logger.warn({ ...about, attempts: claim.attempts }, 'A delivery failed.');
        await postponeDelivery(database.db, claim, pauseMs(claim.attempts), errorLabel(error));
        return;
      }
      logger.error(about, 'A delivery was given up.');
      meters.dead.inc({ subscriber });
      await endDelivery(database.db, claim, 'dead', errorLabel(error));
    } catch (cause) {
      logger.warn({ ...about, err: cause }, 'A failed delivery was not recorded.');
    }
  }

  /** Doubling, with half of it left to chance, so that what failed together comes apart. */
  function pauseMs(attempts: number): number {
    const full = Math.min(firstPauseMs * 2 ** (attempts - 1), longestPauseMs);
    return Math.round(full / 2) + ids.int(Math.round(full / 2) + 1);
  }

  async function subscribeAll(): Promise<void> {
    for (const { subscriber, handlers } of lines.values()) {
      for (const topic of handlers.keys()) await subscribe(database.db, topic, subscriber);
    }
  }

  async function purge(): Promise<void> {
    await purgeOutbox(database.db, keepDays);
    const { oldestSeconds, dead } = await measureOutbox(database.db);
    meters.oldest.set(oldestSeconds);
    meters.deadNow.set(dead);
  }

  async function close(): Promise<void> {
    isClosed = true;
    for (const timer of timers) clearInterval(timer);
    for (const timer of wakes.values()) clearTimeout(timer);
    await stopListening?.();
    await fanningOut;
    await Promise.all([...lines.values()].flatMap(({ running }) => [...running]));
  }

  function background(work: Promise<unknown>, failure: string): void {
    work.catch((error: unknown) => logger.warn({ err: error }, failure));
  }

  return {
    /**
     * Writes an event in the caller's transaction: told if and only if that commits. Events of one
     * key are delivered in the order they were added, when the adder holds the lock of what the
     * key names; a delivery that fails holds back later ones of its key until it is dead.
     */
    add,
    /** Names a handler. `subscriber` is its lasting name: another name is another subscriber. */
    on,
    /** Begins to deliver: events added from the first start of a subscriber on. */
    start,
    /** Gives dead deliveries another round of attempts; how many there were. */
    revive: (subscriber: string): Promise<number> => reviveDead(database.db, subscriber),
    /** Claims no more and waits for the running handlers, bounded by their time limit. */
    close,
  };
}

export type Outbox = ReturnType<typeof createOutbox>;
