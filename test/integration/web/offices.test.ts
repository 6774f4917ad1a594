// A tree of offices on the pages: who sits where, what each place shows, and the lists one chooses from.
import { beforeAll, expect, test } from 'vitest';
import { sampleOffices } from '../../../cli/sample/offices.ts';
import { systemScope } from '../../../platform/index.ts';
import { maritalQuestion, PASSWORD, PUBLIC_URL, send, sessionOf, withHouse } from '../api/house.ts';

const house = withHouse();
const offices = sampleOffices.filter(({ id }) => id.startsWith('civil-'));
const name = (id: string) => offices.find((one) => one.id === id)?.nameEn ?? '';

beforeAll(async () => {
  const { identity, exchange, database } = house.services;
  const operator = {
    kind: 'system' as const,
    requestId: 'test',
    organisationId: 'govsvc',
    roles: [],
    scopes: [],
  };
  await database.as(systemScope).transaction(async (tx) => {
    for (const office of offices) await identity.putOrganisation(tx, office);
    for (const [organisationId, reach] of [
      ['civil-yuehua', 'below'],
      ['civil-wenming', 'own'],
      ['civil-tongfu', 'own'],
      ['civil-shuangta', 'own'],
    ] as const) {
      const key = `${organisationId}-desk-1`;
      const account = { key, username: key, password: PASSWORD, organisationId, reach };
      await identity.putOfficer(tx, { ...account, roles: ['desk'], stretching: 'first-use' });
    }
    await exchange.installAgreement(tx, operator, {
      requester: 'civil-tongfu',
      service: 'VS-MARITAL',
      legalBases: ['LB-MCA266'],
      fields: ['matches'],
      quota: { perDay: 10 },
      validFrom: '2026-01-01',
      validTo: '2099-12-31',
    });
  });
});

async function browserOf(who: string) {
  const Cookie = await sessionOf(house, who);
  const get = (path: string) => send(house, 'GET', path, { headers: { Cookie } });
  return {
    get,
    sit: async (organisation: string) => {
      const { text } = await get('/desk/post?lang=en');
      const token = /name="form_token" value="([^"]+)"/.exec(text)?.[1] ?? '';
      const body = new URLSearchParams({ form_token: token, organisation });
      const headers = { Cookie, Origin: PUBLIC_URL };
      return (await send(house, 'POST', '/desk/post', { headers, body })).status;
    },
    ask: (question: object) =>
      send(house, 'POST', '/v1/verifications', {
        headers: { Cookie, Origin: PUBLIC_URL, 'Content-Type': 'application/json' },
        body: JSON.stringify(question),
      }),
  };
}

const optionsOf = (page: string) =>
  [...page.matchAll(/<option[^>]*>([^<]*)<\/option>/g)].map(([, label = '']) => label);

test('each place is told with what is above it, and one that reaches below chooses from a tree', async () => {
  const clerk = await browserOf('civil-tongfu-desk-1');
  const desk = (await clerk.get('/desk?lang=en')).text;
  const path = [name('civil-yuehua'), name('civil-wenming'), name('civil-tongfu')].join(' › ');
  expect(desk).toContain(`Yunzhu Civil Affairs Bureau › ${path}</strong>`);
  expect((await clerk.get('/desk/post?lang=en')).text).toContain('nothing to choose');
  const district = await browserOf('civil-yuehua-desk-1');
  expect(optionsOf((await district.get('/desk/post?lang=en')).text)).toEqual([
    name('civil-yuehua'),
    `\u3000${name('civil-rongyin')}`,
    `\u3000\u3000${name('civil-lili')}`,
    `\u3000${name('civil-wenming')}`,
    `\u3000\u3000${name('civil-shuangta')}`,
    `\u3000\u3000${name('civil-tongfu')}`,
  ]);
  const operator = await browserOf('govsvc-operator-1');
  const labels = optionsOf((await operator.get('/ops/rights?lang=en')).text);
  const civil = labels.indexOf('Yunzhu Civil Affairs Bureau');
  expect(labels[civil + 1]).toBe(`\u3000${name('civil-haiwan')}`);
  expect(labels).toContain(`\u3000\u3000\u3000${name('civil-tongfu')}`);
});

test('what a community asks is seen there, and from above by who sits down there, and nowhere else', async () => {
  const clerk = await browserOf('civil-tongfu-desk-1');
  const asked = await clerk.ask(maritalQuestion());
  expect(asked.status, asked.text).toBeLessThan(300);
  const { id } = asked.json as { id: string };
  const sees = async (who: Awaited<ReturnType<typeof browserOf>>) => {
    const one = await who.get(`/desk/verifications/${id}`);
    const list = await who.get('/desk');
    return [one.status, list.text.includes(id)];
  };
  expect(await sees(clerk)).toEqual([200, true]);
  for (const beside of ['civil-shuangta-desk-1', 'civil-wenming-desk-1', 'housing-desk-1']) {
    expect(await sees(await browserOf(beside)), beside).toEqual([404, false]);
  }
  const district = await browserOf('civil-yuehua-desk-1');
  expect(await sees(district)).toEqual([404, false]);
  expect(await district.sit('civil-tongfu')).toBe(303);
  expect(await sees(district)).toEqual([200, true]);
  expect(await district.sit('civil-haiwan')).toBe(404);
  expect(await clerk.sit('civil-yuehua')).toBe(404);
  const foreign = await browserOf('civil-wenming-desk-1');
  expect((await foreign.ask(maritalQuestion())).json).toMatchObject({
    code: 'exchange.no_agreement',
  });
});
