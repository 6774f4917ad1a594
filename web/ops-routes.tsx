// /ops: for operators alone. Each section's pages have routes in a file of their own.
import { Hono } from 'hono';
import { requireOperator } from './forms.ts';
import { OpsPage } from './ops.tsx';
import type { PageEnv } from './page.tsx';

export function opsRoutes() {
  return new Hono<PageEnv>().get('/ops', (c) => {
    requireOperator(c);
    return c.html(<OpsPage c={c} />);
  });
}
