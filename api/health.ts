// Is it alive, is it ready, how is it doing: for load balancers and operators.
import { Hono } from 'hono';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';

/** Routes /healthz, /readyz and /metrics. */
export function healthRoutes({ health, metrics }: Pick<Services, 'health' | 'metrics'>) {
  return new Hono<Env>()
    .get('/healthz', (c) => c.json({ ok: true }, 200, { 'Cache-Control': 'no-store' }))
    .get('/readyz', async (c) => {
      const report = await health.readiness();
      return c.json(report, report.ready ? 200 : 503, { 'Cache-Control': 'no-store' });
    })
    .get('/metrics', async (c) => {
      const text = await metrics.text();
      return c.body(text, 200, { 'Content-Type': metrics.contentType });
    });
}
