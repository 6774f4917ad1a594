// Answers that take two officers (contract section 4.2): the provider's second one reads and decides.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Proposal, ProposalOutline } from '../exchange/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import {
  commonRefusals,
  JsonObject,
  jsonBody,
  jsonReply,
  Paging,
  pageOf,
  refusals,
  shapeOf,
} from './shapes.ts';

const Outline = shapeOf<ProposalOutline>(
  'AnswerProposalOutline',
  'id, service, requester, deadline, isMine',
);
const Shown = shapeOf<Proposal>(
  'AnswerProposal',
  'The outline, proposal (names exactly this answer), question, subject, params, answer and its schema',
);
const Id = z.object({ id: z.string().max(64) });
const Approval = z.strictObject({ proposal: z.uuid() });
const conflict = refusals({ 409: 'Not possible as things are' });

const withdraw = createRoute({
  method: 'post',
  path: '/questions/{id}/withdraw',
  tags: ['exchange'],
  summary: 'Take an answer back that waits for approval; its proposer alone',
  request: { params: Id },
  responses: { ...commonRefusals, 200: jsonReply(JsonObject, 'Open again') },
});

const list = createRoute({
  method: 'get',
  path: '/answer-proposals',
  tags: ['exchange'],
  summary: "Answers of the officer's department that wait for approval",
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(Outline), 'Oldest first') },
});

const read = createRoute({
  method: 'post',
  path: '/answer-proposals/{id}/read',
  tags: ['exchange'],
  summary: 'Read a proposed answer with its question; a look, so it is logged',
  request: { params: Id },
  responses: { ...commonRefusals, 200: jsonReply(Shown, 'The question and the proposed answer') },
});

const approve = createRoute({
  method: 'post',
  path: '/answer-proposals/{id}/approve',
  tags: ['exchange'],
  summary: 'Let exactly this answer leave; another officer than who asked, took or answered',
  request: { params: Id, ...jsonBody(Approval) },
  responses: { ...commonRefusals, ...conflict, 200: jsonReply(JsonObject, 'Answered') },
});

const sendBack = createRoute({
  method: 'post',
  path: '/answer-proposals/{id}/return',
  tags: ['exchange'],
  summary: 'Send an answer back to who proposed it, with a reason',
  request: {
    params: Id,
    ...jsonBody(Approval.extend({ reason: z.string().min(1).max(500) })),
  },
  responses: { ...commonRefusals, ...conflict, 200: jsonReply(JsonObject, 'Open again') },
});

/** Routes under /v1 for proposed answers. */
export function answerProposalRoutes({ exchange }: Pick<Services, 'exchange'>) {
  return new OpenAPIHono<Env>()
    .openapi(withdraw, async (c) =>
      c.json(await exchange.withdrawAnswer(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(list, async (c) =>
      c.json(await exchange.listProposals(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(read, async (c) =>
      c.json(await exchange.readProposal(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(approve, async (c) => {
      const { id } = c.req.valid('param');
      return c.json(await exchange.approveAnswer(c.get('actor'), id, c.req.valid('json')), 200);
    })
    .openapi(sendBack, async (c) => {
      const { id } = c.req.valid('param');
      return c.json(await exchange.returnAnswer(c.get('actor'), id, c.req.valid('json')), 200);
    });
}
