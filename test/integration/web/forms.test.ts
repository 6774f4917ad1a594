// Forged forms: every form of every page carries a token, and nothing a page takes is taken without it.
import { describe, expect, test } from 'vitest';
import { createApp } from '../../../api/app.ts';
import { PUBLIC_URL, send, sessionOf, withHouse } from '../api/house.ts';

const house = withHouse();
const elsewhere = 'https://elsewhere.example';
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
// Below /openid forms carry a token of the library's (openid.test.ts).
const programs = /^\/((v1|api|oauth|openid|\.well-known)\/|tsa$)/;

/** Every address under which a page takes something, with a made-up value for each parameter. */
function postedPaths(): string[] {
  const { routes } = createApp(house.services);
  const paths = routes
    .filter(
      ({ method, path }) => !['GET', 'ALL', 'OPTIONS'].includes(method) && !programs.test(path),
    )
    .map(({ path }) => path.replace(/:[A-Za-z]+(\{[^}]+\})?/g, 'x'));
  return [...new Set(paths)];
}

/** The POST forms of a page: their addresses and tokens. */
function formsOf(html: string): { action: string; token: string | undefined }[] {
  return [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)]
    .filter(([, attributes = '']) => /method="post"/.test(attributes))
    .map(([, attributes = '', inside = '']) => ({
      action: /action="([^"]*)"/.exec(attributes)?.[1] ?? '',
      token: /name="form_token" value="([^"]*)"/.exec(inside)?.[1],
    }));
}

/** A stranger's browser that has seen one of our forms: its cookie, and the form's token. */
async function strangersForm(): Promise<{ cookie: string; token: string }> {
  const page = await send(house, 'GET', '/verify');
  const cookie = (page.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  return { cookie, token: formsOf(page.text)[0]?.token ?? '' };
}

function post(path: string, headers: Record<string, string>, fields: Record<string, string> = {}) {
  return send(house, 'POST', path, {
    headers: { ...form, ...headers },
    body: String(new URLSearchParams(fields)),
  });
}

test('the pages that take something are found at all', () => {
  const paths = postedPaths();
  for (const path of ['/sign-in', '/sign-out', '/verify', '/verify/compare', '/desk', '/audit']) {
    expect(paths).toContain(path);
  }
});

describe('a forged form is refused, wherever a page takes one', () => {
  const forged: Record<string, string>[] = [
    {},
    { form_token: 'x' },
    { form_token: 'A'.repeat(43) },
  ];

  for (const who of ['li', 'housing-desk-1', 'audit-auditor-1'] as const) {
    test(`in the name of ${who}`, async () => {
      const cookie = await sessionOf(house, who);
      const stranger = await strangersForm();
      for (const path of postedPaths()) {
        for (const fields of [...forged, { form_token: stranger.token }]) {
          const reply = await post(path, { Cookie: cookie, Origin: PUBLIC_URL }, fields);
          expect([path, fields, reply.status]).toEqual([path, fields, 403]);
          expect([path, reply.text.includes('identity.form_token_invalid')]).toEqual([path, true]);
        }
      }
    });
  }

  test('in the name of a stranger', async () => {
    const { cookie } = await strangersForm();
    const { token } = await strangersForm();
    for (const path of postedPaths()) {
      for (const fields of [...forged, { form_token: token }]) {
        const reply = await post(path, { Cookie: cookie, Origin: PUBLIC_URL }, fields);
        expect([path, fields, reply.status]).toEqual([path, fields, 403]);
      }
    }
  });

  test('from another site, whose visitor brings no cookie of ours', async () => {
    for (const path of postedPaths()) {
      const foreign: Record<string, string>[] = [
        { Origin: elsewhere },
        { Origin: 'null' },
        { Origin: `${PUBLIC_URL}.elsewhere.example` },
        { 'Sec-Fetch-Site': 'cross-site' },
      ];
      for (const headers of foreign) {
        const reply = await post(path, headers);
        expect([path, headers, reply.status]).toEqual([path, headers, 403]);
      }
    }
  });

  test('as JSON with somebody’s session, from another site', async () => {
    const cookie = await sessionOf(house, 'li');
    for (const path of postedPaths()) {
      const headers = { 'Content-Type': 'application/json', Cookie: cookie, Origin: elsewhere };
      const reply = await send(house, 'POST', path, { headers, body: '{}' });
      expect([path, reply.status]).toEqual([path, 403]);
    }
  });
});

const CLIENT_ACTS = ['suspend', 'rotate_keys', 'change_scopes', 'hold'];

test('every form of every page carries the token of who reads it', async () => {
  const pages: [who: string | null, paths: string[]][] = [
    [null, ['/', '/sign-in', '/verify', '/catalogue', '/docs', '/desk/none']],
    [
      'li',
      ['/', '/me', '/me/sessions', '/me/delegations', '/org', '/verify', '/sign-in', '/audit'],
    ],
    [
      'housing-desk-1',
      [
        '',
        '?service=VS-MARITAL',
        '/sessions',
        '/passkeys',
        '/post',
        '/emergencies',
        '/licences',
        '/cases',
      ]
        .map((path) => `/desk${path}`)
        .concat('/desk/emergencies?type=LT-HEALTHCERT', '/verify', '/me'),
    ],
    ['health-approver-1', ['/desk', '/desk/emergencies']],
    [
      'audit-auditor-1',
      [
        '/audit',
        '/audit/emergencies',
        '/audit/integrity',
        '/audit/samples',
        '/audit/unmaskings',
        '/audit/exports',
        '/audit/searches',
        '/audit/tickets',
        '/verify',
      ],
    ],
    [
      'govsvc-operator-1',
      ['', '/clients', '/clients/new', '/clients/housing', '/rights', '/erasures']
        .map((path) => `/ops${path}`)
        .concat('/ops/rights/officers/housing-desk-1')
        .concat(CLIENT_ACTS.map((act) => `/ops/clients/housing/${act}`)),
    ],
  ];
  const seen = new Set<string>();
  for (const [who, paths] of pages) {
    const cookie = who === null ? (await strangersForm()).cookie : await sessionOf(house, who);
    for (const path of paths) {
      const { text } = await send(house, 'GET', path, { headers: { Cookie: cookie } });
      const ids = [...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
      expect([path, ids.filter((id, at) => ids.indexOf(id) !== at)]).toEqual([path, []]);
      for (const { action, token } of formsOf(text)) {
        expect([who, path, action, token]).toEqual([who, path, action, expect.any(String)]);
        const reply = await post(
          action,
          { Cookie: cookie, Origin: PUBLIC_URL },
          { form_token: 'x' },
        );
        expect([who, path, action, reply.status]).toEqual([who, path, action, 403]);
        // Each session has a form of its own.
        seen.add(action.replace(/[0-9a-f-]{36}$/, '{id}'));
      }
    }
  }
  expect([...seen].sort()).toEqual(
    [
      ...['/verify/document', '/desk/licences', '/desk/cases'],
      ...[
        '/sign-in',
        '/sign-out',
        '/verify',
        '/audit',
        '/audit/integrity',
        '/audit/samples',
        '/audit/unmaskings',
      ],
      ...['/me/sessions', '/me/sessions/{id}', '/me/delegations'],
      ...['/desk', '/desk/sessions', '/desk/sessions/{id}'],
      ...['/desk/emergencies', '/ops/clients/new', '/ops/rights/officers', '/ops/erasures'],
      ...['/ops/erasures/holds', '/ops/rights/officers/housing-desk-1'],
      ...['leave', 'reset'].map((act) => `/ops/rights/officers/housing-desk-1/${act}`),
      ...CLIENT_ACTS.map((act) => `/ops/clients/housing/${act}`),
    ].sort(),
  );
});

describe('a form that was not forged is taken', () => {
  test('with the page’s token, without our cookie from our origin, and from what is no browser', async () => {
    const { cookie, token } = await strangersForm();
    const fields = { code: '0000000000000000' };
    const ways: [Record<string, string>, Record<string, string>][] = [
      [{ Cookie: cookie }, { ...fields, form_token: token }],
      [
        { Cookie: cookie, Origin: PUBLIC_URL },
        { ...fields, form_token: token },
      ],
      [{ Origin: PUBLIC_URL }, fields],
      [{}, fields],
    ];
    for (const [headers, sent] of ways) {
      const reply = await post('/verify', headers, sent);
      expect([headers, reply.status]).toEqual([headers, 200]);
    }
  });

  test('and the cookie of a stranger’s form is for this page’s host alone', async () => {
    const page = await send(house, 'GET', '/sign-in');
    expect(page.headers.get('set-cookie')).toMatch(
      /^yihao_form=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const home = await send(house, 'GET', '/');
    expect(home.headers.get('set-cookie')).toBeNull();
  });
});
