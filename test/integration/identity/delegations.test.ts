// Delegations from the proposal to their end, and the sessions that act by them.
import { describe, expect, it } from 'vitest';
import { type Actor, anonymousActor, DELEGABLE_ITEMS } from '../../../identity/index.ts';
import { addDays, cityDay } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { citizenId, HOUSING, makeIdentity, makeKeys, newPlace } from './house.ts';

const { database, ownerSql, setClockOffset } = withDatabase();
const keys = makeKeys();
const identity = makeIdentity(database, { keys });
const DAY = 86_400_000;
const today = cityDay(new Date(), 'Asia/Shanghai');
const inDays = (days: number) => addDays(today, days);
let people = 0;

/** Someone who can sign in, with the actor she is then. */
async function aPerson(name = '王五') {
  people += 1;
  const identifier = { scheme: 'cn-id' as const, value: citizenId('19700101', people) };
  const id = await identity.ensurePerson(database.db, identifier, name);
  await database.transaction((tx) => identity.putPersonSecret(tx, id, '480213', 'first-use'));
  const { cookie, actor } = await identity.signIn(
    { ...identifier, pin: '480213' },
    newPlace(identity),
  );
  return { identifier, id, cookie, actor, now: () => session(cookie) };
}

async function session(cookie: string, of = identity): Promise<Actor> {
  const actor = await of.findSession(cookie, 'r');
  if (!actor) throw new TypeError('The session runs.');
  return actor;
}

const proposal = (agent: { identifier: { value: string } }, changes: object = {}) => ({
  agent: { scheme: 'cn-id' as const, value: agent.identifier.value },
  items: ['licences.view' as const],
  validTo: inDays(30),
  ...changes,
});

/** Two people, one of whom may act for the other. */
async function aPair(changes: object = {}) {
  const [principal, agent] = [await aPerson('张母'), await aPerson('张女')];
  const { id } = await identity.giveDelegation(principal.actor, proposal(agent, changes));
  await identity.decideDelegation(agent.actor, id, 'accept');
  return { principal, agent, id };
}

const refusal = (act: Promise<unknown>) =>
  act.then(
    () => 'no refusal',
    ({ code, fields = [] }: { code: string; fields?: { pointer: string }[] }) =>
      [code, ...fields.map(({ pointer }) => pointer)].join(' '),
  );

/** What was logged about a person, oldest first: type, role and outcome. */
async function logOf(personId: string): Promise<string[]> {
  const rows = await ownerSql<{ draft: { type: string; role: string; outcome: string } }[]>`
    select jsonb_build_object('type', s.leaf->>'type', 'role', s.leaf->>'role') as draft
    from (select convert_from(leaf, 'utf8')::jsonb as leaf from audit.stage
      where subject_tag = (select audit_tag from identity.people where id = ${personId})
      order by seq) s`;
  return rows.map(({ draft }) => `${draft.type} ${draft.role}`);
}

describe('a delegation', () => {
  it('is proposed, shown to both sides, and names the agent only once she has accepted', async () => {
    const [principal, agent] = [await aPerson('张母'), await aPerson('张女')];
    const items = ['consents.answer', 'licences.view'] as const;
    const given = await identity.giveDelegation(
      principal.actor,
      proposal(agent, { items: [...items, 'licences.view'], validFrom: inDays(1) }),
    );
    const masked = (value: string) => `${value.slice(0, 6)}********${value.slice(14)}`;
    const shown = {
      id: given.id,
      side: 'principal',
      principal: { scheme: 'cn-id', masked: masked(principal.identifier.value), name: '张母' },
      agent: { scheme: 'cn-id', masked: masked(agent.identifier.value), name: null },
      items: [...items],
      validFrom: inDays(1),
      validTo: inDays(30),
      state: 'proposed',
      proposedAt: expect.stringMatching(/Z$/),
      acceptedAt: null,
      endedAt: null,
    };
    expect(given).toEqual(shown);
    expect(await identity.listDelegations(principal.actor)).toEqual([shown]);
    const agentKnows = { ...shown, side: 'agent', agent: { ...shown.agent, name: '张女' } };
    expect(await identity.listDelegations(agent.actor)).toEqual([agentKnows]);
    await identity.decideDelegation(agent.actor, given.id, 'accept');
    expect(await identity.listDelegations(principal.actor)).toEqual([
      { ...shown, agent: agentKnows.agent, state: 'accepted', acceptedAt: expect.any(String) },
    ]);
  });

  it('is refused where it can’t be', async () => {
    const [principal, agent] = [await aPerson(), await aPerson()];
    const cases: [object, string][] = [
      [{ validFrom: inDays(-1) }, 'identity.delegation_invalid /validFrom'],
      [{ validFrom: inDays(366), validTo: inDays(370) }, 'identity.delegation_invalid /validFrom'],
      [{ validFrom: inDays(3), validTo: inDays(2) }, 'identity.delegation_invalid /validTo'],
      [{ validTo: inDays(366) }, 'identity.delegation_invalid /validTo'],
      [{ validTo: inDays(-1) }, 'identity.delegation_invalid /validTo'],
      [{ agent: principal.identifier }, 'identity.delegation_invalid /agent/value'],
      [
        { agent: { scheme: 'cn-id', value: '990101199001010010' } },
        'identity.citizen_id_invalid /agent/value',
      ],
    ];
    for (const [changes, code] of cases) {
      const act = identity.giveDelegation(principal.actor, proposal(agent, changes));
      expect(await refusal(act), JSON.stringify(changes)).toBe(code);
    }
    expect(await identity.listDelegations(principal.actor)).toEqual([]);
  });

  it('is one at a time between two people, also when asked for at the same moment', async () => {
    const [principal, agent] = [await aPerson(), await aPerson()];
    const given = await Promise.allSettled(
      Array.from({ length: 6 }, () => identity.giveDelegation(principal.actor, proposal(agent))),
    );
    expect(given.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const again = () => identity.giveDelegation(principal.actor, proposal(agent));
    expect(await refusal(again())).toBe('identity.delegation_open');
    const [{ id = '' } = {}] = await identity.listDelegations(principal.actor);
    await identity.decideDelegation(principal.actor, id, 'revoke');
    expect((await again()).state).toBe('proposed');
  });

  it('is one of fifty open ones at most', async () => {
    const principal = await aPerson();
    await ownerSql`insert into identity.people (id, scheme, index_version, blind_index, audit_tag,
        value_sealed, created_at)
      select gen_random_uuid(), 'cn-id', 1, sha256(('b' || n)::bytea), sha256(('t' || n)::bytea),
        '\\x00', now() from generate_series(1, 50) n`;
    await ownerSql`insert into identity.delegations (id, principal_id, agent_id, items, valid_from,
        valid_to, proposed_at)
      select gen_random_uuid(), ${principal.id}, id, array['licences.view'], ${today}, ${today}, now()
      from identity.people where value_sealed = '\\x00'`;
    const act = () =>
      identity.giveDelegation(
        principal.actor,
        proposal({ identifier: { value: citizenId('19600101', 1) } }),
      );
    expect(await refusal(act())).toBe('identity.delegations_too_many');
    // Those past their last day stand in nobody's way.
    await setClockOffset(DAY);
    try {
      const later = act();
      expect(await refusal(later)).toBe('no refusal');
    } finally {
      await setClockOffset(0);
    }
  });

  it('is decided by the right side, once', async () => {
    const { principal, agent, id } = await aPair();
    const stranger = await aPerson();
    const cases: [Actor, 'accept' | 'refuse' | 'revoke', string][] = [
      [agent.actor, 'accept', 'identity.delegation_decided'],
      [agent.actor, 'refuse', 'identity.delegation_decided'],
      [principal.actor, 'accept', 'identity.not_the_agent'],
      [principal.actor, 'refuse', 'identity.not_the_agent'],
      [stranger.actor, 'accept', 'identity.delegation_not_found'],
      [stranger.actor, 'revoke', 'identity.delegation_not_found'],
    ];
    for (const [actor, decision, code] of cases) {
      expect(await refusal(identity.decideDelegation(actor, id, decision)), decision).toBe(code);
    }
    for (const wrong of ['', 'x', '019a0000-0000-7000-8000-000000000001']) {
      const act = identity.decideDelegation(agent.actor, wrong, 'accept');
      expect(await refusal(act)).toBe('identity.delegation_not_found');
    }
    expect((await identity.decideDelegation(principal.actor, id, 'revoke')).state).toBe('revoked');
    expect(await refusal(identity.decideDelegation(agent.actor, id, 'revoke'))).toBe(
      'identity.delegation_decided',
    );
  });

  it('can’t be accepted after its last day', async () => {
    const [principal, agent] = [await aPerson(), await aPerson()];
    const { id } = await identity.giveDelegation(
      principal.actor,
      proposal(agent, { validTo: today }),
    );
    await setClockOffset(DAY);
    try {
      const accept = identity.decideDelegation(agent.actor, id, 'accept');
      expect(await refusal(accept)).toBe('identity.delegation_decided');
      expect((await identity.listDelegations(agent.actor))[0]?.state).toBe('expired');
    } finally {
      await setClockOffset(0);
    }
  });

  it('is for people: an officer and a stranger have none', async () => {
    await database.transaction((tx) => identity.putOrganisation(tx, HOUSING));
    const officer: Actor = { ...anonymousActor('r'), kind: 'officer', organisationId: 'housing' };
    for (const actor of [officer, anonymousActor('r')]) {
      expect(await refusal(identity.listDelegations(actor))).toBe('identity.person_needed');
      expect(await refusal(identity.actFor(actor, 'x'))).toBe('identity.person_needed');
      expect(await identity.subjectOf(actor, 'licence.list')).toBeNull();
    }
  });

  it('can’t be bent in the database: to oneself, backwards, too long, by other items or twice', async () => {
    const { id } = await aPair();
    const insert = (changes: string) =>
      ownerSql.unsafe(
        `insert into identity.delegations select (jsonb_populate_record(d, '${changes}')).*
        from identity.delegations d where d.id = '${id}'`,
      );
    const other = `"id":"019a0000-0000-7000-8000-00000000000a"`;
    const ended = `"state":"revoked","ended_at":"2026-01-01"`;
    await expect(insert(`{${other}}`)).rejects.toThrow(/delegations_open/);
    for (const [change, constraint] of [
      [`"valid_to":"2020-01-01"`, /check/],
      [`"valid_to":"${inDays(367)}"`, /check/],
      [`"items":["sessions"]`, /check/],
      [`"items":[]`, /check/],
      [`"ended_at":null`, /check/],
    ] as const) {
      await expect(insert(`{${other},${ended},${change}}`), change).rejects.toThrow(constraint);
    }
    const [row] = await ownerSql`select agent_id from identity.delegations where id = ${id}`;
    await expect(insert(`{${other},${ended},"principal_id":"${row?.agent_id}"}`)).rejects.toThrow(
      /check/,
    );
    await expect(
      database.transaction((tx) =>
        tx.execute(`update identity.delegations set items = array['licences.copy']`),
      ),
    ).rejects.toMatchObject({ cause: { message: expect.stringMatching(/permission denied/) } });
  });
});

describe('a session', () => {
  it('acts for the principal until it is told to stop', async () => {
    const { principal, agent, id } = await aPair();
    expect(agent.actor.actingFor).toBeUndefined();
    expect(await identity.subjectOf(agent.actor, 'licence.list')).toBe(agent.id);
    await identity.actFor(agent.actor, id);
    const acting = await agent.now();
    expect(acting.actingFor).toEqual({
      personId: principal.id,
      delegationId: id,
      items: ['licences.view'],
      hasEnded: false,
    });
    expect(acting.personId).toBe(agent.id);
    expect(await identity.subjectOf(acting, 'licence.list')).toBe(principal.id);
    expect(await identity.describeActor(acting)).toMatchObject({
      name: '张女',
      actingFor: { name: '张母', delegation: id, items: ['licences.view'], hasEnded: false },
    });
    await identity.stopActing(acting);
    expect((await agent.now()).actingFor).toBeUndefined();
  });

  it('stops at its next request when the delegation ends, in another process too', async () => {
    const otherProcess = makeIdentity(database, { keys });
    for (const ends of ['principal', 'agent', 'time'] as const) {
      const { principal, agent, id } = await aPair({ validTo: today });
      await identity.actFor(agent.actor, id);
      const other = (
        await identity.signIn({ ...agent.identifier, pin: '480213' }, newPlace(identity))
      ).cookie;
      try {
        if (ends === 'time') await setClockOffset(DAY);
        if (ends === 'principal')
          await otherProcess.decideDelegation(principal.actor, id, 'revoke');
        if (ends === 'agent') await identity.decideDelegation(await session(other), id, 'revoke');
        for (const of of [identity, otherProcess]) {
          // The session itself would have run out by the clock.
          if (ends === 'time')
            await ownerSql`update identity.sessions
            set idle_expires_at = now() + interval '2 days', expires_at = now() + interval '2 days'`;
          const actor = await session(agent.cookie, of);
          expect(actor.actingFor?.hasEnded, ends).toBe(true);
          // Not as herself either, until she has said so: what she sends now was meant for another.
          expect(await refusal(of.subjectOf(actor, 'licence.list'))).toBe(
            'identity.delegation_ended',
          );
        }
        await identity.stopActing(await session(agent.cookie));
        expect(await identity.subjectOf(await session(agent.cookie), 'licence.list')).toBe(
          agent.id,
        );
      } finally {
        await setClockOffset(0);
      }
    }
  });

  it('begins only by a delegation in force that was given to its person', async () => {
    const { principal, agent, id } = await aPair();
    const [later, proposed] = [await aPair({ validFrom: inDays(1) }), await aPerson()];
    const waiting = await identity.giveDelegation(principal.actor, proposal(proposed));
    const cases: [Actor, string, string][] = [
      [later.agent.actor, later.id, 'identity.delegation_not_in_force'],
      [proposed.actor, waiting.id, 'identity.delegation_not_in_force'],
      [principal.actor, id, 'identity.delegation_not_found'],
      [proposed.actor, id, 'identity.delegation_not_found'],
      [agent.actor, 'x', 'identity.delegation_not_found'],
    ];
    for (const [actor, delegation, code] of cases) {
      expect(await refusal(identity.actFor(actor, delegation))).toBe(code);
    }
  });

  it('keeps delegations, sessions, secrets and erasure from an agent who has every item', async () => {
    const { agent, id } = await aPair({ items: [...DELEGABLE_ITEMS] });
    await identity.actFor(agent.actor, id);
    const acting = await agent.now();
    const give = identity.giveDelegation(acting, proposal(await aPerson()));
    expect(await refusal(give)).toBe('identity.not_delegable');
    expect(await refusal(identity.decideDelegation(acting, id, 'revoke'))).toBe(
      'identity.not_delegable',
    );
    for (const act of ['session.end', 'secret.change', 'data.export', 'data.erase'] as const) {
      expect(await refusal(identity.subjectOf(acting, act))).toBe('identity.not_delegable');
    }
  });

  it('takes no form from before it began or stopped acting', async () => {
    const { agent, id } = await aPair();
    const own = identity.formToken(agent.actor);
    await identity.actFor(agent.actor, id);
    const acting = await agent.now();
    const forPrincipal = identity.formToken(acting);
    expect(() => identity.checkFormToken(acting, own)).toThrow(/too old/);
    identity.checkFormToken(acting, forPrincipal);
    await identity.stopActing(acting);
    const after = await agent.now();
    expect(() => identity.checkFormToken(after, forPrincipal)).toThrow(/too old/);
    identity.checkFormToken(after, own);
  });

  it('leaves its traces with the principal: given, accepted, used, and each refused attempt', async () => {
    const { principal, agent, id } = await aPair();
    await identity.actFor(agent.actor, id);
    await refusal(identity.subjectOf(await agent.now(), 'consent.decide'));
    await identity.decideDelegation(principal.actor, id, 'revoke');
    expect(await logOf(principal.id)).toEqual([
      'delegation.given holder',
      'delegation.accepted agent',
      'delegation.used agent',
      'consent.decide agent',
      'delegation.revoked holder',
    ]);
    expect(await logOf(agent.id)).toEqual([]);
  });
});
