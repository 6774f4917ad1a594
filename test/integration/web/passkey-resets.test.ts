// An officer whose only passkey is lost: two operators end it, and she gets a link to make another.
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { databaseFault } from '../../../platform/index.ts';
import { makePasskey } from '../../support/authenticator.ts';
import { eventually } from '../../support/eventually.ts';
import { PASSWORD, PUBLIC_URL, refusal, send, withHouse } from '../api/house.ts';

const HOUSE_URL = 'http://localhost:4100';
const RP = { rpId: 'localhost', origin: HOUSE_URL };
const house = withHouse({ PUBLIC_URL: HOUSE_URL, PUBLIC_URL_ALIASES: PUBLIC_URL });
const [wang, li, zhao] = ['govsvc-operator-1', 'govsvc-operator-2', 'govsvc-operator-3'];
const cookies: Record<string, string> = {};
const RESETS = '/v1/passkey-resets';
const Made = z.looseObject({ id: z.string() });

beforeAll(async () => {
  for (const who of [wang, li, 'housing-desk-1']) {
    const reply = await send(house, 'POST', '/sign-in', {
      headers: { 'Content-Type': 'application/json', Origin: HOUSE_URL },
      body: JSON.stringify({ username: who, password: PASSWORD }),
    });
    cookies[who] = (reply.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  }
});

const call = (who: string, method: string, path: string, body?: object) =>
  send(house, method, path, {
    headers: {
      Cookie: cookies[who] ?? '',
      Origin: HOUSE_URL,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const place = () => {
  const { identity, ids } = house.services;
  return { requestId: ids.uuid(), address: ids.uuid(), device: identity.deviceCookie(undefined) };
};

type Passkey = ReturnType<typeof makePasskey>;

/** Does what the page behind a link does; the cookie of the session it opens. */
async function enrol(url: string, passkey: Passkey): Promise<string> {
  const { identity } = house.services;
  const [, code = ''] = url.split('#');
  const { challenge } = await identity.startEnrolment(code);
  const made = passkey.create({ challenge });
  const { cookie } = await identity.endEnrolment(code, made, { label: 'key', place: place() });
  return cookie;
}

async function signIn(passkey: Passkey): Promise<string> {
  const { identity } = house.services;
  const at = place();
  const { challenge } = await identity.startPasskeySignIn(at);
  return (await identity.signInWithPasskey(passkey.get({ challenge }), at)).cookie;
}

const isIn = async (cookie: string) =>
  (await house.services.identity.findSession(cookie, 'request-1')) !== null;

/** A new officer with a role and one passkey. */
async function officer(key: string, duty = 'work', role = 'desk') {
  await call(wang, 'POST', '/v1/officers', {
    key,
    username: key,
    organisation: duty === 'work' ? 'housing' : 'govsvc',
    duty,
  });
  const ask = { act: 'grant', officer: key, role, reason: '新入职' };
  const { id } = Made.parse((await call(wang, 'POST', '/v1/role-requests', ask)).json);
  const approved = await call(li, 'POST', `/v1/role-requests/${id}/approve`, { reason: '同意' });
  const passkey = makePasskey(RP);
  const { enrolment } = z
    .looseObject({ enrolment: z.object({ url: z.string() }) })
    .parse(approved.json);
  return { passkey, cookie: await enrol(enrolment.url, passkey) };
}

const reset = (who: string, key: string) =>
  call(who, 'POST', RESETS, { officer: key, reason: '钥匙丢失' });

describe('a reset', () => {
  test('by two operators ends passkey and sessions at once, and gives a link', async () => {
    const { passkey, cookie } = await officer('housing-lost-1');
    const second = await signIn(passkey);
    const asked = await reset(wang, 'housing-lost-1');
    expect([asked.status, asked.json]).toEqual([
      202,
      expect.objectContaining({ officer: 'housing-lost-1', state: 'open', requestedBy: wang }),
    ]);
    const { id } = Made.parse(asked.json);
    // Nothing has changed by one alone.
    expect(await isIn(await signIn(passkey))).toBe(true);
    const decide = `${RESETS}/${id}/approve`;
    expect(refusal(await call(wang, 'POST', decide, { reason: 'x' }))).toBe(
      '403 identity.own_passkey_reset',
    );
    expect(refusal(await reset(li, 'housing-lost-1'))).toBe('409 identity.passkey_reset_open');
    const done = await call(li, 'POST', decide, { reason: '已电话核实' });
    const { enrolment } = z
      .looseObject({ enrolment: z.object({ url: z.string() }) })
      .parse(done.json);
    expect([await isIn(cookie), await isIn(second)]).toEqual([false, false]);
    await expect(signIn(passkey)).rejects.toMatchObject({ code: 'identity.passkey_refused' });
    const newer = makePasskey(RP);
    expect(await isIn(await enrol(enrolment.url, newer))).toBe(true);
    expect(await isIn(await signIn(newer))).toBe(true);
    await expect(enrol(enrolment.url, makePasskey(RP))).rejects.toMatchObject({
      code: 'identity.enrolment_ended',
    });
    expect(refusal(await call(li, 'POST', decide, { reason: 'x' }))).toBe(
      '409 identity.passkey_reset_decided',
    );
    const list = await call(wang, 'GET', `${RESETS}?state=approved`);
    expect(list.json).toMatchObject({ items: [{ id, decidedBy: li, reason: '钥匙丢失' }] });
    expect(list.text).not.toContain('enrol#');
  });

  test('is held apart from one operator, and from her own, by the table itself', async () => {
    const made = await officer(zhao, 'operate', 'operator');
    cookies[zhao] = `yihao_session=${made.cookie}`;
    expect(refusal(await reset(zhao, zhao))).toBe('403 identity.own_passkey_reset');
    const { id } = Made.parse((await reset(wang, zhao)).json);
    const own = await call(zhao, 'POST', `${RESETS}/${id}/refuse`, { reason: 'x' });
    expect(refusal(own)).toBe('403 identity.own_passkey_reset');
    const { database } = house.services;
    const decideAs = (column: string) =>
      house.ownerSql
        .unsafe(
          `update identity.passkey_resets set state = 'approved', decided_by = ${column},
            decided_at = now() where id = '${id}'`,
        )
        .then(
          () => 'done',
          (error: unknown) => databaseFault(error)?.constraint,
        );
    expect(await decideAs('requested_by')).toBe('passkey_resets_four_eyes');
    expect(await decideAs('officer_id')).toBe('passkey_resets_not_for_oneself');
    expect(await call(li, 'POST', `${RESETS}/${id}/refuse`, { reason: 'found it' })).toMatchObject({
      status: 200,
    });
    expect(await isIn(made.cookie)).toBe(true);
    await expect(
      database.db.execute(
        `update identity.passkey_resets set state = 'approved' where id = '${id}'`,
      ),
    ).rejects.toThrow();
  });

  test.each([
    ['of nobody known', 'nobody', '404 identity.officer_not_found'],
    ['of who has no passkey', 'housing-desk-1', '409 identity.passkey_reset_not_needed'],
  ])('%s is refused', async (_, key, expected) => {
    expect(refusal(await reset(wang, key))).toBe(expected);
  });

  test('is nobody’s but the operators’', async () => {
    for (const [method, path] of [
      ['GET', RESETS],
      ['POST', RESETS],
      ['POST', `${RESETS}/x/approve`],
    ] as const) {
      const body = method === 'GET' ? undefined : { officer: 'x', reason: 'x' };
      expect(refusal(await call('housing-desk-1', method, path, body))).toBe(
        '403 identity.role_missing',
      );
    }
    expect(refusal(await call(wang, 'POST', `${RESETS}/x/approve`, { reason: 'x' }))).toBe(
      '404 identity.passkey_reset_not_found',
    );
  });

  test('that falls together with the making of another passkey leaves none', async () => {
    const { cookie } = await officer('housing-lost-2');
    const { identity } = house.services;
    const actor = await identity.findSession(cookie, 'request-1');
    if (!actor) throw new Error('She is signed in.');
    const { challenge } = await identity.startAddingPasskey(actor);
    const made = makePasskey(RP).create({ challenge });
    const { id } = Made.parse((await reset(wang, 'housing-lost-2')).json);
    let adding: Promise<unknown> | undefined;
    let deciding: Promise<unknown> | undefined;
    await house.ownerSql.begin(async (tx) => {
      await tx`select from identity.officers where key = 'housing-lost-2' for update`;
      const waiting = async () =>
        (
          await house.ownerSql`select from pg_locks l join pg_stat_activity a using (pid)
            where not l.granted and a.datname = current_database()`
        ).length;
      deciding = call(li, 'POST', `${RESETS}/${id}/approve`, { reason: 'x' });
      await eventually(async () => (await waiting()) === 1);
      adding = identity.addPasskey(actor, made, 'second').catch((error: unknown) => error);
      await eventually(async () => (await waiting()) >= 2);
    });
    await Promise.all([adding, deciding]);
    const left = await house.ownerSql`select p.id from identity.passkeys p
      join identity.officers o on o.id = p.officer_id where o.key = 'housing-lost-2'`;
    expect(left).toEqual([]);
    expect(await adding).toMatchObject({ code: 'identity.session_needed' });
  });

  test('is asked for and decided on the pages, and the link is shown once', async () => {
    const { cookie } = await officer('housing-lost-3');
    const page = async (who: string, path: string) => {
      const { text } = await send(house, 'GET', `${path}?lang=en`, {
        headers: { Cookie: cookies[who] ?? '' },
      });
      const [, token = ''] = /name="form_token" value="([^"]*)"/.exec(text) ?? [];
      const post = (to: string, fields: Record<string, string>) =>
        send(house, 'POST', to, {
          headers: { Cookie: cookies[who] ?? '', Origin: HOUSE_URL },
          body: new URLSearchParams({ form_token: token, ...fields }),
        });
      return { text, post };
    };
    const at = '/ops/rights/officers/housing-lost-3';
    const asking = await page(wang, at);
    expect(asking.text).toContain('Lost passkey: end all she has');
    const empty = await asking.post(`${at}/reset`, { reason: ' ' });
    expect(empty.status).toBe(422);
    expect((await asking.post(`${at}/reset`, { reason: 'lost on a train' })).status).toBe(303);
    expect((await page(wang, '/ops/rights')).text).toContain('another operator decides');
    const deciding = await page(li, '/ops/rights');
    expect(deciding.text).toContain('lost on a train');
    const [, path = ''] = /action="(\/ops\/rights\/resets\/[\w-]+)"/.exec(deciding.text) ?? [];
    const shown = await deciding.post(path, { decision: 'approve', reason: 'called her' });
    expect([shown.status, shown.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(shown.text).toMatch(/http:\/\/localhost:4100\/enrol#[\w-]{43}/);
    expect(await isIn(cookie)).toBe(false);
  });
});
