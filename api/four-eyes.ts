// What routes about officers say of four eyes: one operator asks, another decides.
import { z } from '@hono/zod-openapi';
import { jsonBody, Paging, refusals } from './shapes.ts';

/** Why an operator does it. */
export const Why = z.strictObject({ reason: z.string().min(1).max(500) }).openapi('OperatorReason');

/** Requests in one state, if it is named. */
export const RequestsQuery = Paging.extend({
  state: z.enum(['open', 'approved', 'refused']).optional(),
});

/** One request, and what is decided about it. */
export const Decision = {
  params: z.object({ id: z.string().max(64), decision: z.enum(['approve', 'refuse']) }),
  ...jsonBody(Why),
};

export const notPossible = refusals({ 409: 'Not possible as things are' });
