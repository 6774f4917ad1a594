// An emergency on its pages: a question that no agreement allows, opened, asked and read.
import { beforeAll, expect, test } from 'vitest';
import { LI, PUBLIC_URL, send, sessionOf, withHouse } from '../api/house.ts';

const house = withHouse();
let Cookie: string;

beforeAll(async () => {
  await house.ownerSql`
    update exchange.agreements set state = 'suspended' where requester_id = 'housing'`;
  await house.services.exchange.allowEmergencies(house.services.database.db, 'housing');
  Cookie = await sessionOf(house, 'housing-desk-1');
});

const open = (path: string) => send(house, 'GET', `${path}`, { headers: { Cookie } });

/** Sends the form of a page that goes to `action`, with its hidden fields and these. */
async function submit(page: string, action: RegExp, fields: Record<string, string>) {
  const form = page.split('<form').find((text) => action.test(text)) ?? '';
  const to = /action="([^"]+)"/.exec(form)?.[1] ?? '';
  const hidden = [...form.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)];
  const body = new URLSearchParams({
    ...Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value])),
    ...fields,
  });
  return send(house, 'POST', to, { headers: { Cookie, Origin: PUBLIC_URL }, body });
}

test('a question is opened, asked and read; what is wrong stays in its form', async () => {
  const choosing = await open('/desk/emergencies?service=VS-MARITAL&lang=en');
  expect(choosing.text).toContain('value="VS-MARITAL"');
  const facts = {
    'subject-value': LI.value,
    reason: '隧道坍塌，须告知配偶',
    caseId: 'ER-1',
    legalBasis: 'LB-716-7',
    minutes: '60',
  };
  const refused = await submit(choosing.text, /method="post" action="\/desk\/emergencies"/, {
    ...facts,
    minutes: '600',
  });
  expect(refused.status).toBe(422);
  expect(refused.text).toContain('隧道坍塌，须告知配偶');
  const opened = await submit(refused.text, /method="post" action="\/desk\/emergencies"/, facts);
  expect([opened.status, opened.headers.get('location')]).toEqual([303, '/desk/emergencies']);

  const list = await open('/desk/emergencies?lang=en');
  const wrong = await submit(list.text, /emergencies\/[^/]+\/ask"/, { 'params-declared': 'x' });
  expect(wrong.status).toBe(422);
  const asked = await submit(list.text, /emergencies\/[^/]+\/ask"/, {
    'params-declared': 'never_registered',
  });
  expect(asked.status).toBe(303);
  const answer = await open(asked.headers.get('location') ?? '');
  expect(answer.status).toBe(200);
  expect(answer.text).toContain('已答复');
});
