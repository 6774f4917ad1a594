// /me/completeness: the proof that a citizen's list of looks is whole, as a page and as a file to keep.
import { Hono } from 'hono';
import { AppError } from '../platform/index.ts';
import { CompletenessPage } from './completeness.tsx';
import type { PageDeps } from './deps.ts';
import { requireKind } from './forms.ts';
import type { PageEnv } from './page.tsx';

export function completenessRoutes({ oversight, config }: Pick<PageDeps, 'oversight' | 'config'>) {
  return new Hono<PageEnv>()
    .get('/me/completeness', async (c) => {
      requireKind(c, 'citizen');
      const proven = await oversight.completeness(c.get('actor')).catch((error: unknown) => {
        const isEarly = error instanceof AppError && error.code === 'audit.not_yet_checkpointed';
        if (!isEarly) throw error;
        c.header('Retry-After', String(error.retryAfterSeconds));
        return null;
      });
      const log = await oversight.logState();
      return c.html(<CompletenessPage c={c} proven={proven} log={log} cityTz={config.cityTz} />);
    })
    .get('/me/completeness.json', async (c) => {
      requireKind(c, 'citizen');
      const { proof } = await oversight.completeness(c.get('actor'));
      c.header('Content-Disposition', 'attachment; filename="yihao-completeness.json"');
      return c.json(proof);
    });
}
