// Requests per minute and caller, in a fixed window of this process. 429 tells when to come back.
import type { Clock } from '../platform/index.ts';
import { apiErrors } from './errors.ts';

const windowSeconds = 60;
/** More callers of a kind than this in one minute are counted together: memory stays bounded. */
const mostOfAKind = 50_000;

/** Counts requests; a limit of 0 is none. */
export function createMeter({ clock }: { clock: Clock }) {
  let windowStart = 0;
  // By kind, so that a crowd of addresses crowds out no known caller.
  let counts = new Map<string, Map<string, number>>();

  /** Seconds until everybody may begin anew. */
  function secondsLeft(): number {
    const now = Math.floor(clock.now().getTime() / 1000);
    if (now - windowStart >= windowSeconds) {
      windowStart = now;
      counts = new Map();
    }
    return Math.max(1, windowStart + windowSeconds - now);
  }

  /** The counts of a caller's kind, its name's first word, and the name it is counted by. */
  function entryOf(caller: string): { kind: Map<string, number>; key: string } {
    const name = caller.slice(0, caller.indexOf(' '));
    const kind = counts.get(name) ?? new Map<string, number>();
    counts.set(name, kind);
    return { kind, key: kind.has(caller) || kind.size < mostOfAKind ? caller : 'all others' };
  }

  function add(caller: string): number {
    const { kind, key } = entryOf(caller);
    const count = (kind.get(key) ?? 0) + 1;
    kind.set(key, count);
    return count;
  }

  function headersAt(count: number, limit: number, reset: number): Record<string, string> {
    return {
      'RateLimit-Limit': String(limit),
      'RateLimit-Remaining': String(Math.max(0, limit - count)),
      'RateLimit-Reset': String(reset),
    };
  }

  function refuse(count: number, limit: number, reset: number) {
    return apiErrors.rate_limited('Too many requests in this minute. Wait, then go on slower.', {
      retryAfterSeconds: reset,
      headers: headersAt(count, limit, reset),
    });
  }

  return {
    /**
     * Counts a request of `caller`, a kind and a name, and gives the headers of its reply; throws
     * `api.rate_limited` over the limit.
     */
    count(caller: string, limit: number): Record<string, string> {
      if (limit === 0) return {};
      const reset = secondsLeft();
      const count = add(caller);
      if (count > limit) throw refuse(count, limit, reset);
      return headersAt(count, limit, reset);
    },

    /** Counts and refuses nothing. */
    note(caller: string): void {
      secondsLeft();
      add(caller);
    },

    /** Throws when this caller's limit is reached, without counting. */
    check(caller: string, limit: number): void {
      const reset = secondsLeft();
      const { kind, key } = entryOf(caller);
      const count = kind.get(key) ?? 0;
      if (limit > 0 && count >= limit) throw refuse(count, limit, reset);
    },
  };
}

export type Meter = ReturnType<typeof createMeter>;
