import { expect, test } from 'vitest';
import { createMetrics } from '../../../platform/index.ts';

test('counters, gauges and histograms come out as Prometheus text under the house’s name', async () => {
  const metrics = createMetrics();
  metrics.counter('asked_total', 'Questions.', ['outcome']).inc({ outcome: 'ok' });
  metrics.gauge('waiting', 'Waiting now.').set(3);
  metrics.histogram('seconds', 'Run time.', ['act'], [0.1, 1]).observe({ act: 'issue' }, 0.5);
  expect(await metrics.text()).toBe(
    `# HELP yihao_asked_total Questions.
# TYPE yihao_asked_total counter
yihao_asked_total{outcome="ok"} 1

# HELP yihao_waiting Waiting now.
# TYPE yihao_waiting gauge
yihao_waiting 3

# HELP yihao_seconds Run time.
# TYPE yihao_seconds histogram
yihao_seconds_bucket{le="0.1",act="issue"} 0
yihao_seconds_bucket{le="1",act="issue"} 1
yihao_seconds_bucket{le="+Inf",act="issue"} 1
yihao_seconds_sum{act="issue"} 0.5
yihao_seconds_count{act="issue"} 1
`,
  );
  expect(metrics.contentType).toContain('text/plain');
});

test('a metric asked for twice is the same one', async () => {
  const metrics = createMetrics();
  metrics.counter('asked_total', 'Questions.').inc();
  metrics.counter('asked_total', 'Questions.').inc();
  expect(await metrics.text()).toContain('yihao_asked_total 2');
});

test('registries are apart: two houses in one process count for themselves', async () => {
  const [one, other] = [createMetrics(), createMetrics()];
  one.counter('asked_total', 'Questions.').inc();
  expect(await other.text()).not.toContain('asked_total');
});

test('the runtime’s own figures are there when asked for', async () => {
  expect(await createMetrics({ isRuntimeIncluded: true }).text()).toContain('nodejs_eventloop_lag');
  expect(await createMetrics().text()).not.toContain('nodejs_eventloop_lag');
});
