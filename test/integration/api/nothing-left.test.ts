// Bad input leaves nothing: a stable code, no row, and neither in the reply nor in a log line what was sent.
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../platform/index.ts';
import { citizenId } from '../identity/house.ts';
import {
  type DepartmentId,
  healthCertificate,
  maritalQuestion,
  refusal,
  withHouse,
} from './house.ts';

const house = withHouse();

const tables = [
  'registry.licences',
  'registry.licence_events',
  'registry.credentials',
  'registry.applications',
  'registry.mentions',
  'exchange.verifications',
  'exchange.request_keys',
  'exchange.questions',
  'exchange.answers',
  'exchange.consents',
  'exchange.agreement_usage',
  'signing.statuses',
  'platform.idempotency_keys',
  'platform.outbox',
];

async function rows(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of tables) {
    const [row] = await house.ownerSql`select count(*)::int as n from ${house.ownerSql(table)}`;
    counts[table] = Number(row?.n);
  }
  return counts;
}

/** An ID nobody else in this file sends, so that each finding tells its case. */
let sent = 100;
function freshId(): string {
  sent += 1;
  return citizenId('19850612', sent);
}

/** The ID with another check character. */
function misspelt(id: string): string {
  return `${id.slice(0, 17)}${id.endsWith('0') ? '1' : '0'}`;
}

const holder = (value: string): JsonObject => ({ scheme: 'cn-id', value, name: '王不存' });
const subject = (value: string): JsonObject => ({ scheme: 'cn-id', value });

interface Bad {
  what: string;
  by: DepartmentId;
  path: string;
  /** A whole body, or its exact bytes. */
  body: (id: string) => JsonObject | string;
  refused: string;
}

const issue = '/v1/licences';
const ask = '/v1/verifications';

const cases: Bad[] = [
  {
    what: 'a wrong check character of a holder',
    by: 'health',
    path: issue,
    body: (id) => healthCertificate({ holder: holder(misspelt(id)) }),
    refused: '422 identity.citizen_id_invalid /holder/value',
  },
  {
    what: 'a wrong check character of a subject',
    by: 'housing',
    path: ask,
    body: (id) => maritalQuestion({ subject: subject(misspelt(id)) }),
    refused: '422 identity.citizen_id_invalid /subject/value',
  },
  {
    what: 'an unknown licence type',
    by: 'health',
    path: issue,
    body: (id) => healthCertificate({ type: 'LT-NOTHING', holder: holder(id) }),
    refused: '422 registry.unknown_type /type',
  },
  {
    what: 'an unknown service',
    by: 'housing',
    path: ask,
    body: (id) => maritalQuestion({ service: 'VS-NOTHING', subject: subject(id) }),
    refused: '404 exchange.unknown_service',
  },
  {
    what: 'another department’s type',
    by: 'civil',
    path: issue,
    body: (id) => healthCertificate({ holder: holder(id) }),
    refused: '403 registry.not_issuer',
  },
  {
    what: 'a department without an agreement',
    by: 'govsvc',
    path: ask,
    body: (id) => maritalQuestion({ subject: subject(id) }),
    refused: '403 exchange.no_agreement',
  },
  {
    what: 'a legal basis the agreement has not',
    by: 'housing',
    path: ask,
    body: (id) => maritalQuestion({ subject: subject(id), legalBasis: 'LB-NOTHING' }),
    refused: '403 exchange.legal_basis_not_allowed',
  },
  {
    what: 'parameters that do not fit',
    by: 'housing',
    path: ask,
    body: (id) => maritalQuestion({ subject: subject(id), params: { declared: id } }),
    refused: '422 exchange.params_invalid /params/declared',
  },
  {
    what: 'an ID for a purpose',
    by: 'housing',
    path: ask,
    body: (id) => maritalQuestion({ purpose: `审核 ${id}` }),
    refused: '422 exchange.identifier_in_text /purpose',
  },
  {
    what: 'an ID for a case',
    by: 'housing',
    path: ask,
    body: (id) => maritalQuestion({ caseId: id }),
    refused: '422 exchange.identifier_in_text /caseId',
  },
  {
    what: 'an ID for a member’s name',
    by: 'health',
    path: issue,
    body: (id) => healthCertificate({ [id]: true }),
    refused: '422 api.input_invalid ',
  },
  {
    what: 'an ID for a field’s name',
    by: 'health',
    path: issue,
    body: (id) => healthCertificate({ holder: holder(id), fields: { [id]: 'x' } }),
    refused:
      '422 registry.fields_invalid /fields/certificate_no /fields/trade /fields/examined_on /fields',
  },
  {
    what: 'garbage instead of JSON',
    by: 'health',
    path: issue,
    body: (id) => `{"holder":{"value":"${id}"`,
    refused: '400 api.json_malformed',
  },
  {
    what: 'a list instead of an object',
    by: 'housing',
    path: ask,
    body: (id) => `["${id}"]`,
    refused: '422 api.input_invalid ',
  },
  {
    what: 'a body too large',
    by: 'health',
    path: issue,
    body: (id) => ({ ...healthCertificate({ holder: holder(id) }), more: 'x'.repeat(1_048_576) }),
    refused: '413 api.body_too_large',
  },
  {
    what: 'an unknown act',
    by: 'health',
    path: '/v1/licences/1.2.3/devour',
    body: (id) => ({ reason: id }),
    refused: '404 api.not_found',
  },
];

describe('nothing is stored, repeated or written down of', () => {
  for (const { what, by, path, body, refused } of cases) {
    test(what, async () => {
      const id = freshId();
      const client = house.client(by);
      await client.fetchToken();
      const before = await rows();
      const lines = house.logLines.length;
      const written = body(id);
      const reply = await client.call(
        'POST',
        path,
        typeof written === 'string' ? written : JSON.stringify(written),
      );
      expect(refusal(reply)).toBe(refused);
      expect(reply.headers.get('content-type')).toBe('application/problem+json');
      expect(await rows()).toEqual(before);
      const said = `${reply.text}\n${[...reply.headers].join('\n')}\n${house.logLines.slice(lines).join('')}`;
      expect(house.logLines.length).toBeGreaterThan(lines);
      for (const secret of [id, misspelt(id), id.slice(0, 17), '王不存']) {
        expect(said).not.toContain(secret);
      }
    });
  }
});

test('and of an ID in the address: neither in a log line nor in the reply', async () => {
  const client = house.client('housing');
  await client.fetchToken();
  for (const path of ['/v1/licences/', '/v1/verifications/', '/v1/public/licences/', '/dataset/']) {
    const id = freshId();
    const lines = house.logLines.length;
    const reply = await fetch(`${house.baseUrl}${path}${id}?q=${id}`, {
      headers: { 'X-Request-Id': id, Accept: 'text/html' },
    });
    const text = await reply.text();
    // The page's link to its other language leads back to where the reader is: her own address bar.
    const said = text.replaceAll(`${path}${id}?q=${id}`, '');
    expect([path, said.includes(id)]).toEqual([path, false]);
    expect([path, house.logLines.slice(lines).join('').includes(id)]).toEqual([path, false]);
  }
});
