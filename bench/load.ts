// A closed-loop load: N callers, each starting the next call when the last has ended.

export interface LoadFigures {
  perSecond: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  calls: number;
  failures: number;
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Runs `call` from `callers` at once for `seconds`; a throw counts as a failure, not as a call. */
export async function runLoad(
  callers: number,
  seconds: number,
  call: (caller: number) => Promise<void>,
): Promise<LoadFigures> {
  const times: number[] = [];
  let failures = 0;
  const begun = performance.now();
  const ends = begun + seconds * 1000;
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      while (performance.now() < ends) {
        const started = performance.now();
        try {
          await call(caller);
          times.push(performance.now() - started);
        } catch (error) {
          failures += 1;
          if (failures === 1) console.error('first failure:', error);
          if (failures > 100) throw new Error('More than 100 calls failed.', { cause: error });
        }
      }
    }),
  );
  const elapsed = (performance.now() - begun) / 1000;
  times.sort((a, b) => a - b);
  return {
    perSecond: times.length / elapsed,
    p50Ms: quantile(times, 0.5),
    p95Ms: quantile(times, 0.95),
    p99Ms: quantile(times, 0.99),
    calls: times.length,
    failures,
  };
}

/** The run in the middle by rate: this machine is noisy, one run says little. */
export function medianRun(runs: readonly LoadFigures[]): LoadFigures {
  const sorted = [...runs].sort((a, b) => a.perSecond - b.perSecond);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (!middle) throw new TypeError('No runs to take the median of.');
  return middle;
}
