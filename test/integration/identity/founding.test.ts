// The first two operators of a real city, and the link by which somebody without any way in gets one.
import { describe, expect, it } from 'vitest';
import type { FoundingInput } from '../../../identity/founding.ts';
import type { Actor } from '../../../identity/index.ts';
import { AppError, databaseFault } from '../../../platform/index.ts';
import { makePasskey } from '../../support/authenticator.ts';
import { withDatabase } from '../../support/database.ts';
import { makeIdentity, makeKeys, newPlace, PUBLIC_URL } from './house.ts';

const { database, ownerSql, setClockOffset } = withDatabase();
const RP = { rpId: 'localhost', origin: 'http://localhost:4100' };
const keys = makeKeys();
const identity = makeIdentity(database, { keys, publicUrl: RP.origin });
const SYSTEM: Actor = {
  kind: 'system',
  requestId: 'request-1',
  organisationId: null,
  roles: ['operator'],
  scopes: [],
};
const GOVSVC = {
  id: 'govsvc',
  nameZh: '云珠市政务服务和数据管理局',
  nameEn: 'Yunzhu Government Services and Data Administration',
  uscc: '11990100009900152J',
};
const INPUT: FoundingInput = { organisation: GOVSVC, operators: ['wang', 'li'] };
const because = { reason: '开通账户' };
const HOUR = 3_600_000;

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

const codeIn = (url = ''): string => url.split('#')[1] ?? '';

/** Does what the page behind the link does, with a passkey of one's own. */
async function enrol(code: string, passkey = makePasskey(RP)) {
  const { challenge } = await identity.startEnrolment(code);
  const place = newPlace(identity);
  return identity.endEnrolment(code, passkey.create({ challenge }), { label: '办公室', place });
}

const links = new Map<string, string>();
const actors = new Map<string, Actor>();
const as = (name: string): Actor => actors.get(name) ?? SYSTEM;

/** An account of no role, and the link that the approval of its first one gives. */
async function newcomer(key: string): Promise<string> {
  const [{ id: organisation } = GOVSVC] = await identity.listOrganisations();
  await identity.addOfficer(as('wang'), { key, username: key, organisation });
  const ask = { act: 'grant', officer: key, role: 'desk', ...because } as const;
  const { id } = await identity.requestRole(as('wang'), ask);
  const { enrolment } = await identity.decideRole(as('li'), id, 'approve', because);
  return codeIn(enrolment?.url);
}

describe('a city', () => {
  it('is founded by nobody but who runs the house', async () => {
    const operator: Actor = { ...SYSTEM, kind: 'officer', officerId: GOVSVC.id };
    for (const actor of [operator, { ...SYSTEM, kind: 'client' as const }]) {
      expect(await codeOf(identity.foundOperators(actor, INPUT))).toBe(
        'identity.other_caller_needed',
      );
      expect(await codeOf(identity.renewEnrolment(actor, 'wang'))).toBe(
        'identity.other_caller_needed',
      );
    }
  });

  it('is not founded where its operators could not sign in', async () => {
    const nameless = makeIdentity(database, { keys, publicUrl: PUBLIC_URL });
    expect(await codeOf(nameless.foundOperators(SYSTEM, INPUT))).toBe(
      'identity.passkeys_unavailable',
    );
  });

  it.each<[FoundingInput, string]>([
    [{ ...INPUT, operators: ['wang', 'wang'] }, 'identity.founding_invalid'],
    [{ ...INPUT, operators: ['wang', '王'] }, 'identity.founding_invalid'],
    [{ ...INPUT, operators: ['wang', '11010519491231002X'] }, 'identity.founding_invalid'],
    [{ ...INPUT, organisation: { ...GOVSVC, id: 'Gov Svc' } }, 'identity.founding_invalid'],
    [{ ...INPUT, organisation: { ...GOVSVC, nameZh: ' ' } }, 'identity.founding_invalid'],
    [{ ...INPUT, organisation: { ...GOVSVC, uscc: '1199010000990015' } }, 'identity.uscc_invalid'],
  ])('is not founded by halves (%#)', async (input, code) => {
    expect(await codeOf(identity.foundOperators(SYSTEM, input))).toBe(code);
    expect(await identity.listOrganisations()).toEqual([]);
    expect(await identity.listOfficers()).toEqual([]);
  });

  it('is founded once, by one of two who try at the same time', async () => {
    const rival: FoundingInput = {
      organisation: { ...GOVSVC, id: 'rival', uscc: '11990100009900072Y' },
      operators: ['chen', 'zhou'],
    };
    const tries = await Promise.allSettled([
      identity.foundOperators(SYSTEM, INPUT),
      identity.foundOperators(SYSTEM, rival),
    ]);
    const made = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(made).toHaveLength(1);
    expect(await identity.listOfficers()).toHaveLength(2);
    expect(await identity.listOrganisations()).toHaveLength(1);
    expect(await codeOf(identity.foundOperators(SYSTEM, rival))).toBe('identity.operators_exist');
    for (const { username, enrolment } of made[0] ?? []) links.set(username, enrolment?.url ?? '');
    expect([...links.values()]).toEqual([
      expect.stringMatching(/^http:\/\/localhost:4100\/enrol#[\w-]{43}$/),
      expect.stringMatching(/^http:\/\/localhost:4100\/enrol#[\w-]{43}$/),
    ]);
  });

  it('is in the log with both operators, and its links are stored as digests alone', async () => {
    const rows = await ownerSql<{ type: string }[]>`
      select convert_from(leaf, 'UTF8')::jsonb ->> 'type' as type from audit.stage order by 1`;
    expect(rows.map(({ type }) => type)).toEqual([
      'officer.added',
      'officer.added',
      'role.granted',
      'role.granted',
    ]);
    const dump = JSON.stringify([
      await ownerSql`select * from identity.enrolments`,
      await ownerSql`select * from audit.stage`,
    ]);
    for (const url of links.values()) expect(dump).not.toContain(codeIn(url));
  });
});

describe('a link', () => {
  it('makes its operator a passkey and a session, once', async () => {
    for (const [username, url] of links) {
      const passkey = makePasskey(RP);
      const { actor } = await enrol(codeIn(url), passkey);
      expect(actor).toMatchObject({ officerKey: username, roles: ['operator'], assurance: 'high' });
      actors.set(actors.size === 0 ? 'wang' : 'li', actor);
      expect(await codeOf(enrol(codeIn(url)))).toBe('identity.enrolment_ended');
      const place = newPlace(identity);
      const { challenge } = await identity.startPasskeySignIn(place);
      expect(await identity.signInWithPasskey(passkey.get({ challenge }), place)).toMatchObject({
        actor: { officerKey: username },
      });
    }
  });

  it('is for nobody who has a way in', async () => {
    for (const username of links.keys()) {
      expect(await codeOf(identity.renewEnrolment(SYSTEM, username))).toBe(
        'identity.enrolment_not_needed',
      );
    }
    expect(await codeOf(identity.renewEnrolment(SYSTEM, 'nobody'))).toBe(
      'identity.officer_not_found',
    );
  });

  it('comes with an approved role, to the operator who decides', async () => {
    const { actor } = await enrol(await newcomer('desk-1'));
    expect(actor).toMatchObject({ officerKey: 'desk-1', roles: ['desk'] });
    const ask = { act: 'grant', officer: 'desk-1', role: 'issuer', ...because } as const;
    const { id } = await identity.requestRole(as('wang'), ask);
    expect(await identity.decideRole(as('li'), id, 'approve', because)).toMatchObject({
      state: 'approved',
      enrolment: null,
    });
  });

  it('does not come with a refusal, nor with a role that is taken', async () => {
    await newcomer('desk-2');
    const ask = { officer: 'desk-2', ...because } as const;
    const steward = await identity.requestRole(as('wang'), {
      ...ask,
      act: 'grant',
      role: 'steward',
    });
    const desk = await identity.requestRole(as('wang'), { ...ask, act: 'revoke', role: 'desk' });
    expect([
      (await identity.decideRole(as('li'), steward.id, 'refuse', because)).enrolment,
      (await identity.decideRole(as('li'), desk.id, 'approve', because)).enrolment,
    ]).toEqual([null, null]);
  });

  it('is refused after an hour, when another replaced it, and when its officer has left', async () => {
    const late = await newcomer('desk-3');
    await setClockOffset(HOUR + 1000);
    expect(await codeOf(identity.startEnrolment(late))).toBe('identity.enrolment_ended');
    await setClockOffset(0);
    const ask = { act: 'grant', officer: 'desk-3', role: 'steward', ...because } as const;
    const { id } = await identity.requestRole(as('wang'), ask);
    const { enrolment } = await identity.decideRole(as('li'), id, 'approve', because);
    expect(await codeOf(identity.startEnrolment(late))).toBe('identity.enrolment_ended');
    expect(await codeOf(identity.startEnrolment(''))).toBe('identity.enrolment_ended');
    const code = codeIn(enrolment?.url);
    const { challenge } = await identity.startEnrolment(code);
    await identity.endOfficer(as('wang'), 'desk-3', because);
    const passkey = makePasskey(RP).create({ challenge });
    const how = { label: 'x', place: newPlace(identity) };
    expect(await codeOf(identity.endEnrolment(code, passkey, how))).toBe(
      'identity.enrolment_ended',
    );
  });

  it('is used by one of two who have it', async () => {
    const code = await newcomer('desk-4');
    const both = [await identity.startEnrolment(code), await identity.startEnrolment(code)];
    const ends = await Promise.all(
      both.map(({ challenge }) =>
        codeOf(
          identity.endEnrolment(code, makePasskey(RP).create({ challenge }), {
            label: 'x',
            place: newPlace(identity),
          }),
        ),
      ),
    );
    expect(ends.sort()).toEqual(['identity.enrolment_ended', 'not refused']);
    const [row] = await ownerSql<{ n: number }[]>`
      select count(*)::int as n from identity.passkeys p join identity.officers o
        on o.id = p.officer_id where o.key = 'desk-4'`;
    expect(row?.n).toBe(1);
  });

  it('takes no answer made for another link', async () => {
    const [mine, hers] = [await newcomer('desk-5'), await newcomer('desk-6')];
    const { challenge } = await identity.startEnrolment(mine);
    const passkey = makePasskey(RP).create({ challenge });
    const how = { label: 'x', place: newPlace(identity) };
    expect(await codeOf(identity.endEnrolment(hers, passkey, how))).toBe(
      'identity.passkey_invalid',
    );
  });
});

describe('where a provider signs officers in', () => {
  it('no link is made: the provider knows them by their user names', async () => {
    const elsewhere = makeIdentity(database, {
      keys,
      publicUrl: PUBLIC_URL,
      identityProviders: [
        {
          id: 'city',
          issuer: 'https://id.city.example',
          clientId: 'yihao',
          credential: { kind: 'secret', secret: 'a secret of the test' },
          label: { zh: '统一身份认证', en: 'City sign-in' },
          signsIn: 'officers',
          claim: 'preferred_username',
          scope: 'openid',
          acr: {},
        },
      ],
    });
    const key = 'desk-7';
    const [{ id: organisation } = GOVSVC] = await identity.listOrganisations();
    await elsewhere.addOfficer(as('wang'), { key, username: key, organisation });
    const ask = { act: 'grant', officer: key, role: 'desk', ...because } as const;
    const { id } = await elsewhere.requestRole(as('wang'), ask);
    expect(await elsewhere.decideRole(as('li'), id, 'approve', because)).toMatchObject({
      state: 'approved',
      enrolment: null,
    });
  });
});
