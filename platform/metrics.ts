// Prometheus metrics: one registry per process, small wrappers, labels without personal data.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** 1 ms to 30 s: from a database round trip to the longest `Prefer: wait`. */
const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface MetricsOptions {
  /** Adds the runtime's own figures: memory, event loop delay, handles. */
  isRuntimeIncluded?: boolean;
}

/**
 * A registry with its makers. Asking twice for one name gives the same metric. Names are
 * `yihao_<name>`; label values come from closed sets (a room, a queue, a code), never from people.
 */
export function createMetrics({ isRuntimeIncluded = false }: MetricsOptions = {}) {
  const registry = new Registry();
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  if (isRuntimeIncluded) collectDefaultMetrics({ register: registry });

  return {
    registry,
    /** A count that only grows; end its name in `_total`. */
    counter: (name: string, help: string, labelNames: string[] = []): Counter =>
      madeOnce(counters, name, (full) => new Counter({ ...common(full, help, labelNames) })),
    /** A value that goes up and down. */
    gauge: (name: string, help: string, labelNames: string[] = []): Gauge =>
      madeOnce(gauges, name, (full) => new Gauge({ ...common(full, help, labelNames) })),
    /** A distribution; of seconds unless other buckets are given. */
    histogram: (
      name: string,
      help: string,
      labelNames: string[] = [],
      buckets: number[] = secondsBuckets,
    ): Histogram =>
      madeOnce(
        histograms,
        name,
        (full) => new Histogram({ ...common(full, help, labelNames), buckets }),
      ),
    /** The text for `GET /metrics`. */
    text: (): Promise<string> => registry.metrics(),
    contentType: registry.contentType,
  };

  function common(name: string, help: string, labelNames: string[]) {
    return { name, help, labelNames, registers: [registry] };
  }
}

export type Metrics = ReturnType<typeof createMetrics>;

function madeOnce<M>(known: Map<string, M>, name: string, make: (full: string) => M): M {
  const existing = known.get(name);
  if (existing) return existing;
  const made = make(`yihao_${name}`);
  known.set(name, made);
  return made;
}
