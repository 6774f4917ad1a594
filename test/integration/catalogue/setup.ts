// A catalogue over a test database, with time standing still and a silent log.

import { Hono } from 'hono';
import pino from 'pino';
import { ckanRoutes } from '../../../api/ckan.ts';
import type { Env } from '../../../api/env.ts';
import { createCatalogue } from '../../../catalogue/index.ts';
import { AppError, type Database, fixedClock, systemIds } from '../../../platform/index.ts';

export const siteUrl = 'http://catalogue.test';

/** The catalogue and its CKAN routes. */
export function catalogueOn(database: Database) {
  const clock = fixedClock('2026-03-04T05:00:00Z');
  const logger = pino({ level: 'silent' });
  const catalogue = createCatalogue({
    database,
    clock,
    ids: systemIds,
    logger,
    publicUrl: siteUrl,
  });
  const app = new Hono<Env>().route('/', ckanRoutes({ catalogue, logger }));
  app.onError((error, c) => {
    // The edge's own problem details aren't this test's matter; the code is.
    if (!(error instanceof AppError)) throw error;
    return c.json({ code: error.code }, error.kind === 'not_found' ? 404 : 500);
  });
  return { catalogue, clock, app };
}
