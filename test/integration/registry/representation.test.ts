// Who speaks for a company, whom she lets act for it, and what becomes of that when its licence changes.
import { beforeEach, describe, expect, test } from 'vitest';
import { type Actor, DELEGABLE_ITEMS } from '../../../identity/index.ts';
import { AppError, addDays, cityDay, type JsonObject } from '../../../platform/index.ts';
import type { IssuedLicence } from '../../../registry/index.ts';
import { citizenId, newPlace } from '../identity/house.ts';
import { CITY_TZ, citizen, department, issued, LI, WANG, withRegistry } from './house.ts';

const house = withRegistry();
const market = department('market');
const today = cityDay(new Date(), CITY_TZ);
let made = 0;
let company: { uscc: string; licence: IssuedLicence };
let li: Actor;
let wang: Actor;
let nobody: Actor;

function businessLicence(uscc: string, changes: JsonObject = {}): JsonObject {
  return {
    type: 'LT-BIZLIC',
    holder: { scheme: 'uscc', value: uscc, name: '云珠示例餐饮有限公司' },
    fields: {
      entity_type: 'company',
      legal_rep_name: LI.name,
      legal_rep_id: LI.value,
      established_on: '2020-01-01',
      address: '云珠市示例路 1 号',
      scope: '餐饮服务',
      registration_status: 'active',
      ...changes,
    },
  };
}

/** A code with its check character (GB 32100). */
function uscc(sequence: number): string {
  const alphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY';
  const body = `91990101MA${String(sequence).padStart(7, '0')}`;
  const sum = [...body].reduce(
    (total, one, at) => total + alphabet.indexOf(one) * (3 ** at % 31),
    0,
  );
  return `${body}${alphabet[(31 - (sum % 31)) % 31]}`;
}

beforeEach(async () => {
  made += 1;
  const code = uscc(made);
  company = { uscc: code, licence: await issued(house, market, businessLicence(code)) };
  const [liId = '', wangId = '', otherId = ''] = await house.identity.ensurePeople(
    house.database.db,
    [LI, WANG, { scheme: 'cn-id', value: citizenId('19600101', 3) }],
  );
  [li, wang, nobody] = [citizen(liId), citizen(wangId), citizen(otherId)];
});

const proposal = (agent: { value: string }) => ({
  agent: { scheme: 'cn-id' as const, value: agent.value },
  items: ['licences.view' as const],
  validTo: addDays(today, 30),
});

const give = (actor: Actor, agent: { value: string }, licence = company.licence.number) =>
  house.registry.giveForCompany(actor, licence, proposal(agent));

const codeOf = (act: Promise<unknown>) =>
  act.then(
    () => 'no refusal',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

const companyOf = async (actor: Actor) =>
  (await house.registry.representedCompanies(actor)).find((one) => one.uscc === company.uscc);

const statesOf = async () => (await companyOf(li))?.delegations.map(({ state }) => state);

async function act(name: string, changes: JsonObject = {}) {
  const input = { reason: '登记事项变化', legalBasis: 'LB-ALL', ...changes };
  return house.registry.act(market, company.licence.number, name, input);
}

test('the person whom a valid licence names finds the company, and nobody else does', async () => {
  expect(await companyOf(li)).toEqual({
    id: expect.any(String),
    uscc: company.uscc,
    name: '云珠示例餐饮有限公司',
    licence: company.licence.number,
    delegations: [],
  });
  expect(await companyOf(wang)).toBeUndefined();
});

test('she makes herself its agent at once, and others once they accept', async () => {
  const own = await give(li, LI);
  expect(own).toMatchObject({ state: 'accepted', principal: { scheme: 'uscc' } });
  const other = await give(li, WANG);
  expect(other).toMatchObject({ state: 'proposed', agent: { name: null } });
  await house.identity.decideDelegation(wang, other.id, 'accept');
  expect(await statesOf()).toEqual(['accepted', 'accepted']);
  expect(await codeOf(give(li, WANG))).toBe('identity.delegation_open');
  const { number } = company.licence;
  await house.registry.revokeForCompany(li, number, other.id);
  expect(await statesOf()).toEqual(['revoked', 'accepted']);
});

test('her session acts for it, by one delegation however often she begins', async () => {
  const account = { scheme: LI.scheme, value: LI.value, pin: '480213' };
  await house.database.transaction((tx) =>
    house.identity.putPersonSecret(tx, li.personId ?? '', account.pin, 'first-use'),
  );
  const place = newPlace(house.identity);
  const { cookie, actor } = await house.identity.signIn(account, place);
  for (const _ of ['first', 'again']) {
    await house.registry.actForCompany(actor, company.licence.number);
    const acting = await house.identity.findSession(cookie, 'r');
    expect(acting?.actingFor).toMatchObject({ items: [...DELEGABLE_ITEMS], hasEnded: false });
    const [own] = await house.registry.ownLicences(acting ?? actor);
    expect(own?.number).toBe(company.licence.number);
  }
  expect(await statesOf()).toEqual(['accepted']);
  expect(await codeOf(house.registry.actForCompany(wang, company.licence.number))).toBe(
    'registry.not_the_representative',
  );
});

describe('nobody else gives or revokes in its name', () => {
  const others: [string, () => Actor][] = [
    ['another person', () => wang],
    ['the authority', () => market],
    ['an agent of the representative’s', () => ({ ...wang, actingFor: actingForLi() })],
  ];
  const actingForLi = () => ({
    personId: li.personId ?? '',
    delegationId: '019a0000-0000-7000-8000-000000000001',
    items: ['licences.view' as const],
    hasEnded: false,
  });
  for (const [title, actor] of others) {
    test(title, async () => {
      const { id } = await give(li, WANG);
      const { number } = company.licence;
      const codes = ['registry.not_the_representative', 'identity.not_delegable'];
      expect(codes).toContain(await codeOf(give(actor(), LI)));
      expect(codes).toContain(await codeOf(house.registry.revokeForCompany(actor(), number, id)));
      expect(await statesOf()).toEqual(['proposed']);
    });
  }

  test('nor the representative of one in the name of another', async () => {
    const theirs = uscc(9000 + made);
    const other = await issued(
      house,
      market,
      businessLicence(theirs, { legal_rep_id: WANG.value, legal_rep_name: WANG.name }),
    );
    expect(await codeOf(give(li, LI, other.number))).toBe('registry.not_the_representative');
    const { id } = await give(wang, LI, other.number);
    const { number } = company.licence;
    expect(await codeOf(house.registry.revokeForCompany(li, number, id))).toBe(
      'identity.delegation_not_found',
    );
    expect(await codeOf(give(nobody, LI, 'x'))).toBe('registry.not_the_representative');
  });
});

describe('when its licence', () => {
  for (const name of ['cancel', 'rescind', 'revoke']) {
    test(`ends by ${name}, what was given under it ends`, async () => {
      const own = await give(li, LI);
      await act(name);
      const [shown] = await house.identity.listDelegations(li);
      expect(shown).toMatchObject({ id: own.id, state: 'revoked' });
      expect(await companyOf(li)).toBeUndefined();
      expect(await codeOf(give(li, LI))).toBe('registry.not_the_representative');
    });
  }

  test('is suspended, nothing new is given, and what was given goes on', async () => {
    const own = await give(li, LI);
    await act('suspend');
    expect(await codeOf(give(li, WANG))).toBe('registry.not_the_representative');
    const [shown] = await house.identity.listDelegations(li);
    expect(shown).toMatchObject({ id: own.id, state: 'accepted' });
  });

  test('is amended in something else, it goes on, and ends with the version after', async () => {
    await give(li, LI);
    const next = await act('amend', { fields: { address: '云珠市示例路 2 号' } });
    expect(await statesOf()).toEqual(['accepted']);
    expect((await companyOf(li))?.licence).toBe(next.number);
    company.licence = { ...company.licence, number: next.number };
    await act('cancel');
    expect((await house.identity.listDelegations(li))[0]?.state).toBe('revoked');
  });

  test('names somebody else, it ends, and she gives from now on', async () => {
    const own = await give(li, LI);
    const next = await act('amend', {
      fields: { legal_rep_id: WANG.value, legal_rep_name: WANG.name },
    });
    expect((await house.identity.listDelegations(li))[0]).toMatchObject({
      id: own.id,
      state: 'revoked',
    });
    expect(await codeOf(give(li, LI, next.number))).toBe('registry.not_the_representative');
    expect((await give(wang, LI, next.number)).state).toBe('proposed');
  });

  test('ends while she gives, either nothing is given or it ends too', async () => {
    const [given] = await Promise.allSettled([give(li, LI), act('revoke')]);
    const open = (await house.identity.listDelegations(li)).filter(
      ({ state, principal }) => state === 'accepted' && principal.masked === company.uscc,
    );
    expect(open).toEqual([]);
    expect(['fulfilled', 'rejected']).toContain(given.status);
  });
});
