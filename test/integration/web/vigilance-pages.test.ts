// Auditors' pages of vigilance, as forms without a script: each act posts, redirects, and is told in words.
import { beforeAll, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { LI, maritalQuestion, PUBLIC_URL, send, sessionOf, withHouse } from '../api/house.ts';

const house = withHouse();
let cookie = '';

const get = (path: string) => send(house, 'GET', path, { headers: { cookie } });

/** Posts a form of a page that was read before, with its token. */
async function post(page: string, action: string, fields: Record<string, string>) {
  const { text } = await get(page);
  const token = /name="form_token" value="([^"]+)"/.exec(text)?.[1] ?? '';
  return send(house, 'POST', action, {
    headers: { cookie, Origin: PUBLIC_URL, 'Content-Type': 'application/x-www-form-urlencoded' },
    body: String(new URLSearchParams({ ...fields, form_token: token })),
  });
}

beforeAll(async () => {
  cookie = await sessionOf(house, 'audit-auditor-1');
});

test('before anything has happened each page says so', async () => {
  for (const lang of ['zh', 'en']) {
    const expected = {
      '/audit/alerts': { zh: '没有符合条件的告警。', en: 'No alarms like that.' },
      '/audit/replays': { zh: '还没有回放。', en: 'There are no replays yet.' },
      '/audit/watch-list': { zh: '名单为空。', en: 'The list is empty.' },
      '/audit/rules': { zh: '一天内多次无案件查看', en: 'Many looks without a case in a day' },
    };
    for (const [path, words] of Object.entries(expected)) {
      const { status, text } = await get(`${path}?lang=${lang}`);
      expect([path, status]).toEqual([path, 200]);
      expect(text).toContain(lang === 'zh' ? words.zh : words.en);
    }
  }
});

test('a person is put on the watch list, a look at her is an alarm, and it is closed', async () => {
  const wrong = await post('/audit/watch-list', '/audit/watch-list', {
    kind: 'listed',
    'subject-value': '990101199001010010',
    reason: '公众人物',
  });
  expect(wrong.status).toBe(422);
  expect(wrong.text).toContain('id="subject-value-error"');
  const added = await post('/audit/watch-list', '/audit/watch-list', {
    kind: 'listed',
    'subject-value': LI.value,
    reason: '公众人物',
  });
  expect([added.status, added.headers.get('location')]).toEqual([303, '/audit/watch-list']);
  const list = (await get('/audit/watch-list')).text;
  expect(list).toContain('公众人物');
  expect(list).not.toContain(LI.value);
  expect(list).not.toContain(LI.name);

  await house.client('housing').call('POST', '/v1/verifications', maritalQuestion(), {
    Prefer: 'wait=10',
  });
  const alarm = /href="(\/audit\/alerts\/[0-9a-f-]+)"/;
  await eventually(async () => alarm.test((await get('/audit/alerts')).text), {
    timeoutMs: 25_000,
  });
  const path = alarm.exec((await get('/audit/alerts')).text)?.[1] ?? '';
  expect((await get('/audit')).text).toContain('1 条未办结');
  const page = (await get(path)).text;
  expect(page).toContain('查看了关注名单上的人');
  const evidence = /href="(\/audit\/entries\/\d+)"[^>]*>#\d+<\/a><\/li>/.exec(page)?.[1] ?? '';
  expect((await get(evidence)).text).toContain('公共租赁住房资格审核');

  const refused = await post(path, `${path}/note`, { note: `见 ${LI.value}` });
  expect(refused.status).toBe(422);
  const taken = await post(path, `${path}/note`, { note: '已联系住建局' });
  expect([taken.status, taken.headers.get('location')]).toEqual([303, path]);
  expect((await get(path)).text).toContain('已联系住建局');
  await post(path, `${path}/close`, { finding: 'justified', note: '确有案件' });
  const closed = (await get(path)).text;
  expect(closed).toContain('查看有正当理由');
  expect(closed).not.toContain(`action="${path}/close"`);
  expect((await get('/audit/alerts?state=closed')).text).toContain(path);
});

test('a draft is run over history, then proposed; its proposer is not offered the decision', async () => {
  const draft = {
    id: 'any-officer',
    expression: 'look.department == "housing" && actor.today >= params.least',
    params: 'least=1',
    group: 'actor',
    from: '2026-01-01',
    to: '2099-12-31',
  };
  const wrong = await post('/audit/rules', '/audit/rules', {
    ...draft,
    act: 'rehearse',
    expression: 'look.nothing',
  });
  expect(wrong.status).toBe(422);
  expect(wrong.text).toContain('look.nothing');
  const begun = await post('/audit/rules', '/audit/rules', { ...draft, act: 'rehearse' });
  expect(begun.status).toBe(303);
  const replay = begun.headers.get('location') ?? '';
  await eventually(async () => (await get(replay)).text.includes('完成'), { timeoutMs: 25_000 });
  expect((await get(replay)).text).toContain('回放发现、当时未发出');
  const missing = await post('/audit/rules', '/audit/rules', { ...draft, act: 'propose' });
  expect(missing.status).toBe(422);
  const proposed = await post('/audit/rules', '/audit/rules', {
    ...draft,
    act: 'propose',
    severity: 'low',
    deadlineDays: '7',
    isOn: 'on',
    titleZh: '任何人',
    titleEn: 'Anybody',
    textZh: '任何查看。',
    textEn: 'Any look.',
  });
  expect([proposed.status, proposed.headers.get('location')]).toEqual([303, '/audit/rules']);
  const rules = (await get('/audit/rules')).text;
  expect(rules).toContain('由您提出，须由另一名审计人员复核。');
  const own = await post('/audit/rules', '/audit/rules/any-officer/1', { decision: 'approve' });
  expect(own.status).toBe(403);
});
