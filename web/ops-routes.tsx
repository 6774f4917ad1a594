// /ops: for operators alone. Each section's pages have routes in a file of their own.
import { Hono } from 'hono';
import type { PageDeps } from './deps.ts';
import { requireOperator } from './forms.ts';
import { OpsPage } from './ops.tsx';
import type { PageEnv } from './page.tsx';

export function opsRoutes({ identity }: Pick<PageDeps, 'identity'>) {
  return new Hono<PageEnv>().get('/ops', async (c) => {
    requireOperator(c);
    return c.html(<OpsPage c={c} operators={await identity.operatorsInForce()} />);
  });
}
