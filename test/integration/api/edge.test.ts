// What the edge keeps away before any room is asked: slow senders, two readings of one request, scripts
// of other sites, headers that are somebody else's word.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../../api/app.ts';
import { checkAddress, listen } from '../../../api/index.ts';
import {
  enoughOfTheMinute,
  PASSWORD,
  PUBLIC_URL,
  refusal,
  send,
  sessionOf,
  withHouse,
} from './house.ts';
import { openSocket, rawRequest, readToEnd, statusesIn } from './raw-request.ts';

const house = withHouse();
const host = 'Host: yihao.test';
const elsewhere = 'https://elsewhere.example';

describe('every reply', () => {
  const paths = ['/', '/me', '/v1/me', '/healthz', '/pki/root.crt', '/oauth/jwks', '/nothing'];

  test('lets nobody frame it, guess its type or learn where its reader came from', async () => {
    for (const path of [...paths, '/api/3/action/status_show', '/api/3/action/none']) {
      const { headers } = await send(house, 'GET', path);
      expect([path, headers.get('x-content-type-options')]).toEqual([path, 'nosniff']);
      expect([path, headers.get('referrer-policy')]).toEqual([path, 'same-origin']);
      const policy = headers.get('content-security-policy') ?? '';
      expect([path, policy]).toEqual([path, expect.stringContaining("frame-ancestors 'none'")]);
      expect([path, policy]).toEqual([path, expect.stringContaining("default-src 'none'")]);
      expect([path, policy.includes('unsafe')]).toEqual([path, false]);
    }
  });

  test('does not say what it was made with', async () => {
    for (const path of paths) {
      const { headers } = await send(house, 'GET', path);
      expect([path, headers.get('server'), headers.get('x-powered-by')]).toEqual([
        path,
        null,
        null,
      ]);
    }
  });
});

describe('scripts of other sites', () => {
  const open = [
    '/pki/root.crt',
    '/pki/crl',
    '/log/vkey',
    '/status-lists/unknown',
    '/.well-known/jwt-vc-issuer',
    '/.well-known/oauth-authorization-server',
    '/oauth/jwks',
    '/openapi.json',
    '/v1/licence-types',
    '/v1/verification-services/VS-MARITAL',
    '/v1/public/licences/0000000000000000',
    '/api/3/action/package_search',
    '/api/3/action/package_show?id=none',
  ];
  const closed = [
    '/',
    '/sign-in',
    '/verify',
    '/v1/me',
    '/v1/me/licences',
    '/v1/licences/1.2.3',
    '/v1/verifications',
    '/v1/audit/entries/0',
    '/metrics',
    '/log/tile/entries/000',
  ];

  test('may read what is public, refusals too, and nothing with a session', async () => {
    for (const path of open) {
      const { headers } = await send(house, 'GET', path, { headers: { Origin: elsewhere } });
      expect([path, headers.get('access-control-allow-origin')]).toEqual([path, '*']);
      expect([path, headers.get('access-control-allow-credentials')]).toEqual([path, null]);
      expect([path, headers.get('cross-origin-resource-policy')]).toEqual([path, 'cross-origin']);
    }
  });

  test('may read nothing else', async () => {
    for (const path of closed) {
      const { headers } = await send(house, 'GET', path, { headers: { Origin: elsewhere } });
      expect([path, headers.get('access-control-allow-origin')]).toEqual([path, null]);
      expect([path, headers.get('cross-origin-resource-policy')]).toEqual([path, 'same-origin']);
    }
  });

  test('never hear their own origin back', async () => {
    for (const path of [...open, ...closed, '/oauth/token', '/nothing']) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const headers = { Origin: elsewhere, 'Access-Control-Request-Method': 'POST' };
        const reply = await send(house, method, path, { headers });
        expect([method, path, JSON.stringify([...reply.headers])]).toEqual([
          method,
          path,
          expect.not.stringContaining(elsewhere),
        ]);
      }
    }
  });

  test('ask before they send: reading is allowed where it is public, nothing else anywhere', async () => {
    const preflight = (path: string, method: string) =>
      send(house, 'OPTIONS', path, {
        headers: { Origin: elsewhere, 'Access-Control-Request-Method': method },
      });
    for (const path of open) {
      const { status, headers } = await preflight(path, 'GET');
      expect([path, status]).toEqual([path, 204]);
      expect([path, headers.get('access-control-allow-methods')]).toEqual([
        path,
        path.startsWith('/api/') ? 'GET, HEAD, POST' : 'GET, HEAD',
      ]);
    }
    for (const path of [
      ...closed,
      '/v1/public/licences/0000000000000000/compare',
      '/v1/licences',
    ]) {
      const { headers } = await preflight(path, 'POST');
      const allowed = [...headers.keys()].filter((name) => name.startsWith('access-control-'));
      expect([path, allowed]).toEqual([path, []]);
    }
  });
});

describe('a connection', () => {
  test('that sends its headers or its body too slowly is closed, and others are served', async () => {
    const server = await listen(house.services, {
      port: 0,
      headersTimeout: 500,
      requestTimeout: 1_000,
    });
    const baseUrl = `http://127.0.0.1:${server.address.port}`;
    const starts = [
      'GET / HTTP/1.1\r\nHost: a',
      'POST /v1/public/verify HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\nContent-Type: application/dc+sd-jwt\r\n\r\n',
      'POST /sign-in HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n',
    ];
    const slow = starts.map(async (start) => {
      const socket = openSocket(baseUrl);
      const end = readToEnd(socket);
      socket.on('error', () => {});
      socket.write(start);
      while (!socket.destroyed) {
        // One byte now and then: that is what the slow sender does.
        await sleep(100);
        if (socket.writable) socket.write('x');
      }
      return end;
    });
    expect((await fetch(`${baseUrl}/healthz`)).status).toBe(200);
    for (const reply of await Promise.all(slow)) {
      expect(['', 'HTTP/1.1 400', 'HTTP/1.1 408']).toContain(reply.slice(0, 12));
    }
    await server.close();
  }, 20_000);

  test('at an address that is taken is refused in words, before a start has done anything', async () => {
    const { port, hostname: host } = new URL(house.baseUrl);
    await expect(checkAddress({ port: Number(port), host })).rejects.toMatchObject({
      code: 'api.address_unusable',
      detail: `Port ${port} at ${host} is taken. Set PORT (or HOST) to another.`,
    });
    await expect(listen(house.services, { port: Number(port) })).rejects.toMatchObject({
      code: 'api.address_unusable',
    });
    await expect(checkAddress({ port: 0, host })).resolves.toBeUndefined();
  });

  test('over the limit of connections is dropped', async () => {
    const config = { ...house.services.config, maxConnections: 2 };
    const server = await listen({ ...house.services, config }, { port: 0 });
    const baseUrl = `http://127.0.0.1:${server.address.port}`;
    const held = [openSocket(baseUrl), openSocket(baseUrl)];
    await Promise.all(
      held.map((socket) => new Promise((resolve) => socket.once('connect', resolve))),
    );
    const third = openSocket(baseUrl);
    third.on('error', () => {});
    expect(await readToEnd(third)).toBe('');
    for (const socket of held) socket.destroy();
    await server.close();
  });

  const twoReadings: [what: string, lines: string[], body: string][] = [
    [
      'a length and chunks',
      ['POST /verify HTTP/1.1', host, 'Content-Length: 4', 'Transfer-Encoding: chunked'],
      '0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: a\r\n\r\n',
    ],
    [
      'two lengths',
      ['POST /verify HTTP/1.1', host, 'Content-Length: 0', 'Content-Length: 30'],
      'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n',
    ],
    [
      'a coding nobody knows',
      ['POST /verify HTTP/1.1', host, 'Transfer-Encoding: xchunked'],
      'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n',
    ],
    ['a folded header', ['GET / HTTP/1.1', host, 'X-A: 1', ' Transfer-Encoding: chunked'], ''],
    ['a space before the colon', ['GET / HTTP/1.1', host, 'Transfer-Encoding : chunked'], ''],
    ['a length that is none', ['POST /verify HTTP/1.1', host, 'Content-Length: +4'], 'abcd'],
  ];
  for (const [what, lines, body] of twoReadings) {
    test(`is closed after a request that could be read in two ways: ${what}`, async () => {
      expect(statusesIn(await rawRequest(house.baseUrl, lines, body))).toEqual([400]);
    });
  }

  test('is closed when headers hold more than 16 KiB', async () => {
    const reply = await rawRequest(house.baseUrl, [
      'GET / HTTP/1.1',
      host,
      `X-Much: ${'x'.repeat(17_000)}`,
    ]);
    expect(statusesIn(reply)).toEqual([431]);
  });
});

describe('who is wrong too often', () => {
  test('waits before anything more is checked: tokens, and sign-ins from within a session', async () => {
    const config = { ...house.services.config, ratePublic: 3 };
    const app = createApp({ ...house.services, config });
    const from = (address: string) => ({
      incoming: { socket: { remoteAddress: address } },
      outgoing: {},
    });
    const withToken = () =>
      app.request('/v1/me', { headers: { Authorization: 'DPoP abc' } }, from('192.0.2.1'));
    await enoughOfTheMinute();
    for (const _ of [1, 2, 3]) expect((await withToken()).status).toBe(401);
    const refused = await withToken();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await app.request('/v1/licence-types', {}, from('192.0.2.1'))).status).toBe(200);

    const headers = {
      'Content-Type': 'application/json',
      Origin: PUBLIC_URL,
      Cookie: await sessionOf(house, 'housing-desk-1'),
    };
    const signIn = (password: string) =>
      app.request(
        '/sign-in',
        {
          method: 'POST',
          headers,
          body: JSON.stringify({ username: 'audit-auditor-1', password }),
        },
        from('192.0.2.2'),
      );
    await enoughOfTheMinute();
    for (const _ of [1, 2, 3]) expect((await signIn('wrong')).status).toBe(401);
    expect((await signIn(PASSWORD)).status).toBe(429);
  });
});

describe('an address', () => {
  test('of a security contact is there only where somebody is named', async () => {
    const reply = await send(house, 'GET', '/.well-known/security.txt');
    expect(refusal(reply)).toBe('404 api.not_found');
  });

  test('of more than 8,192 characters is too long', async () => {
    const reply = await send(house, 'GET', `/catalogue?q=${'x'.repeat(8_200)}`);
    expect(refusal(reply)).toBe('414 api.url_too_long');
  });

  test('is never built from the Host a caller claims', async () => {
    for (const path of [
      '/',
      '/sign-in',
      '/verify',
      '/catalogue',
      '/docs',
      '/openapi.json',
      '/me',
    ]) {
      const reply = await rawRequest(house.baseUrl, [
        `GET ${path} HTTP/1.1`,
        'Host: evil.example',
        'X-Forwarded-Host: evil.example',
        'X-Forwarded-Proto: https',
        'Forwarded: host=evil.example',
        'Connection: close',
      ]);
      expect([path, statusesIn(reply).length]).toEqual([path, 1]);
      expect([path, reply.includes('evil.example')]).toEqual([path, false]);
    }
  });

  test('is asked about without a body by HEAD, with the same headers', async () => {
    for (const path of ['/', '/v1/licence-types', '/pki/root.crt', '/healthz']) {
      const get = await send(house, 'GET', path);
      const head = await send(house, 'HEAD', path);
      expect([path, head.status, head.text]).toEqual([path, get.status, '']);
      expect([path, head.headers.get('content-type')]).toEqual([
        path,
        get.headers.get('content-type'),
      ]);
    }
  });

  test('is no echo: TRACE is refused', async () => {
    const reply = await rawRequest(house.baseUrl, [
      'TRACE / HTTP/1.1',
      host,
      'X-Secret: s3cret',
      'Connection: close',
    ]);
    expect(statusesIn(reply)[0]).toBeGreaterThanOrEqual(400);
    expect(reply).not.toContain('s3cret');
  });
});
