// The only source of the process's time. Deadlines use the database's clock instead (dbNow).

export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** A clock for tests: stands still until `advance` is called. */
export interface FixedClock extends Clock {
  advance(milliseconds: number): void;
}

/** A clock that starts at `iso` and moves only by `advance`. */
export function fixedClock(iso: string): FixedClock {
  let now = new Date(iso).getTime();
  return {
    now: () => new Date(now),
    advance: (milliseconds) => {
      now += milliseconds;
    },
  };
}
