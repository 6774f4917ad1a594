// "Ask about this": a person asks about a look at her data, the department answers, auditors conclude.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { TICKET_STATES, type Ticket, type TicketCase } from '../oversight/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { idempotent } from './idempotent.ts';
import {
  commonRefusals,
  jsonBody,
  jsonReply,
  Paging,
  pageOf,
  refusals,
  shapeOf,
} from './shapes.ts';

const members =
  'id, index of the entry, state: open, overdue, answered, escalated, concluded or closed; department, askedAt, dueAt, answeredAt, complainedAt, escalatedAt, concludedAt, question, answer, complaint, conclusion';
const TicketShape = shapeOf<Ticket>('Ticket', members);
const CaseShape = shapeOf<TicketCase>(
  'TicketCase',
  `${members}; look: at, type, service, verification, purpose and caseId of the entry`,
);
const Text = z.string().min(1).max(2000);
const Id = z.object({ id: z.string().max(64) });
const Query = Paging.extend({ state: z.enum(TICKET_STATES).optional() });
const conflicts = refusals({ 409: 'Not possible as it stands' });

const open = createRoute({
  method: 'post',
  path: '/me/tickets',
  tags: ['me'],
  summary: 'Ask about a look at my data: once an entry; the department has working days to answer',
  request: jsonBody(
    z.strictObject({ index: z.number().int().min(0), text: Text }).openapi('AskAboutLook'),
  ),
  responses: { ...commonRefusals, ...conflicts, 201: jsonReply(TicketShape, 'Asked') },
});
const listOwn = createRoute({
  method: 'get',
  path: '/me/tickets',
  tags: ['me'],
  summary: 'What I asked, latest first, with answers',
  request: { query: Query },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(TicketShape), 'Tickets') },
});
const getOwn = createRoute({
  method: 'get',
  path: '/me/tickets/{id}',
  tags: ['me'],
  summary: 'One thing I asked',
  request: { params: Id },
  responses: { ...commonRefusals, 200: jsonReply(TicketShape, 'The ticket') },
});
const notSatisfied = createRoute({
  method: 'post',
  path: '/me/tickets/{id}/not-satisfied',
  tags: ['me'],
  summary: 'Once: the answer does not content me, and the auditors look at it',
  request: {
    params: Id,
    ...jsonBody(z.strictObject({ text: Text.optional() }).openapi('NotSatisfied')),
  },
  responses: {
    ...commonRefusals,
    ...conflicts,
    200: jsonReply(TicketShape, 'Before the auditors'),
  },
});
const listDepartment = createRoute({
  method: 'get',
  path: '/tickets',
  tags: ['desk'],
  summary: 'What people ask of the department, without words, latest first',
  request: { query: Query },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(TicketShape), 'Tickets') },
});
const getDepartment = createRoute({
  method: 'get',
  path: '/tickets/{id}',
  tags: ['desk'],
  summary: 'One of them with its words; logged, and the person reads it',
  request: { params: Id },
  responses: { ...commonRefusals, 200: jsonReply(CaseShape, 'The ticket and the look') },
});
const answer = createRoute({
  method: 'post',
  path: '/tickets/{id}/answer',
  tags: ['desk'],
  summary: 'Answer, once',
  request: { params: Id, ...jsonBody(z.strictObject({ text: Text }).openapi('TicketAnswer')) },
  responses: { ...commonRefusals, ...conflicts, 200: jsonReply(CaseShape, 'Answered') },
});
const listEscalated = createRoute({
  method: 'get',
  path: '/audit/tickets',
  tags: ['audit'],
  summary: 'What was not answered in time, and answers that did not content',
  request: { query: Query },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(TicketShape), 'Latest first') },
});
const getEscalated = createRoute({
  method: 'get',
  path: '/audit/tickets/{id}',
  tags: ['audit'],
  summary: 'One of them with all that was said',
  request: { params: Id },
  responses: { ...commonRefusals, 200: jsonReply(CaseShape, 'The ticket and the look') },
});
const conclude = createRoute({
  method: 'post',
  path: '/audit/tickets/{id}/conclude',
  tags: ['audit'],
  summary: 'Say what was found; the person reads it, and the ticket has ended',
  request: { params: Id, ...jsonBody(z.strictObject({ text: Text }).openapi('TicketConclusion')) },
  responses: { ...commonRefusals, ...conflicts, 200: jsonReply(CaseShape, 'Concluded') },
});

/** Routes under /v1. */
export function ticketRoutes({
  oversight,
  idempotency,
}: Pick<Services, 'oversight' | 'idempotency'>) {
  const routes = new OpenAPIHono<Env>();
  routes.post('/me/tickets', idempotent({ idempotency }));
  return routes
    .openapi(open, async (c) => {
      const made = await oversight.openTicket(c.get('actor'), c.req.valid('json'));
      return c.json(made, 201, { Location: `/v1/me/tickets/${made.id}` });
    })
    .openapi(listOwn, async (c) =>
      c.json(await oversight.ownTickets(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(getOwn, async (c) =>
      c.json(await oversight.ownTicket(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(notSatisfied, async (c) => {
      const { id } = c.req.valid('param');
      return c.json(await oversight.complainOfTicket(c.get('actor'), id, c.req.valid('json')), 200);
    })
    .openapi(listDepartment, async (c) =>
      c.json(await oversight.departmentTickets(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(getDepartment, async (c) =>
      c.json(await oversight.departmentTicket(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(answer, async (c) => {
      const { id } = c.req.valid('param');
      return c.json(await oversight.answerTicket(c.get('actor'), id, c.req.valid('json')), 200);
    })
    .openapi(listEscalated, async (c) =>
      c.json(await oversight.escalatedTickets(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(getEscalated, async (c) =>
      c.json(await oversight.escalatedTicket(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(conclude, async (c) => {
      const { id } = c.req.valid('param');
      return c.json(await oversight.concludeTicket(c.get('actor'), id, c.req.valid('json')), 200);
    });
}
