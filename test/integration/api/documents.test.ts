// A licence's document over the whole house: who gets it, what is logged, what is kept, what it is worth.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../platform/index.ts';
import { eventually } from '../../support/eventually.ts';
import { pemOf, run, scratch } from '../../support/openssl.ts';
import { sealOf } from '../../support/sealed-pdf.ts';
import { healthCertificate, LI, PUBLIC_URL, refusal, send, sessionOf, withHouse } from './house.ts';

const house = withHouse();
const files = scratch();
const HEALTH = '11990100009900048E';
let root: string;
let number: string;
let li: string;

const issue = async (changes: JsonObject = {}): Promise<JsonObject> => {
  const { json } = await house
    .client('health')
    .call('POST', '/v1/licences', healthCertificate(changes));
  return json as JsonObject;
};

async function get(path: string, headers: Record<string, string>, base = house.baseUrl) {
  const response = await fetch(`${base}${path}`, { headers });
  return { response, bytes: Buffer.from(await response.arrayBuffer()) };
}

const own = (of = number, headers: Record<string, string> = {}, base?: string) =>
  get(`/v1/licences/${of}/document.pdf`, { Cookie: li, ...headers }, base);

beforeAll(async () => {
  root = files.file('root.pem', pemOf(house.services.signing.rootCertificate()));
  number = String((await issue()).number);
  li = await sessionOf(house, 'li');
});
afterAll(() => files.remove());

/** The entries in Li's log, newest first. */
async function looks(): Promise<JsonObject[]> {
  const { json } = await send(house, 'GET', '/v1/me/access-log?limit=50', {
    headers: { Cookie: li },
  });
  return (json as { items: JsonObject[] }).items;
}

describe('the holder', () => {
  test('gets her document under a safe name, stored nowhere on the way', async () => {
    const { response, bytes } = await own();
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/pdf',
      'content-disposition': `attachment; filename="licence-${number}.pdf"`,
      'cache-control': 'private, no-store',
      etag: `"${createHash('sha256').update(bytes).digest('base64url')}"`,
    });
    expect(bytes.subarray(0, 5).toString()).toBe('%PDF-');
  }, 60_000);

  test('gets the same bytes again, or none when she has them', async () => {
    const first = await own();
    const etag = first.response.headers.get('etag') ?? '';
    expect((await own()).bytes.equals(first.bytes)).toBe(true);
    const again = await own(number, { 'If-None-Match': etag });
    expect([again.response.status, again.bytes.length]).toEqual([304, 0]);
  });

  test('asked for twenty times at once it is made once', async () => {
    const { number: other } = await issue({
      fields: { certificate_no: 'JK-000002', trade: 'food', examined_on: '2026-03-01' },
    });
    const all = await Promise.all(Array.from({ length: 20 }, () => own(String(other))));
    expect(new Set(all.map(({ response }) => response.headers.get('etag'))).size).toBe(1);
    const rows =
      await house.ownerSql`select certificate from signing.sealed_documents where number = ${String(other)}`;
    expect(rows).toHaveLength(1);
  });

  test('gets another one when the licence stands otherwise', async () => {
    const { number: other } = await issue({
      fields: { certificate_no: 'JK-000003', trade: 'food', examined_on: '2026-03-01' },
    });
    const before = await own(String(other));
    const acted = await house.client('health').call('POST', `/v1/licences/${other}/suspend`, {
      reason: '复查',
      legalBasis: 'LB-FOODSAFE',
    });
    expect(acted.status).toBe(200);
    expect((await own(String(other))).bytes.equals(before.bytes)).toBe(false);
  });
});

describe('the seal', () => {
  test('is a CAdES signature of the department that OpenSSL verifies up to the root', async () => {
    const { bytes } = await own();
    const { signature, covered } = sealOf(bytes);
    const der = files.file('seal.der', signature);
    const content = files.file('covered', covered);
    const verify = (data: string) =>
      run('openssl', [
        'cms',
        '-verify',
        '-cades',
        '-inform',
        'DER',
        '-in',
        der,
        '-content',
        data,
        '-binary',
        '-CAfile',
        root,
        '-purpose',
        'any',
        '-out',
        '/dev/null',
      ]);
    expect(verify(content)).toMatchObject({ isOk: true });
    covered[100] = (covered[100] ?? 0) ^ 1;
    expect(verify(files.file('changed', covered))).toMatchObject({ isOk: false });
    const text = run('openssl', ['cms', '-cmsout', '-print', '-inform', 'DER', '-in', der]).text;
    expect(text).toContain(HEALTH);
    expect(text).toContain('id-smime-aa-signingCertificateV2');
    expect(text).not.toContain('signingTime');
  });

  test('carries a time-stamp over its value that OpenSSL verifies', async () => {
    const { signature } = sealOf((await own()).bytes);
    const { value, token } = sealOf.parts(signature);
    const verified = run('openssl', [
      'ts',
      '-verify',
      '-data',
      files.file('value', value),
      '-in',
      files.file('token', token),
      '-token_in',
      '-CAfile',
      root,
    ]);
    expect(verified).toMatchObject({ isOk: true });
  });

  test('was recorded before it was made, by the digest of all it covers', async () => {
    const { covered } = sealOf((await own()).bytes);
    const digest = createHash('sha256').update(covered).digest();
    const rows =
      await house.ownerSql`select number from signing.sealed_documents where digest = ${digest}`;
    expect(rows).toEqual([{ number }]);
  });
});

describe('who else', () => {
  test('the issuing department gets it, and Li sees the look', async () => {
    const { status, text } = await house
      .client('health')
      .call('GET', `/v1/licences/${number}/document.pdf`);
    expect([status, text.slice(0, 5)]).toEqual([200, '%PDF-']);
    expect((await looks())[0]).toMatchObject({
      type: 'licence.read',
      outcome: 'ok',
      department: { id: 'health' },
    });
  });

  test('another department is told to state its purpose, and Li sees that too', async () => {
    const reply = await house.client('housing').call('GET', `/v1/licences/${number}/document.pdf`);
    expect(refusal(reply)).toBe('403 exchange.purpose_required');
    // A refusal waits for no place in the log.
    await eventually(async () =>
      (await looks()).some(
        ({ outcome, department }) =>
          outcome === 'refused' && (department as JsonObject | null)?.id === 'housing',
      ),
    );
  });

  test('nobody gets it who is not signed in', async () => {
    const { response } = await get(`/v1/licences/${number}/document.pdf`, {});
    expect(response.status).toBe(401);
  });
});

test('a process without keys hands on what the signer sealed', async () => {
  const second = await house.openSecondDoor();
  const { number: other } = await issue({
    fields: { certificate_no: 'JK-000004', trade: 'food', examined_on: '2026-03-01' },
  });
  const { response, bytes } = await own(String(other), {}, second);
  expect([response.status, bytes.subarray(0, 5).toString()]).toEqual([200, '%PDF-']);
  expect((await own(String(other))).bytes.equals(bytes)).toBe(true);
}, 60_000);

test('what is kept tells nothing without the holder’s key', async () => {
  await own();
  const rows =
    await house.ownerSql`select pdf_sealed from registry.documents where number = ${number}`;
  expect(rows.length).toBeGreaterThan(0);
  for (const { pdf_sealed: sealed } of rows) {
    expect(sealed.includes('%PDF')).toBe(false);
    expect(sealed.includes(LI.name)).toBe(false);
  }
});

test('a day later the kept documents are gone and made anew', async () => {
  const { bytes } = await own();
  await house.ownerSql`update registry.documents set day = day - 1`;
  expect(await house.services.registry.forgetDocuments()).toBeGreaterThan(0);
  expect(await house.ownerSql`select 1 from registry.documents`).toEqual([]);
  expect((await own()).bytes.equals(bytes)).toBe(false);
});

describe('a character that no typeface has', () => {
  test.each([
    ['an Egyptian bird', '李小明𓅃', 'U+13143'],
    ['a Tibetan name', 'བཀྲ་ཤིས', 'U+0F56'],
    ['a NUL-like control', '李\u0007', 'U+0007'],
  ])('%s is refused at issue', async (_, name, point) => {
    const reply = await house
      .client('health')
      .call('POST', '/v1/licences', healthCertificate({ holder: { ...LI, name } }));
    expect(refusal(reply)).toBe('422 registry.character_missing /holder/name');
    expect(reply.json).toMatchObject({
      errors: [{ pointer: '/holder/name', detail: expect.stringContaining(point) }],
    });
  });

  test('rare ones that it has are issued and drawn', async () => {
    const name = '龘靐齉㐂𬭸·买买提';
    const issued = await issue({ holder: { ...LI, name } });
    expect((await own(String(issued.number))).response.status).toBe(200);
  });
});

describe('the page of the issuing department', () => {
  const look = async (who: string, of: string) => {
    const cookie = await sessionOf(house, who);
    const headers = { Cookie: `${cookie}; yihao_lang=en` };
    const page = await send(house, 'GET', '/desk/licences', { headers });
    const token = /name="form_token" value="([\w-]+)"/.exec(page.text)?.[1] ?? '';
    return send(house, 'POST', '/desk/licences', {
      headers: { ...headers, Origin: PUBLIC_URL },
      body: new URLSearchParams({ form_token: token, number: of }),
    });
  };

  test('shows a licence by its number, with the way to its document', async () => {
    const { status, text } = await look('health-issuer-1', ` ${number} `);
    expect([status, text.includes(LI.name)]).toEqual([200, true]);
    expect(text).toContain(`href="/v1/licences/${number}/document.pdf"`);
    const cookie = await sessionOf(house, 'health-issuer-1');
    const path = `/v1/licences/${number}/document.pdf`;
    expect((await get(path, { Cookie: cookie })).response.status).toBe(200);
  });

  test('refuses a licence of another department, and what is none', async () => {
    expect((await look('housing-desk-1', number)).status).toBe(403);
    const { status, text } = await look('health-issuer-1', '1.2.3');
    expect([status, text.includes('error-summary') || text.includes('role="alert"')]).toEqual([
      404,
      true,
    ]);
  });
});
