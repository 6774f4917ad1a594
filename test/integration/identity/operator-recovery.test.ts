// When operators' grants run out: the warning before it, and the way back that leaves a trace.
import { describe, expect, it } from 'vitest';
import type { Actor } from '../../../identity/index.ts';
import { AppError, databaseFault } from '../../../platform/index.ts';
import { makePasskey } from '../../support/authenticator.ts';
import { withDatabase } from '../../support/database.ts';
import { makeIdentity, makeKeys, newPlace } from './house.ts';

const { database, ownerSql, setClockOffset } = withDatabase();
const RP = { rpId: 'localhost', origin: 'http://localhost:4100' };
const identity = makeIdentity(database, { keys: makeKeys(), publicUrl: RP.origin });
const SYSTEM: Actor = {
  kind: 'system',
  requestId: 'request-1',
  organisationId: null,
  roles: ['operator'],
  scopes: [],
};
const DAY_MS = 86_400_000;
const because = { reason: '任期届满' };

async function codeOf(act: Promise<unknown>): Promise<string> {
  try {
    await act;
    return 'not refused';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    const fault = databaseFault(error);
    if (!fault) throw error;
    return fault.constraint ?? fault.code;
  }
}

async function enrol(url = ''): Promise<Actor> {
  const [, code = ''] = url.split('#');
  const { challenge } = await identity.startEnrolment(code);
  const made = makePasskey(RP).create({ challenge });
  return (await identity.endEnrolment(code, made, { label: '办公室', place: newPlace(identity) }))
    .actor;
}

const day = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
const actors: Record<string, Actor> = {};
const as = (name: string): Actor => actors[name] ?? SYSTEM;

async function grant(key: string, validTo?: string) {
  const organisation = 'govsvc';
  await identity.addOfficer(as('wang'), { key, username: key, organisation, duty: 'operate' });
  const ask = { act: 'grant', officer: key, role: 'operator', ...because } as const;
  const until = validTo === undefined ? {} : { validTo };
  const { id } = await identity.requestRole(as('wang'), { ...ask, ...until });
  const { enrolment } = await identity.decideRole(as('li'), id, 'approve', because);
  actors[key] = await enrol(enrolment?.url);
}

async function revoke(key: string, by: [string, string]) {
  const ask = { act: 'revoke', officer: key, role: 'operator', ...because } as const;
  const { id } = await identity.requestRole(as(by[0]), ask);
  return identity.decideRole(as(by[1]), id, 'approve', because);
}

const restore = (first: string, second: string, organisation?: string) =>
  identity.restoreOperators(SYSTEM, {
    operators: [first, second],
    organisation,
    reason: '无人可授权',
  });

const entries = async (type: string) =>
  (
    await ownerSql<{ n: number }[]>`select count(*)::int as n from audit.stage
      where position(${`"${type}"`}::bytea in leaf) > 0`
  )[0]?.n;

describe('operators', () => {
  it('are told before too few of them are left', async () => {
    expect(await identity.operatorsInForce()).toEqual({
      now: 0,
      inThirtyDays: 0,
      lastDayOfTwo: null,
    });
    const founded = await identity.foundOperators(SYSTEM, {
      organisation: {
        id: 'govsvc',
        nameZh: '云珠市政务服务和数据管理局',
        nameEn: 'Yunzhu Government Services and Data Administration',
        uscc: '11990100009900152J',
      },
      operators: ['wang', 'li'],
    });
    for (const { username, enrolment } of founded) actors[username] = await enrol(enrolment?.url);
    expect(await identity.operatorsInForce()).toEqual({
      now: 2,
      inThirtyDays: 2,
      lastDayOfTwo: null,
    });
    await grant('zhao', day(10));
    await grant('qian', day(20));
    await revoke('wang', ['zhao', 'qian']);
    await revoke('li', ['zhao', 'qian']);
    expect(await identity.operatorsInForce()).toEqual({
      now: 2,
      inThirtyDays: 0,
      lastDayOfTwo: day(10),
    });
  });

  it('do not end the last two of them, by either way, nor both at once', async () => {
    await grantByOthers('sun');
    const asks = await Promise.all(
      (['zhao', 'qian'] as const).map(async (key) => {
        const by = key === 'zhao' ? 'qian' : 'zhao';
        const ask = { act: 'revoke', officer: key, role: 'operator', ...because } as const;
        return identity.requestRole(as(by), ask);
      }),
    );
    const codes = await Promise.all(
      asks.map(({ id }) => codeOf(identity.decideRole(as('sun'), id, 'approve', because))),
    );
    expect(codes.sort()).toEqual(['identity.last_operators', 'not refused']);
    const left = await identity.operatorsInForce();
    expect(left.now).toBe(2);
    expect(await codeOf(identity.endOfficer(as('sun'), 'sun', because))).toBe(
      'identity.last_operators',
    );
  });

  it('are not named anew while two can decide, by the code or behind its back', async () => {
    expect(await codeOf(restore('wang', 'li'))).toBe('identity.operators_exist');
    const ids = await ownerSql<{ id: string }[]>`select id from identity.officers
      where key in ('wang', 'li') order by key`;
    const [first, second] = ids.map(({ id }) => id);
    const write = (on: string) =>
      codeOf(
        database.db.execute(`insert into identity.operator_recoveries
          (id, first_id, second_id, reason, day, at)
          values (gen_random_uuid(), '${first}', '${second}', 'x', '${on}', now())`),
      );
    expect([await write(day(0)), await write(day(400))]).toEqual(['23001', '23001']);
    const grantAlone = database.db.execute(`insert into identity.role_grants
      (officer_id, role, granted_at) values ('${first}', 'operator', now())`);
    expect(await codeOf(grantAlone)).toBe('23001');
  });

  it('are named anew when grants have run out, and can decide again; the log says so', async () => {
    await setClockOffset(40 * DAY_MS);
    expect((await identity.operatorsInForce()).now).toBe(0);
    const officer: Actor = { ...SYSTEM, kind: 'officer' };
    expect(
      await codeOf(identity.restoreOperators(officer, { operators: ['wang', 'li'], reason: 'x' })),
    ).toBe('identity.other_caller_needed');
    expect(await codeOf(restore('wang', 'wang'))).toBe('identity.founding_invalid');
    expect(await codeOf(restore('wang', 'newcomer'))).toBe('identity.officer_not_found');
    expect(await codeOf(restore('wang', 'newcomer', 'nowhere'))).toBe('identity.officer_not_found');
    expect((await identity.operatorsInForce()).now).toBe(0);
    const restored = await restore('wang', 'newcomer', 'govsvc');
    expect(restored).toEqual([
      { username: 'wang', enrolment: null },
      {
        username: 'newcomer',
        enrolment: { url: expect.any(String), expiresAt: expect.any(String) },
      },
    ]);
    expect(await identity.operatorsInForce()).toEqual({
      now: 2,
      inThirtyDays: 2,
      lastDayOfTwo: null,
    });
    expect(await entries('role.restored')).toBe(2);
    expect(await codeOf(restore('wang', 'li'))).toBe('identity.operators_exist');
    actors.newcomer = await enrol(restored[1]?.enrolment?.url);
    const grants = await ownerSql`select recovery_id is not null as recovered
      from identity.role_grants g join identity.officers o on o.id = g.officer_id
      where g.role = 'operator' and o.key in ('wang', 'newcomer')`;
    expect(grants).toEqual([{ recovered: true }, { recovered: true }]);
  });

  it('of whom one lost her passkey get a link on the machine, while no two others can give it', async () => {
    const before = actors.newcomer?.sessionId ?? '';
    const link = await identity.resetOperator(SYSTEM, 'newcomer', { reason: '钥匙丢失' });
    expect(await entries('passkeys.reset')).toBe(1);
    const ended = await ownerSql`select from identity.sessions where id = ${before}`;
    expect(ended).toEqual([]);
    actors.newcomer = await enrol(link?.url);
    expect(await codeOf(identity.resetOperator(SYSTEM, 'li', { reason: 'x' }))).toBe(
      'identity.officer_not_found',
    );
    expect(await codeOf(identity.resetOperator(as('newcomer'), 'wang', { reason: 'x' }))).toBe(
      'identity.other_caller_needed',
    );
  });
});

/** As `grant`, asked for by those who are operators by then. */
async function grantByOthers(key: string) {
  const organisation = 'govsvc';
  await identity.addOfficer(as('zhao'), { key, username: key, organisation, duty: 'operate' });
  const ask = {
    act: 'grant',
    officer: key,
    role: 'operator',
    validTo: day(30),
    ...because,
  } as const;
  const { id } = await identity.requestRole(as('zhao'), ask);
  const { enrolment } = await identity.decideRole(as('qian'), id, 'approve', because);
  actors[key] = await enrol(enrolment?.url);
}
