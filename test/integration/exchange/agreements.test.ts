// Agreements and services: who may put what in force, and what it changes at once.

import { sql } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import { databaseFault, type JsonObject, systemScope } from '../../../platform/index.ts';
import {
  askNow,
  CANTEEN,
  codeOf,
  department,
  maritalQuestion,
  officer,
  operator,
  sampleServices,
  withExchange,
  withRule,
} from './house.ts';

const house = withExchange({ queue: 'stopped' });
const dpf = department('dpf');
const approver = officer('civil-approver-1', 'approver');
const reason = { reason: '依法共享' };

/** The disabled persons' federation wants to ask about marriages; it has no agreement. */
function proposal(changes: JsonObject = {}): JsonObject {
  return {
    service: 'VS-MARITAL',
    legalBases: ['LB-716-7'],
    fields: ['matches', 'as_of'],
    purposes: [],
    quota: { perDay: 100 },
    validFrom: '2020-01-01',
    validTo: '2099-12-31',
    ...changes,
  };
}

const question = (changes: JsonObject = {}) =>
  maritalQuestion({ legalBasis: 'LB-716-7', ...changes });

async function ask(changes: JsonObject = {}): Promise<string> {
  return codeOf(askNow(house, dpf, question(changes)));
}

/** Ends every agreement of the federation, so that each test begins with none. */
async function clear(): Promise<void> {
  await house.ownerSql`update exchange.agreements set state = 'revoked' where requester_id = 'dpf'
    and service_code = 'VS-MARITAL'`;
}

async function inForce(changes: JsonObject = {}): Promise<string> {
  await clear();
  const { id } = await house.exchange.proposeAgreement(dpf, proposal(changes));
  await house.exchange.decideAgreement(approver, id, 'approve', reason);
  return id;
}

describe('an agreement', () => {
  test('grants nothing while it is proposed, and everything it says once approved', async () => {
    await clear();
    const proposed = await house.exchange.proposeAgreement(dpf, proposal());
    expect(proposed).toEqual({
      ...proposal(),
      id: proposed.id,
      state: 'proposed',
      version: 1,
      requester: 'dpf',
      provider: 'civil',
      cacheAnswers: false,
      signedRequests: false,
      fourEyes: false,
      hash: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      signatures: [],
      createdAt: proposed.createdAt,
    });
    expect(await ask()).toBe('exchange.no_agreement');
    const approved = await house.exchange.decideAgreement(approver, proposed.id, 'approve', reason);
    expect(approved).toEqual({ ...proposed, state: 'active' });
    expect(await ask()).toBe('not refused');
  });

  test('is not approved by the department that proposed it', async () => {
    await clear();
    const { id } = await house.exchange.proposeAgreement(dpf, proposal());
    for (const act of ['approve', 'refuse', 'suspend', 'resume'] as const) {
      const own = officer('dpf-approver-1', 'approver');
      expect(await codeOf(house.exchange.decideAgreement(own, id, act, reason))).toBe(
        'exchange.own_proposal',
      );
    }
    expect(await ask()).toBe('exchange.no_agreement');
  });

  test('ends and pauses at once', async () => {
    const id = await inForce();
    const decide = (act: 'suspend' | 'resume' | 'revoke' | 'approve') =>
      codeOf(house.exchange.decideAgreement(approver, id, act, reason));
    const seen = [];
    for (const act of ['suspend', 'resume', 'revoke', 'resume', 'approve'] as const) {
      seen.push([act, await decide(act), await ask()]);
    }
    expect(seen).toEqual([
      ['suspend', 'not refused', 'exchange.no_agreement'],
      ['resume', 'not refused', 'not refused'],
      ['revoke', 'not refused', 'exchange.no_agreement'],
      ['resume', 'exchange.agreement_act_not_allowed', 'exchange.no_agreement'],
      ['approve', 'exchange.agreement_act_not_allowed', 'exchange.no_agreement'],
    ]);
  });

  test('is not there for a third department, and closed to those who may not decide', async () => {
    const id = await inForce();
    const third = officer('health-approver-1', 'approver');
    expect(await codeOf(house.exchange.getAgreement(third, id))).toBe(
      'exchange.agreement_not_found',
    );
    expect(await codeOf(house.exchange.decideAgreement(third, id, 'revoke', reason))).toBe(
      'exchange.agreement_not_found',
    );
    const clerk = officer('civil-desk-1', 'desk');
    expect(await codeOf(house.exchange.decideAgreement(clerk, id, 'revoke', reason))).toBe(
      'exchange.scope',
    );
    expect((await house.exchange.getAgreement(clerk, id)).state).toBe('active');
  });

  test('covers nothing outside its days', async () => {
    await inForce({ validTo: '2020-12-31' });
    expect(await ask()).toBe('exchange.no_agreement');
    const { items } = await house.exchange.listAgreements(dpf, { limit: 1 });
    expect(items[0]?.state).toBe('expired');
    await inForce({ validFrom: '2099-01-01' });
    expect(await ask()).toBe('exchange.no_agreement');
  });

  test('lets only the fields through that it lists', async () => {
    await inForce({ fields: ['matches'] });
    const answered = await askNow(house, dpf, question());
    expect(Object.keys(answered.answer ?? {})).toEqual(['matches']);
  });

  test('allows only its legal bases and, when it lists any, its purposes', async () => {
    await inForce({ purposes: ['残疾人补贴'] });
    expect(await ask({ purpose: '残疾人补贴' })).toBe('not refused');
    expect(await ask({ purpose: '其他' })).toBe('exchange.purpose_not_allowed');
    expect(await ask({ purpose: '残疾人补贴', legalBasis: 'LB-MCA266' })).toBe(
      'exchange.legal_basis_not_allowed',
    );
  });

  test('stops at its quota, also when all ask at once', async () => {
    await inForce({ quota: { perDay: 5 } });
    const codes = await Promise.all(Array.from({ length: 12 }, () => ask()));
    expect(codes.filter((code) => code === 'not refused')).toHaveLength(5);
    expect(new Set(codes)).toEqual(new Set(['not refused', 'exchange.quota']));
  });

  test('may ask for signed requests', async () => {
    await inForce({ signedRequests: true });
    expect(await ask()).toBe('exchange.signature_required');
    const signed = house.exchange.ask(dpf, question(), { evidence: 'rfc9421' });
    expect(await codeOf(signed)).toBe('not refused');
  });

  test('may list the parameters instead of counting them', async () => {
    await inForce({ paramLimits: { declared: ['married', 'divorced', 'widowed'] } });
    const caseId = 'C-listed';
    for (const declared of ['married', 'divorced', 'widowed']) {
      expect(await ask({ caseId, params: { declared } })).toBe('not refused');
    }
    expect(await ask({ caseId, params: { declared: 'never_registered' } })).toBe(
      'exchange.params_invalid',
    );
  });

  test('can’t be proposed with terms that don’t fit', async () => {
    const cases: JsonObject[] = [
      { service: 'VS-NONE' },
      { service: undefined },
      { licenceType: 'LT-MARRIAGE' },
      { service: undefined, licenceType: 'LT-NONE' },
      { service: undefined, licenceType: 'LT-MARRIAGE', fields: ['cause'] },
      { service: 'VS-DISABILITY' },
      { legalBases: ['LB-VET'] },
      { legalBases: [] },
      { fields: ['cause'] },
      { fields: [] },
      { quota: { perDay: 0 } },
      { validFrom: '2027-01-01', validTo: '2026-01-01' },
      { paramLimits: { colour: ['red'] } },
      { paramLimits: { declared: ['a', 'b', 'c', 'd'] } },
      { extra: true },
    ];
    for (const changes of cases) {
      const code = await codeOf(house.exchange.proposeAgreement(dpf, proposal(changes)));
      const expected =
        changes.service === 'VS-NONE' ? 'exchange.unknown_service' : 'exchange.agreement_invalid';
      expect(code, JSON.stringify(changes)).toBe(expected);
    }
  });

  test('is in the log and told to whoever listens', async () => {
    const id = await inForce();
    const entries = await house.audit
      .as(systemScope)
      .findEntries({ type: 'agreement.approved', limit: 5 });
    expect(entries[0]).toMatchObject({ department: 'civil', service: 'VS-MARITAL' });
    const events = await house.ownerSql`
      select payload from platform.outbox where topic = 'agreement.changed'
      and key = ${id} order by position`;
    expect(events.map(({ payload }) => payload)).toEqual([
      { agreement: id, state: 'proposed' },
      { agreement: id, state: 'active' },
    ]);
  });
});

describe('an agreement over a service that takes four eyes', () => {
  const second = officer('civil-approver-2', 'approver');
  const propose = async () => {
    const marital = sampleServices.find(({ id }) => id === 'VS-MARITAL');
    await house.exchange.publishService(operator, {
      ...withRule(marital ?? Object()),
      four_eyes: true,
    });
    await clear();
    return (await house.exchange.proposeAgreement(dpf, proposal())).id;
  };
  const approve = (actor: typeof approver, id: string) =>
    house.exchange.decideAgreement(actor, id, 'approve', reason);

  test('is in force when a second officer has approved it, and not by the first one twice', async () => {
    const id = await propose();
    expect(await approve(approver, id)).toMatchObject({ state: 'proposed', fourEyes: true });
    expect(await ask()).toBe('exchange.no_agreement');
    expect(await codeOf(approve(approver, id))).toBe('exchange.second_approver_needed');
    expect(await approve(second, id)).toMatchObject({ state: 'active' });
    expect(await ask()).toBe('not refused');
  });

  test('counts the officers whom the department’s system names', async () => {
    const id = await propose();
    const system = department('civil');
    const by = (key: string) =>
      house.exchange.decideAgreement(system, id, 'approve', { ...reason, officer: key });
    expect(await by('civil-approver-1')).toMatchObject({ state: 'proposed' });
    expect(await codeOf(by('civil-approver-1'))).toBe('exchange.second_approver_needed');
    expect(await by('civil-approver-2')).toMatchObject({ state: 'active' });
  });

  test('is not made by one account in the database either, nor by another department', async () => {
    const id = await propose();
    const set = async (change: ReturnType<typeof sql>) => {
      try {
        await house.database
          .as({ organisation: 'civil' })
          .transaction((tx) =>
            tx.execute(sql`update exchange.agreements set ${change} where id = ${id}`),
          );
        return 'not refused';
      } catch (error) {
        const fault = databaseFault(error);
        return fault?.constraint ?? fault?.code;
      }
    };
    const seen = [
      await set(sql`state = 'active'`),
      await set(sql`approved_by = proposed_by, approved_for = provider_id`),
      await set(sql`approved_by = 'officer:x', approved_for = requester_id`),
      await set(sql`approved_by = 'officer:x', approved_for = provider_id, state = 'active'`),
      await set(
        sql`approved_by = 'officer:x', approved_for = provider_id, seconded_by = 'officer:x'`,
      ),
      await set(
        sql`approved_by = 'officer:x', approved_for = provider_id, seconded_by = proposed_by`,
      ),
      await set(sql`proposed_by = null`),
    ];
    expect(seen).toEqual([
      'agreements_approved',
      'agreements_two_accounts',
      'agreements_provider_approves',
      'agreements_approved',
      'agreements_four_eyes',
      'agreements_four_eyes',
      '42501',
    ]);
  });
});

describe('a service', () => {
  const marital = sampleServices.find(({ id }) => id === 'VS-MARITAL');

  test('tells each caller whether it may ask, and why not', async () => {
    await clear();
    const seen = [];
    for (const actor of [department('housing'), dpf, department('dpf', []), null]) {
      const { callable, why } = await house.exchange.getService(actor, 'VS-MARITAL');
      seen.push([callable, why]);
    }
    expect(seen).toEqual([
      [true, undefined],
      [false, 'exchange.no_agreement'],
      [false, 'exchange.scope'],
      [false, 'exchange.scope'],
    ]);
    expect(await house.exchange.listServices(null)).toHaveLength(32);
    expect(await codeOf(house.exchange.getService(null, 'VS-NONE'))).toBe(
      'exchange.unknown_service',
    );
  });

  test('that moves to another provider takes no agreement with it', async () => {
    const planning = sampleServices.find(({ id }) => id === 'VS-PLANNING');
    const housing = department('housing');
    const callable = async () => (await house.exchange.getService(housing, 'VS-PLANNING')).callable;
    expect(await callable()).toBe(true);
    const moved = { ...withRule(planning ?? Object()), provider: 'market' };
    await house.exchange.publishService(operator, moved);
    expect(await callable()).toBe(false);
    const asked = maritalQuestion({
      service: 'VS-PLANNING',
      subject: { scheme: 'uscc', value: CANTEEN.value },
      params: { project_code: '2401-990101-04-01' },
      legalBasis: 'LB-CL8',
    });
    expect(await codeOf(askNow(house, housing, asked))).toBe('exchange.no_agreement');
  });

  test('keeps its rule inside', async () => {
    expect(await house.exchange.getService(null, 'VS-MARITAL')).not.toHaveProperty('rule');
  });

  test('can’t go live without legal basis, rule, provider or a schema that holds', async () => {
    const cases: [JsonObject, string][] = [
      [{ legal_basis: [] }, 'exchange.service_invalid'],
      [{ legal_basis: undefined }, 'exchange.service_invalid'],
      [{ rule: undefined }, 'exchange.service_invalid'],
      [{ mode: 'manual' }, 'exchange.service_invalid'],
      [{ provider: 'nobody' }, 'exchange.service_invalid'],
      [{ source_licence_types: ['LT-NONE'] }, 'exchange.service_invalid'],
      [{ params_schema: { type: 'object', properties: {} } }, 'exchange.service_invalid'],
      [
        {
          params_schema: {
            type: 'object',
            properties: { a: { type: 'string', pattern: '^(a+)+$' } },
            additionalProperties: false,
          },
        },
        'exchange.service_invalid',
      ],
      [{ answer_schema: { type: 'string' } }, 'exchange.service_invalid'],
      [{ minimal_disclosure: { fields: ['cause'] } }, 'exchange.service_invalid'],
      [{ source_licence_types: ['LT-MARRIAGE'] }, 'exchange.rule_invalid'],
    ];
    for (const [changes, code] of cases) {
      const definition = { ...withRule(marital ?? Object()), ...changes };
      expect(
        await codeOf(house.exchange.publishService(operator, definition)),
        JSON.stringify(changes),
      ).toBe(code);
    }
    const other = department('civil');
    expect(await codeOf(house.exchange.publishService(other, withRule(marital ?? Object())))).toBe(
      'identity.scope_missing',
    );
  });

  test('can’t be stored without a legal basis by any road', async () => {
    const insert = house.ownerSql`
      insert into exchange.service_versions
      select code, version + 100, provider_id, '{}'::text[], definition, published_at, published_by
      from exchange.service_versions where code = 'VS-MARITAL'`;
    await expect(insert).rejects.toMatchObject({ code: '23514' });
  });

  test('published again is the next version, and old requests keep theirs', async () => {
    const before = await house.exchange.getService(null, 'VS-TEACHER');
    const teacher = sampleServices.find(({ id }) => id === 'VS-TEACHER');
    const again = await house.exchange.publishService(operator, {
      ...withRule(teacher ?? Object()),
      name_zh: '教师资格核验(新)',
    });
    const same = await house.exchange.publishService(operator, {
      ...withRule(teacher ?? Object()),
      name_zh: '教师资格核验(新)',
    });
    expect([before.version, again.version, same.version]).toEqual([1, 2, 2]);
    const now = await house.exchange.getService(null, 'VS-TEACHER');
    expect(now.nameZh).toBe('教师资格核验(新)');
  });
});
