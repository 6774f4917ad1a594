// Requests per minute and caller, counted together by all processes of the house: each spends tickets that
// it fetches in bundles (docs/adr/0016). 429 tells when to come back.
import type { Clock, Logger, RateTickets } from '../platform/index.ts';
import { apiErrors } from './errors.ts';

/** More callers of a kind than this in one minute are counted together: memory stays bounded. */
const mostOfAKind = 50_000;
const minuteMs = 60_000;

export interface MeterDeps {
  clock: Clock;
  tickets: Pick<RateTickets, 'take'>;
  logger: Pick<Logger, 'warn'>;
}

/** What this process knows of one caller in this minute. */
interface Count {
  /** Tickets at hand. */
  left: number;
  /** Tickets of this caller that all processes have taken, as far as was last heard. */
  taken: number;
  /** Requests that wait for tickets. */
  waiting: number;
  /** Nothing more is to be had. */
  isSpent: boolean;
  /** While tickets are being fetched. */
  fetching?: Promise<void> | undefined;
}

interface Minute {
  endsAt: number;
  // By kind, so that a crowd of addresses crowds out no known caller.
  kinds: Map<string, Map<string, Count>>;
}

interface Standing {
  isAllowed: boolean;
  count: Count;
  limit: number;
  reset: number;
}

/** Counts requests; a limit of 0 is none. */
export function createMeter({ clock, tickets, logger }: MeterDeps) {
  // The database's clock says when the minute ends; before the first answer nobody knows.
  let minute: Minute = { endsAt: Number.POSITIVE_INFINITY, kinds: new Map() };

  const now = () => clock.now().getTime();

  function present(): Minute {
    if (now() >= minute.endsAt) minute = { endsAt: Number.POSITIVE_INFINITY, kinds: new Map() };
    return minute;
  }

  /** The count of a caller in its kind, its name's first word, and the name it is counted by. */
  function countOf({ kinds }: Minute, caller: string): { count: Count; name: string } {
    const kind = caller.slice(0, caller.indexOf(' '));
    const counts = kinds.get(kind) ?? new Map<string, Count>();
    kinds.set(kind, counts);
    const name = counts.has(caller) || counts.size < mostOfAKind ? caller : `${kind} all others`;
    const count = counts.get(name) ?? { left: 0, taken: 0, waiting: 0, isSpent: false };
    counts.set(name, count);
    return { count, name };
  }

  async function fetchTickets(inMinute: Minute, count: Count, name: string, limit: number) {
    try {
      const { given, taken, secondsLeft } = await tickets.take(name, limit, () => count.waiting);
      inMinute.endsAt = Math.min(inMinute.endsAt, now() + secondsLeft * 1000);
      count.left += given;
      count.taken = taken;
      count.isSpent = given === 0;
    } catch (error) {
      // Without the database hardly anything is answered; what is, is still counted here.
      logger.warn({ err: error }, 'Requests are counted by this process alone for a minute.');
      inMinute.endsAt = Math.min(inMinute.endsAt, now() + minuteMs);
      count.left += Math.max(0, limit - count.taken);
      count.taken = limit;
      count.isSpent = true;
    }
    count.fetching = undefined;
  }

  /** Seconds until everybody may begin anew. */
  function resetOf({ endsAt }: Minute): number {
    return Math.min(60, Math.max(1, Math.ceil((endsAt - now()) / 1000)));
  }

  async function spend(caller: string, limit: number): Promise<Standing> {
    for (;;) {
      const inMinute = present();
      const { count, name } = countOf(inMinute, caller);
      const isAllowed = count.left > 0;
      if (isAllowed || count.isSpent) {
        if (isAllowed) count.left -= 1;
        return { isAllowed, count, limit, reset: resetOf(inMinute) };
      }
      count.waiting += 1;
      count.fetching ??= fetchTickets(inMinute, count, name, limit);
      await count.fetching;
      count.waiting -= 1;
    }
  }

  function headersOf({ count, limit, reset }: Standing): Record<string, string> {
    return {
      'RateLimit-Limit': String(limit),
      'RateLimit-Remaining': String(Math.max(0, limit - count.taken + count.left)),
      'RateLimit-Reset': String(reset),
    };
  }

  function refusalOf(standing: Standing) {
    return apiErrors.rate_limited('Too many requests in this minute. Wait, then go on slower.', {
      retryAfterSeconds: standing.reset,
      headers: headersOf(standing),
    });
  }

  return {
    /**
     * Counts a request of `caller`, a kind and a name, and gives the headers of its reply; throws
     * `api.rate_limited` over the limit.
     */
    async count(caller: string, limit: number): Promise<Record<string, string>> {
      if (limit === 0) return {};
      const standing = await spend(caller, limit);
      if (!standing.isAllowed) throw refusalOf(standing);
      return headersOf(standing);
    },

    /** Throws when this caller's limit is known to be reached, without counting. */
    check(caller: string, limit: number): void {
      if (limit === 0) return;
      const inMinute = present();
      const { count } = countOf(inMinute, caller);
      if (count.left === 0 && (count.isSpent || count.taken >= limit)) {
        throw refusalOf({ isAllowed: false, count, limit, reset: resetOf(inMinute) });
      }
    },

    /** Counts what has happened already, and refuses nothing. */
    async note(caller: string, limit: number): Promise<void> {
      if (limit > 0) await spend(caller, limit);
    },
  };
}

export type Meter = ReturnType<typeof createMeter>;
