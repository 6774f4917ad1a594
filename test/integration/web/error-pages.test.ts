// Refusals and faults as people meet them: a page in their language, with nothing of what was sent.
import { describe, expect, test } from 'vitest';
import { createApp } from '../../../api/app.ts';
import { PUBLIC_URL, send, sessionOf, withHouse } from '../api/house.ts';

const house = withHouse();
const browser = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

describe('a browser', () => {
  test('is told by a page what a program is told by a problem document', async () => {
    const long = `/catalogue?q=${'x'.repeat(8_200)}`;
    const cases: [method: string, path: string, status: number, code: string][] = [
      ['GET', '/nothing', 404, 'api.not_found'],
      ['GET', '/dataset/nothing', 404, 'catalogue.dataset_not_found'],
      ['DELETE', '/verify', 405, 'api.method_not_allowed'],
      ['GET', long, 414, 'api.url_too_long'],
      ['GET', '/%00', 400, 'api.url_malformed'],
    ];
    for (const [method, path, status, code] of cases) {
      const page = await send(house, method, path, { headers: browser });
      expect([path, page.status, page.headers.get('content-type')]).toEqual([
        path,
        status,
        'text/html; charset=UTF-8',
      ]);
      expect([path, page.text.includes(code)]).toEqual([path, true]);
      expect(page.headers.get('content-security-policy')).toContain("object-src 'none'");
      expect(page.headers.get('cache-control')).toBe('no-store');
    }
    for (const path of ['/v1/nothing', '/v1/me', '/oauth/nothing', '/status-lists/none']) {
      const { headers } = await send(house, 'GET', path, { headers: browser });
      expect([path, headers.get('content-type')]).toEqual([path, 'application/problem+json']);
    }
  });

  test('gets the page in the language it chose', async () => {
    const cookie = 'yihao_lang=en';
    const en = await send(house, 'GET', '/nothing', { headers: { ...browser, Cookie: cookie } });
    const zh = await send(house, 'GET', '/nothing', { headers: browser });
    expect([/<html lang="en"/.test(en.text), /<html lang="zh-CN"/.test(zh.text)]).toEqual([
      true,
      true,
    ]);
  });

  test('that comes too often is told so, and when to come back', async () => {
    const config = { ...house.services.config, ratePublic: 1 };
    const app = createApp({ ...house.services, config });
    await app.request('/', { headers: browser });
    const reply = await app.request('/', { headers: browser });
    expect(reply.status).toBe(429);
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await reply.text()).toContain('api.rate_limited');
  });

  test('meets a fault of ours as a page with the request’s number, and nothing of its cause', async () => {
    // A database that is not there any more stands for every fault nobody expected.
    const registry = { ...house.services.registry, lookup: brokenLookup };
    const app = createApp({ ...house.services, registry });
    const reply = await app.request('/verify', {
      method: 'POST',
      headers: { ...browser, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'code=0000000000000000',
    });
    const text = await reply.text();
    expect([reply.status, reply.headers.get('content-type')]).toEqual([
      500,
      'text/html; charset=UTF-8',
    ]);
    expect(text).toContain(reply.headers.get('x-request-id') ?? 'no id');
    expect(text).toContain('api.internal');
    expect(text).not.toContain('10.0.0.7');
  });

  test('never gets back as markup what it sent', async () => {
    const markup = '"><script>alert(1)</script>';
    const encoded = encodeURIComponent(markup);
    const paths = [
      `/${encoded}`,
      `/nothing?lang=${encoded}`,
      `/verify?lang=${encoded}`,
      `/sign-in?next=/${encoded}`,
      `/catalogue?q=${encoded}`,
      `/dataset/${encoded}`,
      `/?${encoded}=${encoded}`,
    ];
    for (const path of paths) {
      const { text } = await send(house, 'GET', path, { headers: browser });
      expect([path, text.includes('<script>alert')]).toEqual([path, false]);
    }
    const cookie = await sessionOf(house, 'housing-desk-1');
    const desk = await send(house, 'GET', '/desk?service=VS-MARITAL', {
      headers: { Cookie: cookie },
    });
    const token = /name="form_token" value="([^"]*)"/.exec(desk.text)?.[1] ?? '';
    const fields = ['service', 'subject-value', 'params-declared', 'purpose', 'caseId'];
    const reply = await send(house, 'POST', '/desk', {
      headers: { Cookie: cookie, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: String(
        new URLSearchParams([
          ['form_token', token],
          ...fields.map((name) => [name, name === 'service' ? 'VS-MARITAL' : markup]),
        ]),
      ),
    });
    expect(reply.status).toBe(422);
    expect(reply.text).not.toContain('<script>alert');
  });

  test('is led to sign in, and from there back to where it was, on this site only', async () => {
    const reply = await send(house, 'GET', '/desk?service=VS-MARITAL', { headers: browser });
    expect([reply.status, reply.headers.get('location')]).toEqual([
      303,
      '/sign-in?next=%2Fdesk%3Fservice%3DVS-MARITAL',
    ]);
    for (const next of ['//evil.example', 'https://evil.example', '/\\evil.example', '/%2f/evil']) {
      const { headers } = await send(house, 'POST', '/sign-in', {
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: PUBLIC_URL },
        body: String(
          new URLSearchParams({
            username: 'housing-desk-1',
            password: 'a-password-of-the-test',
            next,
          }),
        ),
      });
      const location = headers.get('location') ?? '';
      expect([next, new URL(location, PUBLIC_URL).origin]).toEqual([next, PUBLIC_URL]);
    }
  });

  test('that sends a form nobody can read is told so', async () => {
    const cases: [type: string, body: string][] = [
      ['multipart/form-data', 'no form at all'],
      ['multipart/form-data; boundary=x', 'no form at all'],
      [
        'multipart/form-data; boundary=x',
        '--x\r\nContent-Disposition: form-data; name="code"\r\n\r\nab',
      ],
      ['application/x-www-form-urlencoded', 'code=0000%00000'],
    ];
    for (const [type, body] of cases) {
      const headers = { ...browser, 'Content-Type': type };
      const reply = await send(house, 'POST', '/verify', { headers, body });
      expect([type, body, reply.status]).toEqual([type, body, 400]);
      expect(reply.text).toContain('web.form_unreadable');
    }
    const upload = await send(house, 'POST', '/v1/public/verify', {
      headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
      body: 'no form at all',
    });
    expect(upload.status).toBe(422);
  });
});

function brokenLookup(): never {
  throw new Error('connect ECONNREFUSED 10.0.0.7:5432');
}
