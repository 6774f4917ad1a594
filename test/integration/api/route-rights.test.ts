// Every operation of the OpenAPI document × every kind of caller: allowed exactly where the table says,
// refused everywhere else with the right code, before anything of the body is read.
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checkRouteRights } from '../../../api/doors.ts';
import { ROUTE_RIGHTS } from '../../../api/route-rights.ts';
import {
  type Door,
  ROLES,
  type Role,
  SCOPES,
  type Scope,
  scopesOf,
} from '../../../identity/index.ts';
import { PAGE_RIGHTS } from '../../../web/page-rights.ts';
import { eventually } from '../../support/eventually.ts';
import {
  type DepartmentId,
  Problem,
  PUBLIC_URL,
  refusal,
  send,
  sessionOf,
  withHouse,
} from './house.ts';

const house = withHouse();

const officers = {
  desk: 'housing-desk-1',
  issuer: 'health-issuer-1',
  approver: 'health-approver-1',
  provider: 'civil-provider-1',
  steward: 'civil-steward-1',
  auditor: 'audit-auditor-1',
  operator: 'govsvc-operator-1',
} as const satisfies Record<Role, string>;

const clients = {
  'licences:issue': 'health',
  'licences:read': 'health',
  'types:manage': 'govsvc',
  'services:manage': 'govsvc',
  'verifications:ask': 'housing',
  'verifications:answer': 'civil',
  'agreements:manage': 'civil',
  'corrections:write': 'civil',
  'subscriptions:manage': 'housing',
  'imports:write': 'health',
  'catalogue:publish': 'civil',
  'audit:read': 'audit',
} as const satisfies Record<Scope, DepartmentId>;

type Caller =
  | { kind: 'stranger' | 'citizen' }
  | { kind: 'officer'; role: Role }
  | { kind: 'client'; scope: Scope };

const callers: Caller[] = [
  { kind: 'stranger' },
  { kind: 'citizen' },
  ...ROLES.map((role): Caller => ({ kind: 'officer', role })),
  ...SCOPES.map((scope): Caller => ({ kind: 'client', scope })),
];

const table = new Map<string, Door>(Object.entries(ROUTE_RIGHTS));

/** Who the table lets in, read off it without the code that enforces it. */
function isLetIn(caller: Caller, door: Door): boolean {
  if (door === 'anyone') return true;
  if (door === 'known') return caller.kind !== 'stranger';
  if (typeof door === 'string') return caller.kind === door;
  if (caller.kind === 'officer') {
    const { role } = caller;
    if ('roles' in door) return door.roles.includes(role);
    return door.scopes.some((scope) => scopesOf(role).includes(scope));
  }
  return caller.kind === 'client' && 'scopes' in door && door.scopes.includes(caller.scope);
}

function codeExpected(caller: Caller, door: Door): string {
  if (caller.kind === 'stranger') return '401 identity.unauthenticated';
  if (typeof door === 'string') return '403 identity.other_caller_needed';
  if ('roles' in door) return '403 identity.role_missing';
  return door.refuse ? '403 exchange.scope' : '403 identity.scope_missing';
}

const doorCodes = new Set([
  'identity.unauthenticated',
  'identity.other_caller_needed',
  'identity.role_missing',
  'identity.scope_missing',
  'exchange.scope',
]);

const Document = z.object({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.object({ requestBody: z.unknown().optional() })),
  ),
});

const Item = z.looseObject({ code: z.string(), purpose: z.null() });

interface Operation {
  method: string;
  path: string;
  hasBody: boolean;
}

async function operations(): Promise<Operation[]> {
  const { json } = await send(house, 'GET', '/openapi.json');
  const found = Object.entries(Document.parse(json).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      hasBody: requestBody !== undefined,
    })),
  );
  // What ends sessions comes last.
  return found.sort((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'));
}

/** An address of the route, of something that isn't there. */
function addressOf({ path }: Operation): string {
  return path
    .replace('{decision}', path.includes('consents') ? 'grant' : 'approve')
    .replace('{index}', '0')
    .replace(/\{\w+\}/g, '00000000-0000-7000-8000-000000000000');
}

describe('the routes and their rights', () => {
  let all: Operation[] = [];
  const cookies = new Map<string, string>();

  async function cookieOf(who: string): Promise<string> {
    const cookie = cookies.get(who) ?? (await sessionOf(house, who));
    cookies.set(who, cookie);
    return cookie;
  }

  async function callAs(caller: Caller, operation: Operation) {
    const { method, hasBody } = operation;
    const path = addressOf(operation);
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    const body = hasBody ? '{broken' : undefined;
    if (caller.kind === 'client') {
      const { call } = house.client(clients[caller.scope], caller.scope);
      return call(method, path, body, headers);
    }
    const who = caller.kind === 'officer' ? officers[caller.role] : 'li';
    if (caller.kind !== 'stranger') {
      Object.assign(headers, { Cookie: await cookieOf(who), Origin: PUBLIC_URL });
    }
    if (method === 'DELETE') cookies.delete(who);
    return send(house, method, path, {
      headers,
      ...(body === undefined ? {} : { body }),
    });
  }

  beforeAll(async () => {
    all = await operations();
  });

  test('the document and the table name the same operations', () => {
    const documented = all.map(({ method, path }) => `${method} ${path}`);
    expect(documented.sort()).toEqual([...table.keys()].sort());
  });

  test('each caller enters exactly where the table says', async () => {
    const wrong: string[] = [];
    for (const operation of all) {
      const door = table.get(`${operation.method} ${operation.path}`) ?? 'anyone';
      const replies = await Promise.all(
        callers.map(async (caller) => ({ caller, reply: await callAs(caller, operation) })),
      );
      for (const { caller, reply } of replies) {
        const problem = Problem.safeParse(reply.json);
        const code = problem.success ? problem.data.code : '';
        const said = JSON.stringify({ ...operation, ...caller, status: reply.status, code });
        if (reply.status >= 500) wrong.push(`fails: ${said}`);
        else if (isLetIn(caller, door)) {
          if (doorCodes.has(code)) wrong.push(`is refused: ${said}`);
        } else if (`${reply.status} ${code}` !== codeExpected(caller, door)) {
          wrong.push(`gets in: ${said}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(all.length * callers.length).toBeGreaterThan(900);
  }, 120_000);

  test('a refusal at the door is in the log, with the operation and no subject', async () => {
    const { call } = house.client('audit');
    await call('POST', '/v1/verifications', '{broken');
    const search = { type: 'door.refused', outcome: 'refused', department: 'audit', limit: 1 };
    await eventually(async () => {
      const { json } = await call('POST', '/v1/audit/search', search);
      const [item] = z.object({ items: z.array(Item) }).parse(json).items;
      return item?.code === 'exchange.scope' && item.purpose === null;
    });
  });
});

describe('an address without a row', () => {
  test('is closed to strangers and nothing to others', async () => {
    const { call } = house.client('health');
    expect(refusal(await send(house, 'GET', '/v1/nothing-here'))).toBe(
      '401 identity.unauthenticated',
    );
    expect(refusal(await call('GET', '/v1/nothing-here'))).toBe('404 api.not_found');
  });

  test('keeps the house from starting when a route answers there', () => {
    const { 'GET /v1/me': _, ...rights } = ROUTE_RIGHTS;
    const routes = Object.keys(ROUTE_RIGHTS).map((operation) => {
      const [method = '', path = ''] = operation.split(' ');
      return { method, path: path.replace(/\{(\w+)\}/g, ':$1') };
    });
    expect(() => checkRouteRights(routes)).not.toThrow();
    expect(() => checkRouteRights(routes, rights)).toThrow('lacks GET /v1/me;');
    expect(() => checkRouteRights(routes.slice(1))).toThrow(
      'without a route: GET /v1/licence-types.',
    );
  });
});

describe('the pages', () => {
  const refusedAtDoor = /identity\.(?:role_missing|other_caller_needed)/;

  test('let each kind of caller in exactly where their table says', async () => {
    for (const [path, door] of Object.entries(PAGE_RIGHTS)) {
      for (const under of [path, `${path}/nothing-here`]) {
        for (const caller of callers.filter(({ kind }) => kind !== 'client')) {
          const who = caller.kind === 'officer' ? officers[caller.role] : 'li';
          const headers: Record<string, string> =
            caller.kind === 'stranger' ? {} : { Cookie: await sessionOf(house, who) };
          const reply = await send(house, 'GET', under, { headers });
          const said = [under, who, caller.kind, reply.status];
          const isIn = isLetIn(caller, door);
          if (caller.kind === 'stranger') expect(said).toEqual([under, who, 'stranger', 303]);
          else if (isIn)
            expect([...said, refusedAtDoor.test(reply.text)]).toEqual([...said, false]);
          else expect([reply.status, refusedAtDoor.test(reply.text)]).toEqual([403, true]);
        }
      }
    }
  }, 120_000);
});

describe('the table itself', () => {
  const openTo = (role: Role) =>
    [...table].flatMap(([operation, door]) =>
      typeof door !== 'string' && isLetIn({ kind: 'officer', role }, door) ? [operation] : [],
    );

  test('lets an auditor into the audit alone, and nobody else there', () => {
    const audit = [...table.keys()].filter((operation) => / \/(v1\/audit|log)\//.test(operation));
    expect(openTo('auditor')).toEqual(audit);
    for (const role of ROLES.filter((one) => one !== 'auditor')) {
      expect(openTo(role).filter((operation) => audit.includes(operation))).toEqual([]);
    }
  });

  test('lets an operator to no personal data', () => {
    const personal = /licences|verifications|questions|copies|corrections|imports|\/me\b/;
    expect(openTo('operator').filter((operation) => personal.test(operation))).toEqual([]);
  });
});
