// Whatever a route refuses, it keeps and repeats nothing of: each POST, PUT and PATCH of the document,
// and each form of the pages, with bodies that hold a citizen ID and a name nobody has.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../../api/app.ts';
import { ROUTE_RIGHTS } from '../../../api/route-rights.ts';
import type { Door, Role, Scope } from '../../../identity/index.ts';
import { prepareSearch, writtenForms } from '../../../platform/byte-search.ts';
import { scanTables } from '../../../platform/residue-scan.ts';
import { citizenId } from '../identity/house.ts';
import { type DepartmentId, PUBLIC_URL, send, sessionOf, withHouse } from './house.ts';

const house = withHouse();

const officerOf: Record<Role, string> = {
  desk: 'housing-desk-1',
  issuer: 'health-issuer-1',
  approver: 'health-approver-1',
  provider: 'civil-provider-1',
  steward: 'civil-steward-1',
  auditor: 'audit-auditor-1',
  operator: 'govsvc-operator-1',
};
const clientOf: Record<Scope, DepartmentId> = {
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
};

interface Secret {
  id: string;
  name: string;
}

/** IDs and names that nobody has; the same on each run. */
const secrets: Secret[] = fc
  .sample(
    fc.tuple(
      fc.integer({ min: 100, max: 999 }),
      fc.shuffledSubarray([...'龘燚犇骉淼垚']),
      fc.nat(9),
    ),
    {
      seed: 20_260_304,
      numRuns: 3,
    },
  )
  .map(([serial, letters], at) => ({
    id: citizenId(`1971030${at + 1}`, serial),
    name: `欧阳${[...letters, '龘', '燚', '犇'].slice(0, 3).join('')}`,
  }));

/** Bodies that no route takes, each with both in it. */
const brokenBodies = ({ id, name }: Secret): string[] => [
  `{"subject":{"scheme":"cn-id","value":"${id}","name":"${name}"`,
  JSON.stringify([id, name]),
  JSON.stringify({ [id]: name, [name]: { [name]: id } }),
  JSON.stringify({
    ...Object.fromEntries(
      ['type', 'service', 'reason', 'purpose', 'caseId', 'number', 'note', 'decision', 'scope'].map(
        (field) => [field, `${name} ${id}`],
      ),
    ),
    ...Object.fromEntries(
      ['subject', 'holder', 'fields', 'params', 'answer', 'identifier'].map((field) => [
        field,
        { scheme: 'cn-id', value: `${id}0`, name, [name]: id },
      ]),
    ),
  }),
];

const newSearch = prepareSearch(
  secrets.flatMap(({ id, name }) => [
    ...writtenForms(`id ${id}`, Buffer.from(id)),
    ...writtenForms(`name ${name}`, Buffer.from(name)).filter(({ bytes }) => bytes.length >= 6),
  ]),
);
const foundIn = (text: string): string[] => [
  ...new Set(
    newSearch()
      .push(Buffer.from(text))
      .map(({ label }) => label),
  ),
];

const headersOf = ({ headers }: { headers: Headers }): string => [...headers].join('\n');
const cookies = new Map<string, string>();

async function cookieOf(who: string): Promise<string> {
  const cookie = cookies.get(who) ?? (await sessionOf(house, who));
  cookies.set(who, cookie);
  return cookie;
}

/** Sends as somebody whom the door lets in, so that the body is read. */
async function sendThrough(door: Door, method: string, path: string, body: string) {
  if (typeof door === 'object' && 'scopes' in door) {
    const [scope = 'licences:read'] = door.scopes;
    return house.client(clientOf[scope], scope).call(method, path, body);
  }
  const role = typeof door === 'object' ? door.roles[0] : undefined;
  const who = door === 'citizen' ? 'li' : officerOf[role ?? 'desk'];
  return send(house, method, path, {
    headers: {
      'Content-Type': 'application/json',
      ...(door === 'anyone' ? {} : { Cookie: await cookieOf(who), Origin: PUBLIC_URL }),
    },
    body,
  });
}

const somewhere = (path: string): string =>
  path
    .replace(/[{:]decision\}?/, path.includes('consents') ? 'grant' : 'approve')
    .replace(/[{:]index\}?/, '0')
    .replace(/\{\w+\}|:\w+/g, '00000000-0000-7000-8000-000000000000');

/** By these a form is turned away before its handler reads it. */
const stops = [
  'identity.form_token_invalid',
  'identity.unauthenticated',
  'identity.role_missing',
  'web.other_account_needed',
  'web.foreign_origin',
];

/** Whose form it is. */
function whoSends(path: string): string {
  if (path.startsWith('/ops')) return officerOf.operator;
  if (path.startsWith('/audit')) return officerOf.auditor;
  if (path.startsWith('/desk/questions')) return officerOf.provider;
  if (path.startsWith('/desk/tickets')) return officerOf.steward;
  if (path.startsWith('/desk/approvals') || path.endsWith('/review')) return officerOf.approver;
  return path.startsWith('/desk') ? officerOf.desk : 'li';
}

const operations = Object.entries(ROUTE_RIGHTS)
  .map(([operation, door]): { method: string; path: string; door: Door } => {
    const [method = '', path = ''] = operation.split(' ');
    return { method, path, door };
  })
  .filter(({ method }) => ['POST', 'PUT', 'PATCH'].includes(method));

describe('of a refused body, a citizen ID and a name', () => {
  test('stand in no reply, header or log line of any route', async () => {
    const wrong: unknown[] = [];
    let refusals = 0;
    for (const [at, { method, path, door }] of operations.entries()) {
      const secret = secrets[at % secrets.length];
      if (!secret) throw new TypeError('There are some.');
      for (const body of brokenBodies(secret)) {
        const lines = house.logLines.length;
        const reply = await sendThrough(door, method, somewhere(path), body);
        if (reply.status >= 400) refusals += 1;
        const said = {
          reply: reply.text,
          headers: headersOf(reply),
          log: house.logLines.slice(lines).join(''),
        };
        for (const [where, text] of Object.entries(said)) {
          const found = foundIn(text);
          if (found.length > 0) wrong.push([method, path, body.slice(0, 20), where, found]);
        }
        if (reply.status >= 500) wrong.push([method, path, body.slice(0, 20), reply.status]);
      }
    }
    expect(wrong).toEqual([]);
    expect(operations.length).toBeGreaterThan(40);
    expect(refusals).toBeGreaterThan(operations.length * 3);
  }, 120_000);

  test('stand in no header or log line of any form of the pages', async () => {
    const forms = createApp(house.services).routes.filter(
      ({ method, path }) => method === 'POST' && !/^\/(v1|oauth|openid|api|tsa)\b|\*/.test(path),
    );
    const paths = [...new Set(forms.map(({ path }) => path))];
    expect(paths.length).toBeGreaterThan(10);
    const wrong: unknown[] = [];
    const notReached: unknown[] = [];
    for (const [at, path] of paths.entries()) {
      const { id, name } = secrets[at % secrets.length] ?? { id: '', name: '' };
      const who = whoSends(path);
      const Cookie = await cookieOf(who);
      const page = await send(house, 'GET', '/', { headers: { Cookie } });
      const token = /name="form_token" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
      const fields = [
        'value',
        'name',
        'reason',
        'q',
        'code',
        'number',
        'subject',
        'purpose',
        'caseId',
        'case_id',
        'text',
      ];
      const lines = house.logLines.length;
      const reply = await send(house, 'POST', somewhere(path), {
        headers: { Cookie, Origin: PUBLIC_URL },
        body: new URLSearchParams({
          form_token: token,
          ...Object.fromEntries(fields.map((field) => [field, `${id}0 ${name}`])),
        }),
      });
      const stop = stops.find((code) => reply.text.includes(code));
      if (token === '' || stop !== undefined) notReached.push([path, who, stop ?? 'no token']);
      if (path.includes('sign-out') || path.includes('sessions')) cookies.delete(who);
      const found = foundIn(`${headersOf(reply)}\n${house.logLines.slice(lines).join('')}`);
      if (found.length > 0 || reply.status >= 500) wrong.push([path, reply.status, found]);
    }
    expect(wrong).toEqual([]);
    expect(notReached).toEqual([]);
  }, 120_000);

  test('stand in no table, no job and no metric afterwards', async () => {
    expect(foundIn(await house.services.metrics.text())).toEqual([]);
    expect(await scanTables(house.ownerUrl, newSearch)).toEqual([]);
    // The search would have found them.
    const [{ id, name } = { id: '', name: '' }] = secrets;
    expect(foundIn(`..${id}..${encodeURIComponent(name)}${name}`)).toHaveLength(2);
  });
});
