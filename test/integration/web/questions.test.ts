// Answering by hand on the pages, where a service asks for two officers.
import { beforeAll, expect, test } from 'vitest';
import { readWorld } from '../../../cli/sample/world.ts';
import {
  LI,
  maritalQuestion,
  PASSWORD,
  PUBLIC_URL,
  send,
  sessionOf,
  withHouse,
} from '../api/house.ts';

const house = withHouse();
const platform = {
  kind: 'system' as const,
  requestId: 'test',
  organisationId: 'govsvc',
  roles: [],
  scopes: [],
};

beforeAll(async () => {
  const { identity, exchange, database } = house.services;
  const marital = readWorld().verification_services.find(({ id }) => id === 'VS-MARITAL');
  await exchange.publishService(platform, {
    ...marital,
    mode: 'manual',
    rule: undefined,
    answer_four_eyes: true,
  });
  const key = 'civil-approver-1';
  await database.transaction((tx) =>
    identity.putOfficer(tx, {
      key,
      username: key,
      password: PASSWORD,
      organisationId: 'civil',
      roles: ['approver'],
      stretching: 'first-use',
    }),
  );
});

/** A signed-in officer's browser, as far as these pages need one. */
async function browserOf(who: string) {
  const Cookie = await sessionOf(house, who);
  let page = '';
  const seen = ({ text, status }: { text: string; status: number }) => {
    page = text;
    return { text, status };
  };
  return {
    open: async (path: string) => seen(await send(house, 'GET', path, { headers: { Cookie } })),
    /** Sends the page's form to this address, with its hidden fields and these. */
    submit: async (action: string, fields: Record<string, string> = {}) => {
      const form = page.split('<form').find((text) => text.includes(`action="${action}"`)) ?? '';
      const hidden = [...form.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)];
      const body = new URLSearchParams({
        ...Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value])),
        ...fields,
      });
      const headers = { Cookie, Origin: PUBLIC_URL };
      return seen(await send(house, 'POST', action, { headers, body }));
    },
  };
}

test('one officer takes and answers, another reads and decides; nothing is shown before it is taken', async () => {
  const { json } = await house
    .client('housing')
    .call('POST', '/v1/verifications', maritalQuestion());
  const id = typeof json === 'object' && json !== null && 'id' in json ? String(json.id) : '';
  const clerk = await browserOf('civil-provider-1');
  expect((await clerk.open('/desk')).status).toBe(303);
  const list = await clerk.open('/desk/questions?lang=en');
  expect(list.text).not.toContain(LI.value);
  const taken = await clerk.submit(`/desk/questions/${id}/claim`);
  expect(taken.text).toContain(LI.value);
  const wrong = await clerk.submit(`/desk/questions/${id}/answer`, { 'params-matches': 'true' });
  expect(wrong.status).toBe(422);
  const right = { 'params-matches': 'true', 'params-as_of': '2026-03-04' };
  expect((await clerk.submit(`/desk/questions/${id}/answer`, right)).status).toBe(303);
  expect((await clerk.open('/desk/questions')).text).toContain(`/desk/questions/${id}/withdraw`);

  const second = await browserOf('civil-approver-1');
  await second.open('/desk/questions');
  const shown = await second.submit(`/desk/approvals/${id}/read`);
  expect([shown.status, shown.text.includes(LI.value)]).toEqual([200, true]);
  const back = await second.submit(`/desk/approvals/${id}/return`, { reason: '请核对档案' });
  expect(back.status).toBe(303);
  await clerk.open('/desk/questions');
  expect((await clerk.submit(`/desk/questions/${id}/claim`)).text).toContain('请核对档案');
  await clerk.submit(`/desk/questions/${id}/answer`, right);
  await second.open('/desk/questions');
  await second.submit(`/desk/approvals/${id}/read`);
  expect((await second.submit(`/desk/approvals/${id}/approve`)).status).toBe(303);
  const answered = await house.client('housing').call('GET', `/v1/verifications/${id}`);
  expect(answered.json).toMatchObject({ state: 'answered', answer: { matches: true } });
  expect((await second.open('/desk/questions')).text).toContain('没有待审核的答复');
});
