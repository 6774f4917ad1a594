// Erasing a person through the whole house: two operators, nothing that needs her, nothing left of her,
// and a log that proves what it proved before.
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { prepareSearch, writtenForms } from '../../../platform/byte-search.ts';
import { addDays, cityDay, systemScope } from '../../../platform/index.ts';
import { scanTables } from '../../../platform/residue-scan.ts';
import { eventually } from '../../support/eventually.ts';
import { citizenId } from '../identity/house.ts';
import {
  healthCertificate,
  LI,
  maritalQuestion,
  PIN,
  PUBLIC_URL,
  refusal,
  send,
  sessionOf,
  withHouse,
} from './house.ts';

const house = withHouse();
const [wang, li] = ['govsvc-operator-1', 'govsvc-operator-2'];
const auditors = ['audit-auditor-1', 'audit-auditor-2'] as const;
const cookies: Record<string, string> = {};
let serial = 0;

beforeAll(async () => {
  for (const who of [wang, li, ...auditors, 'housing-desk-1'])
    cookies[who] = await sessionOf(house, who);
});

const call = (who: string, method: string, path: string, body?: object, key?: string) =>
  send(house, method, path, {
    headers: {
      ...(key === undefined ? {} : { 'Idempotency-Key': key }),
      Cookie: cookies[who] ?? '',
      Origin: PUBLIC_URL,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const Made = z.looseObject({ id: z.string(), state: z.string() });
const Issued = z.looseObject({ number: z.string(), verificationCode: z.string() });

/** Somebody with a licence, asked about once, both repeatable; `value` and `name` occur nowhere else. */
async function aPerson() {
  serial += 1;
  const subject = { scheme: 'cn-id' as const, value: citizenId('19850716', serial) };
  const name = `欧阳${'甲乙丙丁戊己庚辛壬癸'[serial]}燚`;
  const issue = () =>
    house
      .client('health')
      .call('POST', '/v1/licences', healthCertificate({ holder: { ...subject, name } }), {
        'Idempotency-Key': `issue-${serial}`,
      });
  const ask = () =>
    house.client('housing').call('POST', '/v1/verifications', maritalQuestion({ subject }), {
      'Idempotency-Key': `ask-${serial}`,
      Prefer: 'wait=5',
    });
  const licence = Issued.parse((await issue()).json);
  const document = `/v1/licences/${licence.number}/document.pdf`;
  expect((await house.client('health').call('GET', document)).status).toBe(200);
  expect((await ask()).status).toBe(200);
  return { subject, name, licence, issue, ask };
}

const cancel = ({ number }: { number: string }) =>
  house.client('health').call('POST', `/v1/licences/${number}/cancel`, {
    reason: 'moved away',
    legalBasis: 'LB-AL70',
  });

const request = (subject: object, who = wang) =>
  call(who, 'POST', '/v1/erasures', { subject, reason: 'asked for at the counter' });

/** What auditors keep of her: a search for her under her name, a file of all of her, one she is in with others. */
async function keepForAudit({ subject, name }: { subject: object; name: string }) {
  const [first, second] = auditors;
  const search = () =>
    call(first, 'POST', '/v1/audit/searches', { name, subject }, `search-${serial}`);
  expect((await search()).status).toBe(201);
  const order = (conditions: object, key: string) => () =>
    call(first, 'POST', '/v1/audit/exports', { ...conditions, reason: `of ${name}` }, key);
  const orderHers = order({ subject }, `export-${serial}`);
  const exports: string[] = [];
  for (const ask of [orderHers, order({ department: 'housing' }, `department-${serial}`)]) {
    const { id } = Made.parse((await ask()).json);
    expect((await call(second, 'POST', `/v1/audit/exports/${id}/approve`)).status).toBe(200);
    const isReady = async () => {
      await house.services.oversight.writeExports();
      const { json } = await call(first, 'GET', `/v1/audit/exports/${id}`);
      return Made.parse(json).state === 'ready';
    };
    await eventually(isReady);
    exports.push(id);
  }
  return { exports, repeats: [search, orderHers] };
}

/** Asked for and approved; the erasure's id. */
async function erase(subject: object): Promise<string> {
  const { id } = Made.parse((await request(subject)).json);
  const approved = await call(li, 'POST', `/v1/erasures/${id}/approve`, { subject });
  expect([approved.status, approved.json]).toEqual([200, expect.objectContaining({ id })]);
  return id;
}

const erasuresLogged = () =>
  house.services.audit.as(systemScope).findEntries({ type: 'person.erased', limit: 200 });

async function finishLater(id: string): Promise<void> {
  // As if the time had passed in which a process may still hold her key.
  await house.ownerSql`update oversight.erasures set decided_at = decided_at - interval '5 minutes'
    where id = ${id}`;
  await eventually(
    async () => {
      await house.services.erasures.finishErasures();
      return Made.parse((await call(wang, 'GET', `/v1/erasures/${id}`)).json).state === 'done';
    },
    { timeoutMs: 15_000 },
  );
}

describe('erasing a person', () => {
  test('leaves nothing of her in any table, and every proof as it was', async () => {
    const person = await aPerson();
    const { subject, name, licence } = person;
    const { identity, database, audit } = house.services;
    const personId = await identity.findPerson(database.db, subject);
    const [row] = await house.ownerSql<{ blind: Buffer; tag: Buffer }[]>`
      select blind_index as blind, audit_tag as tag from identity.people where id = ${personId}`;
    if (!row || personId === null) throw new TypeError('She is there.');
    const { tag } = row;
    const kept = await keepForAudit(person);
    const about = await database.as(systemScope).transaction((tx) => audit.indexesAbout(tx, tag));
    expect(about.length).toBeGreaterThan(2);
    await eventually(() => audit.receipt(about.at(-1) ?? 0).catch(() => null));
    const leaves = await Promise.all(about.map((index) => audit.as(systemScope).getEntry(index)));
    const newSearch = prepareSearch([
      ...writtenForms('id', Buffer.from(subject.value)),
      ...writtenForms('name', Buffer.from(name)),
      ...writtenForms('blind index', row.blind),
      ...writtenForms('tag', row.tag),
    ]);
    const before = await scanTables(house.ownerUrl, newSearch);
    expect(before.map(({ place }) => place)).toContain('table identity.people');

    expect((await cancel(licence)).status).toBe(200);
    const id = await erase(subject);
    expect(Made.parse((await call(wang, 'GET', `/v1/erasures/${id}`)).json).state).toBe(
      'destroyed',
    );
    await finishLater(id);

    expect(await scanTables(house.ownerUrl, newSearch)).toEqual([]);
    expect(await identity.findPerson(database.db, subject)).toBeNull();
    expect(
      await house.ownerSql`
        select person_id as her from oversight.saved_searches where person_id = ${personId}
        union all select person_id from oversight.export_people where person_id = ${personId}
        union all select export_id from oversight.export_parts where export_id in ${house.ownerSql(kept.exports)}`,
    ).toEqual([]);
    for (const of of kept.exports) {
      const file = await call(auditors[0], 'GET', `/v1/audit/exports/${of}`);
      expect(file.json).toMatchObject({ state: 'withdrawn', reason: null });
    }
    for (const [at, index] of about.entries()) {
      const entry = await audit.as(systemScope).getEntry(index);
      expect(entry.leaf).toEqual(leaves[at]?.leaf);
      expect([entry.sealed, entry.subjectTag, entry.caseTag]).toEqual([null, null, null]);
      expect(await audit.receipt(index)).toContain('tlog-proof');
    }
    expect(await audit.verify()).toMatchObject({ ok: true, faults: [] });
    const [erased] = await audit.as(systemScope).findEntries({ type: 'person.erased', limit: 1 });
    if (!erased) throw new TypeError('The erasure is an entry.');
    const [detail] = await identity.openAccess([erased]);
    expect(erased.subjectTag).toBeNull();
    expect(Number(/^(\d+) entries$/.exec(detail?.question ?? '')?.[1])).toBeGreaterThan(
      about.length,
    );
    expect(detail?.purpose).toMatch(/^sha256:[\w-]{43}$/);
    // The licence is a number with a life, and says no more.
    const publicLook = await send(house, 'GET', `/v1/public/licences/${licence.verificationCode}`);
    expect(publicLook.text).not.toContain(name.slice(0, 1));
    // A repeat of what was said about her is told so, and does nothing again.
    for (const repeat of [person.issue, person.ask, ...kept.repeats]) {
      const reply = await repeat();
      expect([reply.status, reply.text.includes('identity.erased')]).toEqual([410, true]);
    }
    expect((await request(subject)).status).toBe(404);
  }, 120_000);

  test('who comes back is somebody new, in a while', async () => {
    const { subject, name, licence } = await aPerson();
    const { identity, database } = house.services;
    const before = await identity.findPerson(database.db, subject);
    await cancel(licence);
    const id = await erase(subject);
    await expect(identity.ensurePerson(database.db, subject, name)).rejects.toMatchObject({
      code: 'identity.being_erased',
      kind: 'unavailable',
      retryAfterSeconds: 60,
    });
    await finishLater(id);
    const after = await identity.ensurePerson(database.db, subject, name);
    expect(after).not.toBe(before);
    expect((await identity.revealPerson(database.db, after)).name).toBe(name);
  });

  test('ends what she gave and what was given to her, at the moment her key is gone', async () => {
    const { identity, database } = house.services;
    const { subject, licence } = await aPerson();
    await cancel(licence);
    const her = await identity.ensurePerson(database.db, subject);
    await database.transaction((tx) => identity.putPersonSecret(tx, her, PIN, 'first-use'));
    const signIn = async (who: object) => {
      const reply = await send(house, 'POST', '/sign-in', {
        headers: { 'Content-Type': 'application/json', Origin: PUBLIC_URL },
        body: JSON.stringify({ scheme: 'cn-id', pin: PIN, ...who }),
      });
      const cookie = (reply.headers.get('set-cookie') ?? '').split(/[=;]/)[1] ?? '';
      return { read: () => identity.findSession(cookie, 'test'), actor: await found(cookie) };
    };
    const found = async (cookie: string) => {
      const actor = await identity.findSession(cookie, 'test');
      if (!actor) throw new TypeError('She has just signed in.');
      return actor;
    };
    const she = await signIn(subject);
    const agent = await signIn({ value: LI.value });
    const validTo = addDays(cityDay(new Date(), 'Asia/Shanghai'), 10);
    const days = { items: ['licences.view' as const], validTo };
    const given = await identity.giveDelegation(she.actor, {
      ...days,
      agent: { scheme: 'cn-id', value: LI.value },
    });
    await identity.decideDelegation(agent.actor, given.id, 'accept');
    await identity.giveDelegation(agent.actor, { ...days, agent: subject });
    await identity.actFor(agent.actor, given.id);
    expect(await agent.read()).toMatchObject({ actingFor: { personId: her, hasEnded: false } });
    expect(await identity.listDelegations(agent.actor)).toHaveLength(2);

    await erase(subject);
    expect(await identity.listDelegations(agent.actor)).toEqual([]);
    expect((await agent.read())?.actingFor).toBeUndefined();
    expect(await she.read()).toBeNull();
    const left = await house.ownerSql`
      select id from identity.delegations where ${her} in (principal_id, agent_id)`;
    expect(left).toHaveLength(0);
  });

  test('approved twice at once and finished by many is done once', async () => {
    const { subject, licence } = await aPerson();
    await cancel(licence);
    const { id } = Made.parse((await request(subject)).json);
    const before = (await erasuresLogged()).length;
    const approvals = await Promise.all(
      [1, 2, 3].map(() => call(li, 'POST', `/v1/erasures/${id}/approve`, { subject })),
    );
    expect(approvals.filter(({ status }) => status === 200)).toHaveLength(1);
    await Promise.all([1, 2, 3].map(() => house.services.erasures.finishErasures()));
    await finishLater(id);
    await house.services.erasures.finishErasures();
    expect(await erasuresLogged()).toHaveLength(before + 1);
  });

  test('cut off after the key is gone, it is finished by whoever sweeps', async () => {
    const { subject, licence } = await aPerson();
    await cancel(licence);
    const personId = await house.services.identity.findPerson(house.services.database.db, subject);
    const { id } = Made.parse((await request(subject)).json);
    // What the approving transaction commits, and then the process dies.
    await house.ownerSql.begin(async (sql) => {
      await sql`select identity.erase_person(${personId})`;
      await sql`update oversight.erasures set state = 'destroyed', entries = 1, decided_at = now(),
        decided_by = (select id from identity.officers where key = ${li}) where id = ${id}`;
    });
    await finishLater(id);
    const [left] = await house.ownerSql`select count(*)::int as n from registry.credentials
      where number = ${licence.number}`;
    expect(left).toEqual({ n: 0 });
  });
});

describe('is refused', () => {
  test('while a licence is valid, and says which thing it is without telling of her', async () => {
    const { subject, name, licence } = await aPerson();
    const refused = await request(subject);
    expect(refusal(refused)).toBe('409 identity.legal_hold');
    expect(refused.text).toContain('still valid');
    for (const secret of [subject.value, name, licence.number]) {
      expect(refused.text).not.toContain(secret);
    }
  });

  test('at the approval, when a licence was issued or a hold was placed after it was asked for', async () => {
    const person = await aPerson();
    const { subject, name } = person;
    await cancel(person.licence);
    const { id } = Made.parse((await request(subject)).json);
    const approve = () => call(li, 'POST', `/v1/erasures/${id}/approve`, { subject });
    const reply = await house
      .client('health')
      .call('POST', '/v1/licences', healthCertificate({ holder: { ...subject, name } }));
    expect(refusal(await approve())).toBe('409 identity.legal_hold');
    await cancel(Issued.parse(reply.json));
    const hold = await call(li, 'POST', '/v1/legal-holds', { subject, reason: 'court order 12' });
    expect((await approve()).text).toContain('legal hold stands');
    const holdId = Made.parse(hold.json).id;
    const act = (who: string, step: string) =>
      call(who, 'POST', `/v1/legal-holds/${holdId}/${step}`, { reason: 'as the court says' });
    expect(refusal(await act(li, 'confirm'))).toBe('403 oversight.own_act');
    expect(refusal(await act(wang, 'lift'))).toBe('409 oversight.hold_state');
    expect((await act(wang, 'confirm')).status).toBe(200);
    expect((await act(wang, 'ask_lift')).status).toBe(200);
    expect(refusal(await act(wang, 'lift'))).toBe('403 oversight.own_act');
    expect((await approve()).text).toContain('legal hold stands');
    expect(Made.parse((await act(li, 'lift')).json).state).toBe('lifted');
    expect((await approve()).status).toBe(200);
  });

  test('by one operator alone, by the code and by the table', async () => {
    const { subject, licence } = await aPerson();
    await cancel(licence);
    const { id } = Made.parse((await request(subject)).json);
    expect(refusal(await request(subject))).toBe('409 oversight.erasure_open');
    const own = await call(wang, 'POST', `/v1/erasures/${id}/approve`, { subject });
    expect(refusal(own)).toBe('403 oversight.own_act');
    await expect(
      house.ownerSql`update oversight.erasures set state = 'refused', decided_by = requested_by,
        decided_at = now() where id = ${id}`,
    ).rejects.toThrow('erasures_four_eyes');
    await expect(
      house.ownerSql`insert into oversight.legal_holds
        (id, person_id, placed_by, placed_at, confirmed_by, confirmed_at)
        select gen_random_uuid(), person_id, requested_by, now(), requested_by, now()
        from oversight.erasures where id = ${id}`,
    ).rejects.toThrow('legal_holds_placed_four_eyes');
    const other = { ...subject, value: citizenId('19850716', 900) };
    const wrong = await call(li, 'POST', `/v1/erasures/${id}/approve`, { subject: other });
    expect(refusal(wrong)).toBe('422 oversight.other_subject /subject/value');
    const refused = await call(li, 'POST', `/v1/erasures/${id}/refuse`, { reason: 'not her' });
    expect(Made.parse(refused.json).state).toBe('refused');
    const late = await call(li, 'POST', `/v1/erasures/${id}/approve`, { subject });
    expect(refusal(late)).toBe('409 oversight.erasure_decided');
  });

  test('to whoever is no operator, for nobody known, and with a reason that names somebody', async () => {
    const { subject } = await aPerson();
    expect((await request(subject, 'housing-desk-1')).status).toBe(403);
    const stranger = { scheme: 'cn-id', value: citizenId('19110101', 7) };
    expect(refusal(await request(stranger))).toBe('404 oversight.unknown_subject');
    const named = { subject, reason: `for ${subject.value}` };
    expect(refusal(await call(wang, 'POST', '/v1/erasures', named))).toBe(
      '422 oversight.identifier_in_text /reason',
    );
    const nowhere = '/v1/erasures/00000000-0000-7000-8000-000000000000';
    expect(refusal(await call(wang, 'GET', nowhere))).toBe('404 oversight.erasure_not_found');
    expect(refusal(await call(wang, 'GET', '/v1/erasures/x'))).toBe(
      '404 oversight.erasure_not_found',
    );
  });

  test('by the database to forget anybody who was not erased', async () => {
    const { subject } = await aPerson();
    const { identity, database, registry, exchange } = house.services;
    const personId = (await identity.findPerson(database.db, subject)) ?? '';
    await expect(registry.forgetHolder(database.db, personId)).rejects.toThrow();
    await expect(exchange.forgetSubject(database.db, personId)).rejects.toThrow();
  });
});

describe('on the pages', () => {
  const page = async (who: string, path: string, lang = 'en') => {
    const reply = await send(house, 'GET', path, {
      headers: { Cookie: `${cookies[who] ?? ''}; yihao_lang=${lang}`, 'Accept-Language': lang },
    });
    const token = /name="form_token" value="([^"]+)"/.exec(reply.text)?.[1] ?? '';
    const post = (to: string, fields: Record<string, string>) =>
      send(house, 'POST', to, {
        headers: { Cookie: `${cookies[who] ?? ''}; yihao_lang=${lang}`, Origin: PUBLIC_URL },
        body: new URLSearchParams({ form_token: token, ...fields }),
      });
    return { ...reply, post };
  };

  test('one operator asks, another types the number again and erases; the pages tell of nobody', async () => {
    const { subject, name, licence } = await aPerson();
    const list = await page(wang, '/ops/erasures');
    const early = await list.post('/ops/erasures', { value: subject.value, reason: 'counter' });
    expect([early.status, early.text.includes('still valid')]).toEqual([409, true]);
    expect(early.text).toContain('value="counter"');
    expect(early.text).not.toContain(subject.value);
    await cancel(licence);
    const asked = await list.post('/ops/erasures', { value: subject.value, reason: 'counter' });
    const place = asked.headers.get('location') ?? '';
    expect([asked.status, place]).toEqual([
      303,
      expect.stringMatching(/^\/ops\/erasures\/[\w-]+$/),
    ]);
    expect((await page(wang, place)).text).toContain('Another operator must take the next step');
    const other = await page(li, place);
    const wrong = await other.post(`${place}/approve`, { value: citizenId('19850716', 901) });
    expect([wrong.status, wrong.text.includes('href="#value"')]).toEqual([422, true]);
    expect((await other.post(`${place}/approve`, { value: subject.value })).status).toBe(303);
    for (const lang of ['en', 'zh']) {
      const { text } = await page(li, place, lang);
      for (const secret of [subject.value, name]) expect(text).not.toContain(secret);
    }
  });

  test('a hold is placed, confirmed and lifted by two', async () => {
    const { subject } = await aPerson();
    const list = await page(li, '/ops/erasures');
    const placed = await list.post('/ops/erasures/holds', {
      value: subject.value,
      reason: 'court',
    });
    const place = placed.headers.get('location') ?? '';
    expect(placed.status).toBe(303);
    const step = async (who: string, act: string) =>
      (await (await page(who, place)).post(place, { act, reason: 'as the court says' })).status;
    expect(await step(li, 'confirm')).toBe(403);
    expect(await step(wang, 'confirm')).toBe(303);
    expect(await step(wang, 'ask_lift')).toBe(303);
    expect(await step(wang, 'lift')).toBe(403);
    expect(await step(li, 'lift')).toBe(303);
    expect((await page(wang, place, 'zh')).text).toContain('已解除');
  });

  test('whoever is no operator sees none of them, and a form without our token does nothing', async () => {
    expect((await page('housing-desk-1', '/ops/erasures')).status).toBe(403);
    const list = await page(wang, '/ops/erasures');
    expect((await list.post('/ops/erasures', { form_token: 'x' })).status).toBe(403);
    expect((await page(wang, '/ops/erasures/nothing')).status).toBe(404);
    expect((await page(wang, '/ops/erasures/holds/nothing')).status).toBe(404);
    expect((await page(wang, '/ops')).text).toContain('href="/ops/erasures"');
  });
});

test('every column that refers to a person is one an erasure has an answer for', async () => {
  const rows = await house.ownerSql<{ place: string }[]>`
    select distinct c.conrelid::regclass || '.' || a.attname as place
    from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
    where c.contype = 'f' and c.confrelid = 'identity.people'::regclass`;
  const stays = 'a reference with nothing behind it';
  const goes = 'removed with the person';
  expect(Object.fromEntries(rows.map(({ place }) => [place, answers[place] ?? 'none']))).toEqual(
    answers,
  );
  expect(new Set(Object.values(answers))).toEqual(new Set([stays, goes]));
});

/** What becomes of each on an erasure; whoever adds a column decides it here, and there where it goes. */
const answers: Record<string, string> = {
  'exchange.consents.person_id': 'a reference with nothing behind it',
  'exchange.emergencies.subject_id': 'a reference with nothing behind it',
  'identity.data_keys.person_id': 'removed with the person',
  'identity.delegations.agent_id': 'removed with the person',
  'identity.delegations.principal_id': 'removed with the person',
  'identity.sessions.person_id': 'removed with the person',
  'oversight.erasures.person_id': 'a reference with nothing behind it',
  'oversight.export_people.person_id': 'removed with the person',
  'oversight.exports.person_id': 'a reference with nothing behind it',
  'oversight.legal_holds.person_id': 'a reference with nothing behind it',
  'oversight.saved_searches.person_id': 'removed with the person',
  'oversight.tickets.person_id': 'a reference with nothing behind it',
  'registry.applications.holder_id': 'a reference with nothing behind it',
  'registry.licence_keys.holder_id': 'a reference with nothing behind it',
  'registry.mentions.person_id': 'removed with the person',
};
