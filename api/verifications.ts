// Asking another department (contract section 4.2): services, requests, and the provider's questions.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Question, ServiceView } from '../exchange/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { idempotent } from './idempotent.ts';
import {
  commonRefusals,
  Identifier,
  JsonObject,
  jsonBody,
  jsonReply,
  Paging,
  Purpose,
  pageOf,
  Reference,
  shapeOf,
} from './shapes.ts';

const Service = shapeOf<ServiceView>(
  'VerificationService',
  'code, names, provider, requesters, question, params and answer schemas, minimal disclosure, callable, why',
);
const ClaimedQuestion = shapeOf<Question>(
  'ClaimedQuestion',
  'The question with its subject, params and the schema its answer must have',
);

const AskInput = z
  .strictObject({
    service: z.string().min(1).max(64),
    subject: Identifier,
    params: JsonObject,
    legalBasis: z.string().min(1).max(64),
    purpose: Purpose,
    caseId: z.string().min(1).max(200),
    officer: z.string().min(1).max(200).optional(),
    discloseAfter: z
      .union([z.iso.datetime(), z.literal('case')])
      .optional()
      .openapi({
        description:
          'For departments that may delay: a date, or `case`: when the case is closed (POST /v1/cases/close). Closing ends a date too; never later than DISCLOSURE_DELAY_DAYS from now.',
      }),
    discloseReason: z.string().max(500).optional(),
  })
  .openapi('AskVerification');

export const Verification = z
  .looseObject({
    id: z.string(),
    service: z.string(),
    state: z.string(),
    overdue: z.boolean(),
    deadline: z.string(),
    createdAt: z.string(),
  })
  .openapi('Verification');

const VerificationId = z.object({ id: z.string().max(64) });

const listServices = createRoute({
  method: 'get',
  path: '/verification-services',
  tags: ['exchange'],
  summary: 'What can be asked, and what the caller may ask',
  responses: { 200: jsonReply(z.object({ items: z.array(Service) }), 'The services') },
});

const getService = createRoute({
  method: 'get',
  path: '/verification-services/{code}',
  tags: ['exchange'],
  summary: 'One verification service',
  request: { params: z.object({ code: z.string().max(64) }) },
  responses: { ...commonRefusals, 200: jsonReply(Service, 'The service') },
});

const publishService = createRoute({
  method: 'post',
  path: '/verification-services',
  tags: ['exchange'],
  summary: 'Publish a verification service, or a new version of one',
  request: jsonBody(JsonObject),
  responses: { ...commonRefusals, 201: jsonReply(Service, 'The service as it is live now') },
});

const ask = createRoute({
  method: 'post',
  path: '/verifications',
  tags: ['exchange'],
  summary: 'Ask a department; `Prefer: wait=N` waits up to N ≤ 30 seconds for the end',
  request: jsonBody(AskInput),
  responses: {
    ...commonRefusals,
    200: jsonReply(Verification, 'Ended in time'),
    202: jsonReply(Verification, 'Accepted; poll Location'),
  },
});

const list = createRoute({
  method: 'get',
  path: '/verifications',
  tags: ['exchange'],
  summary: "The caller's own requests",
  request: {
    query: Paging.extend({ state: z.string().max(32).optional(), caseId: Reference.optional() }),
  },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(Verification), 'A page of requests') },
});

const get = createRoute({
  method: 'get',
  path: '/verifications/{id}',
  tags: ['exchange'],
  summary: 'One of the caller’s own requests; reading an answer is a look',
  request: { params: VerificationId },
  responses: { ...commonRefusals, 200: jsonReply(Verification, 'The request') },
});

const cancel = createRoute({
  method: 'post',
  path: '/verifications/{id}/cancel',
  tags: ['exchange'],
  summary: 'Take a request back before it ended',
  request: { params: VerificationId },
  responses: { ...commonRefusals, 200: jsonReply(Verification, 'Cancelled') },
});

const questions = createRoute({
  method: 'get',
  path: '/questions',
  tags: ['exchange'],
  summary: "The provider's open questions of manual services",
  request: { query: Paging },
  responses: { ...commonRefusals, 200: jsonReply(pageOf(JsonObject), 'Open questions') },
});

const claim = createRoute({
  method: 'post',
  path: '/questions/{id}/claim',
  tags: ['exchange'],
  summary: 'Take a question to answer it',
  request: { params: VerificationId },
  responses: {
    ...commonRefusals,
    200: jsonReply(ClaimedQuestion, 'The question with its subject and params'),
  },
});

const answer = createRoute({
  method: 'post',
  path: '/questions/{id}/answer',
  tags: ['exchange'],
  summary: 'Answer a claimed question',
  request: { params: VerificationId, ...jsonBody(z.strictObject({ answer: JsonObject })) },
  responses: { ...commonRefusals, 200: jsonReply(JsonObject, 'Answered') },
});

const refuse = createRoute({
  method: 'post',
  path: '/questions/{id}/refuse',
  tags: ['exchange'],
  summary: 'Refuse a claimed question, with a reason the asker sees',
  request: {
    params: VerificationId,
    ...jsonBody(
      z.strictObject({ reason: z.string().min(1).max(64), text: z.string().min(1).max(1000) }),
    ),
  },
  responses: { ...commonRefusals, 200: jsonReply(JsonObject, 'Refused') },
});

/** `Prefer: wait=N` (RFC 7240), at most 30 seconds. */
export function waitSeconds(prefer: string | undefined): number {
  const match = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?/i.exec(prefer ?? '');
  return match ? Math.min(30, Number(match[1])) : 0;
}

const finalStates = new Set(['answered', 'refused', 'failed', 'expired', 'cancelled']);

/** Routes under /v1 for services, verifications and questions. */
export function verificationRoutes({
  exchange,
  idempotency,
}: Pick<Services, 'exchange' | 'idempotency'>) {
  const routes = new OpenAPIHono<Env>();
  routes.post(
    '/verifications',
    idempotent({
      idempotency,
      logReplay: async (actor, first) => {
        if (typeof first.id !== 'string') return undefined;
        const now = await exchange.getVerification(actor, first.id);
        // An answer that has been erased since must not come back out of the store of replies.
        return first.answer !== undefined && now.answer === undefined ? now : undefined;
      },
    }),
  );
  routes.post('/verification-services', idempotent({ idempotency }));
  return routes
    .openapi(listServices, async (c) =>
      c.json({ items: await exchange.listServices(c.get('actor')) }, 200),
    )
    .openapi(getService, async (c) =>
      c.json(await exchange.getService(c.get('actor'), c.req.valid('param').code), 200),
    )
    .openapi(publishService, async (c) =>
      c.json(await exchange.publishService(c.get('actor'), c.req.valid('json')), 201),
    )
    .openapi(ask, async (c) => {
      const started = performance.now();
      const wait = waitSeconds(c.req.header('prefer'));
      const verification = await exchange.ask(c.get('actor'), c.req.valid('json'), {
        waitSeconds: wait,
        idempotencyKey: c.req.header('idempotency-key'),
      });
      const headers = {
        'Server-Timing': `exchange;dur=${(performance.now() - started).toFixed(1)}`,
        ...(wait > 0 ? { 'Preference-Applied': `wait=${wait}` } : {}),
      };
      if (finalStates.has(verification.state)) return c.json(verification, 200, headers);
      return c.json(verification, 202, {
        ...headers,
        Location: `/v1/verifications/${verification.id}`,
        'Retry-After': '1',
      });
    })
    .openapi(list, async (c) =>
      c.json(await exchange.listVerifications(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(get, async (c) =>
      c.json(await exchange.getVerification(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(cancel, async (c) =>
      c.json(await exchange.cancel(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(questions, async (c) =>
      c.json(await exchange.listQuestions(c.get('actor'), c.req.valid('query')), 200),
    )
    .openapi(claim, async (c) =>
      c.json(await exchange.claimQuestion(c.get('actor'), c.req.valid('param').id), 200),
    )
    .openapi(answer, async (c) =>
      c.json(
        await exchange.answerQuestion(c.get('actor'), c.req.valid('param').id, c.req.valid('json')),
        200,
      ),
    )
    .openapi(refuse, async (c) =>
      c.json(
        await exchange.refuseQuestion(c.get('actor'), c.req.valid('param').id, c.req.valid('json')),
        200,
      ),
    );
}
