// The page on which auditors sample the map of looks.
import { Hono } from 'hono';
import { AppError } from '../platform/index.ts';
import { AuditSamplesPage } from './audit-samples.tsx';
import type { PageDeps } from './deps.ts';
import { statusOf } from './error-page.tsx';
import { readOwnForm, requireKind } from './forms.ts';
import type { PageEnv } from './page.tsx';
import { refusalWords } from './words.ts';

const mostIndexes = 20;

export function auditSamplesRoutes({
  identity,
  oversight,
}: Pick<PageDeps, 'identity' | 'oversight'>) {
  return new Hono<PageEnv>()
    .get('/audit/samples', async (c) => {
      requireKind(c, 'officer');
      return c.html(<AuditSamplesPage c={c} indexes="" />);
    })
    .post('/audit/samples', async (c) => {
      requireKind(c, 'officer');
      const { indexes: typed = '' } = await readOwnForm(c, identity);
      const parts = typed.split(/[\s,，、]+/).filter((part) => part !== '');
      const isReadable = parts.every((part) => /^\d{1,15}$/.test(part));
      if (!isReadable || parts.length > mostIndexes) {
        const error = c.get('text').audit.samples.unreadable;
        return c.html(<AuditSamplesPage c={c} indexes={typed} error={error} />, 422);
      }
      try {
        const query = parts.length === 0 ? {} : { indexes: parts.map(Number) };
        const samples = await oversight.sampleMap(c.get('actor'), query);
        return c.html(<AuditSamplesPage c={c} indexes={typed} samples={samples} />);
      } catch (error) {
        const codes = ['audit.unknown_entry', 'audit.not_yet_checkpointed'];
        if (!(error instanceof AppError) || !codes.includes(error.code)) throw error;
        const words = refusalWords(c, error);
        return c.html(<AuditSamplesPage c={c} indexes={typed} error={words} />, statusOf(error));
      }
    });
}
