// Roles under four eyes: what operators may change, what the database refuses whoever asks, and how
// far a role reaches.
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Actor, ROLES, type Role } from '../../../identity/index.ts';
import { dutyOf } from '../../../identity/roles.ts';
import { AppError, databaseFault } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { HOUSING, makeIdentity, newPlace } from './house.ts';

const { database, setClockOffset } = withDatabase();
const identity = makeIdentity(database);
const { db } = database;

const PASSWORD = 'a-password-of-the-test';
const GOVSVC = { ...HOUSING, id: 'govsvc', uscc: '11990100009900152J' };
const CIVIL = { ...HOUSING, id: 'civil', uscc: '11990100009900013U' };
const DISTRICT = {
  ...HOUSING,
  id: 'housing-yuehua',
  uscc: '11990100009900021N',
  level: 'district' as const,
  parentId: 'housing',
};
const STREET = {
  ...HOUSING,
  id: 'housing-yuehua-1',
  uscc: '1199010000990003XE',
  level: 'street' as const,
  parentId: 'housing-yuehua',
};

const because = { reason: '岗位调整' };
let serial = 0;
const sessions = new Map<string, Actor>();

async function signedIn(key: string): Promise<{ actor: Actor; cookie: string }> {
  return identity.signIn({ username: key, password: PASSWORD }, newPlace(identity));
}

const as = (key: string): Actor => {
  const actor = sessions.get(key);
  if (!actor) throw new TypeError(`${key} has not signed in.`);
  return actor;
};

/** An officer of housing who can sign in; a new one each time. */
async function newcomer(roles: Role[] = [], organisationId = 'housing'): Promise<string> {
  serial += 1;
  const key = `officer-${serial}`;
  const officer = { key, username: key, password: PASSWORD, organisationId, roles };
  await database.transaction((tx) =>
    identity.putOfficer(tx, { ...officer, stretching: 'first-use' }),
  );
  return key;
}

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

async function rolesOf(cookie: string): Promise<readonly Role[] | 'signed out'> {
  return (await identity.findSession(cookie, 'test'))?.roles ?? 'signed out';
}

beforeAll(async () => {
  for (const one of [GOVSVC, HOUSING, CIVIL, DISTRICT, STREET])
    await identity.putOrganisation(db, one);
  for (const key of ['op-1', 'op-2', 'op-3']) {
    const officer = { key, username: key, password: PASSWORD, organisationId: 'govsvc' };
    await database.transaction((tx) =>
      identity.putOfficer(tx, { ...officer, roles: ['operator'], stretching: 'first-use' }),
    );
    sessions.set(key, (await signedIn(key)).actor);
  }
});

describe('a role', () => {
  it('is granted by two operators, and taken by two, effective in running sessions', async () => {
    const key = await newcomer();
    const { cookie } = await signedIn(key);
    const ask = { act: 'grant', officer: key, role: 'desk', ...because } as const;
    const { id, state } = await identity.requestRole(as('op-1'), ask);
    expect([state, await rolesOf(cookie)]).toEqual(['open', []]);
    const decided = await identity.decideRole(as('op-2'), id, 'approve', because);
    expect(decided).toMatchObject({ state: 'approved', requestedBy: 'op-1', decidedBy: 'op-2' });
    expect(await rolesOf(cookie)).toEqual(['desk']);
    const back = await identity.requestRole(as('op-2'), { ...ask, act: 'revoke' });
    expect(await rolesOf(cookie)).toEqual(['desk']);
    await identity.decideRole(as('op-1'), back.id, 'approve', because);
    expect(await rolesOf(cookie)).toEqual([]);
  });

  it('is held only on its days', async () => {
    const key = await newcomer();
    const { cookie } = await signedIn(key);
    const day = (offset: number) =>
      new Date(Date.now() + offset * 86_400_000).toLocaleDateString('sv-SE', {
        timeZone: 'Asia/Shanghai',
      });
    const { id } = await identity.requestRole(as('op-1'), {
      act: 'grant',
      officer: key,
      role: 'provider',
      validFrom: day(1),
      validTo: day(2),
      ...because,
    });
    await identity.decideRole(as('op-2'), id, 'approve', because);
    const seen = [await rolesOf(cookie)];
    for (const days of [1, 2, 3]) {
      await setClockOffset(days * 86_400_000);
      seen.push(await rolesOf((await signedIn(key)).cookie));
    }
    await setClockOffset(0);
    expect(seen).toEqual([[], ['provider'], ['provider'], []]);
  });

  it('changes by no single operator, nor by anybody for herself, nor by anyone else', async () => {
    const key = await newcomer(['desk']);
    const desk = (await signedIn(key)).actor;
    const ask = { act: 'grant', officer: key, role: 'issuer', ...because } as const;
    const { id } = await identity.requestRole(as('op-1'), ask);
    const { decideRole, requestRole } = identity;
    const cases: [() => Promise<unknown>, string][] = [
      [() => decideRole(as('op-1'), id, 'approve', because), 'identity.own_role_request'],
      [() => decideRole(desk, id, 'approve', because), 'identity.role_missing'],
      [() => requestRole(desk, ask), 'identity.role_missing'],
      [() => requestRole(as('op-2'), ask), 'identity.role_request_open'],
      [() => requestRole(as('op-2'), { ...ask, officer: 'op-2' }), 'identity.own_role'],
      [() => requestRole(as('op-2'), { ...ask, officer: 'nobody' }), 'identity.officer_not_found'],
      [() => requestRole(as('op-2'), { ...ask, role: 'desk' }), 'identity.role_not_changed'],
      [
        () => requestRole(as('op-2'), { ...ask, act: 'revoke', role: 'steward' }),
        'identity.role_not_changed',
      ],
      [() => requestRole(as('op-2'), { ...ask, reason: '' }), 'identity.role_request_invalid'],
      [
        () => requestRole(as('op-2'), { ...ask, reason: '990101199001010019' }),
        'identity.role_request_invalid',
      ],
      [
        () => requestRole(as('op-2'), { ...ask, validFrom: '2026-02-01', validTo: '2026-01-01' }),
        'identity.role_request_invalid',
      ],
      [
        () => decideRole(as('op-2'), 'no-id', 'approve', because),
        'identity.role_request_not_found',
      ],
    ];
    for (const [act, code] of cases) expect(await codeOf(act())).toBe(code);
    expect(await codeOf(decideRole(as('op-2'), id, 'refuse', because))).toBe('not refused');
    expect(await codeOf(decideRole(as('op-3'), id, 'approve', because))).toBe(
      'identity.role_request_decided',
    );
  });

  it('is decided once when two operators decide at the same time', async () => {
    const officer = await newcomer();
    const ask = { act: 'grant', officer, role: 'desk', ...because } as const;
    const { id } = await identity.requestRole(as('op-1'), ask);
    const codes = await Promise.all(
      ['op-2', 'op-3'].map((key) => codeOf(identity.decideRole(as(key), id, 'approve', because))),
    );
    expect(codes.sort()).toEqual(['identity.role_request_decided', 'not refused']);
  });

  it('of an auditor or an operator stands alone', async () => {
    for (const [duty, role] of [
      ['work', 'auditor'],
      ['work', 'operator'],
      ['audit', 'desk'],
      ['audit', 'operator'],
      ['operate', 'approver'],
      ['operate', 'auditor'],
    ] as const) {
      const key = `${duty}-${role}`;
      await identity.addOfficer(as('op-1'), { key, username: key, organisation: 'civil', duty });
      const ask = { act: 'grant', officer: key, role, ...because } as const;
      expect([key, await codeOf(identity.requestRole(as('op-1'), ask))]).toEqual([
        key,
        'identity.roles_incompatible',
      ]);
    }
  });

  it('of operator is never taken from the last two', async () => {
    const ask = { act: 'revoke', officer: 'op-3', role: 'operator', ...because } as const;
    const { id } = await identity.requestRole(as('op-1'), ask);
    await identity.decideRole(as('op-2'), id, 'approve', because);
    const next = await identity.requestRole(as('op-1'), { ...ask, act: 'grant' });
    const end = () => codeOf(identity.endOfficer(as('op-1'), 'op-2', because));
    expect(await end()).toBe('identity.last_operators');
    await identity.decideRole(as('op-2'), next.id, 'approve', because);
    expect(await identity.getOfficer(as('op-1'), 'op-3')).toMatchObject({
      roles: [{ role: 'operator' }],
    });
  });
});

describe('an officer who leaves', () => {
  it('is out of all sessions at once, loses her roles and can not come back', async () => {
    const key = await newcomer(['desk', 'issuer']);
    const [one, two] = [await signedIn(key), await signedIn(key)];
    await identity.endOfficer(as('op-1'), key, because);
    expect([await rolesOf(one.cookie), await rolesOf(two.cookie)]).toEqual([
      'signed out',
      'signed out',
    ]);
    expect(await codeOf(signedIn(key))).toBe('identity.sign_in_failed');
    expect(await identity.getOfficer(as('op-1'), key)).toMatchObject({ hasLeft: true, roles: [] });
    const ask = { act: 'grant', officer: key, role: 'desk', ...because } as const;
    expect(await codeOf(identity.requestRole(as('op-1'), ask))).toBe('identity.officer_not_found');
    expect(await codeOf(identity.endOfficer(as('op-1'), key, because))).toBe(
      'identity.officer_not_found',
    );
  });

  it('gets no session by any road', async () => {
    const key = await newcomer();
    await identity.endOfficer(as('op-1'), key, because);
    const insert = db.execute(sql`
      insert into identity.sessions
        (id, token_digest, officer_id, created_at, seen_at, idle_expires_at, expires_at)
      select gen_random_uuid(), sha256('x'), id, now(), now(), now(), now()
        from identity.officers where key = ${key}`);
    expect(await codeOf(insert)).toBe('23001');
  });
});

describe('the database, asked by the app role around the code', () => {
  const request = (values: {
    asker: string;
    decider?: string;
    officer?: string;
    role?: Role;
  }) => sql`
    insert into identity.role_requests (id, act, officer_id, role, reach, valid_from, reason,
      requested_by, requested_at, state, decided_by, decided_at)
    select gen_random_uuid(), 'grant', o.id, ${values.role ?? 'steward'}, 'own', '2026-01-01', 'x',
      a.id, now(), case when d.id is null then 'open' else 'approved' end, d.id,
      case when d.id is not null then now() end
    from identity.officers o join identity.officers a on a.key = ${values.asker}
      left join identity.officers d on d.key = ${values.decider ?? ''}
    where o.key = ${values.officer ?? 'officer-1'} returning id`;

  it('refuses one operator as both, whoever is none, and herself', async () => {
    const desk = await newcomer(['desk']);
    const cases: [Parameters<typeof request>[0], string][] = [
      [{ asker: 'op-1', decider: 'op-1' }, 'role_requests_four_eyes'],
      [{ asker: desk, decider: 'op-1' }, 'role_requests_by_operator'],
      [{ asker: 'op-1', decider: desk }, 'role_requests_decided_by_operator'],
      [{ asker: 'op-1', decider: 'op-2', officer: 'op-1' }, 'role_requests_not_for_oneself'],
      [{ asker: 'op-1', decider: 'op-2', officer: 'op-2' }, 'role_requests_not_for_oneself'],
    ];
    for (const [values, constraint] of cases) {
      expect(await codeOf(db.execute(request(values)))).toBe(constraint);
    }
  });

  it('refuses every pair of roles whose duties differ', async () => {
    for (const first of ROLES) {
      for (const second of ROLES) {
        const key = await newcomer([first]);
        const insert = db.execute(sql`
          insert into identity.role_grants (officer_id, role, granted_at)
          select id, ${second}, now() from identity.officers where key = ${key}`);
        const isApart = dutyOf(first) !== dutyOf(second);
        const expected = isApart
          ? 'role_grants_one_duty'
          : first === second
            ? 'role_grants_pkey'
            : 'not refused';
        expect([first, second, await codeOf(insert)]).toEqual([first, second, expected]);
      }
    }
  });

  it('lets no account change what it is for, nor a decision be changed', async () => {
    const change = db.execute(sql`update identity.officers set duty = 'work' where key = 'op-1'`);
    expect(await codeOf(change)).toBe('42501');
    await db.execute(request({ asker: 'op-1', decider: 'op-2' }));
    const undo = db.execute(sql`update identity.role_requests set state = 'refused'
      where state = 'approved'`);
    expect(await codeOf(undo)).toBe('23001');
  });

  it('grants nothing without an approved request once the city is set up', async () => {
    const key = await newcomer(['steward']);
    const plain = sql`insert into identity.role_grants (officer_id, role, granted_at)
      select id, 'desk', now() from identity.officers where key = ${key}`;
    await identity.closeSetUp(db);
    expect(await codeOf(db.execute(plain))).toBe('23001');
    const open = await identity.requestRole(as('op-1'), {
      act: 'grant',
      officer: key,
      role: 'desk',
      ...because,
    });
    const early = sql`insert into identity.role_grants
        (officer_id, role, reach, valid_from, request_id, granted_at)
      select officer_id, role, reach, valid_from, id, now() from identity.role_requests
      where id = ${open.id}`;
    expect(await codeOf(db.execute(early))).toBe('23001');
    await identity.decideRole(as('op-2'), open.id, 'approve', because);
    expect(await identity.getOfficer(as('op-1'), key)).toMatchObject({
      roles: [{ role: 'desk' }, { role: 'steward' }],
    });
    // A loader that runs again finds everything there.
    const again = { key, username: key, organisationId: 'housing', roles: ['steward', 'desk'] };
    await identity.putOfficer(db, { ...again, roles: ['steward', 'desk'] });
  });
});
