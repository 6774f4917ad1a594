// What an agent may do: over all items, acts and states of a delegation, pure and on PostgreSQL.
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Actor,
  DELEGABLE_ITEMS,
  DELEGATION_STATES,
  type DelegableItem,
  PERSONAL_ACTS,
  type PersonalAct,
  refusalOf,
} from '../../../identity/index.ts';
import { addDays, cityDay, systemIds } from '../../../platform/index.ts';
import { citizenId, makeIdentity, newPlace } from '../../integration/identity/house.ts';
import { withDatabase } from '../../support/database.ts';

/** The whole table again, by item: written down twice on purpose. */
const actsOf: Record<DelegableItem, PersonalAct[]> = {
  'licences.view': ['licence.list', 'licence.read', 'licence.history'],
  'licences.copy': ['licence.credential', 'licence.document', 'licence.copy'],
  'access_log.view': ['access_log.read', 'access_log.prove', 'ticket.read'],
  'consents.answer': ['consent.list', 'consent.decide'],
};
const neverDelegated: PersonalAct[] = [
  'ticket.open',
  'delegation.give',
  'delegation.decide',
  'session.end',
  'secret.change',
  'data.export',
  'data.erase',
];

const items = fc.subarray([...DELEGABLE_ITEMS], { minLength: 1 });
const act = fc.constantFrom(...PERSONAL_ACTS);

describe('an agent', () => {
  it('may do what belongs to an item she was given, and nothing else', () => {
    expect([...Object.values(actsOf).flat(), ...neverDelegated].sort()).toEqual(
      [...PERSONAL_ACTS].sort(),
    );
    fc.assert(
      fc.property(items, act, fc.boolean(), (given, wanted, hasEnded) => {
        const expected = hasEnded
          ? 'delegation_ended'
          : neverDelegated.includes(wanted)
            ? 'not_delegable'
            : given.some((item) => actsOf[item].includes(wanted))
              ? null
              : 'not_delegated';
        expect(refusalOf({ items: given, hasEnded }, wanted)).toBe(expected);
      }),
    );
  });
});

describe('an agent’s session, on PostgreSQL', () => {
  const { database, ownerSql } = withDatabase();
  const identity = makeIdentity(database);
  const today = cityDay(new Date(), 'Asia/Shanghai');
  const agent = { scheme: 'cn-id' as const, value: citizenId('19900101', 1) };
  let principalId: string;
  let agentId: string;
  let cookie: string;

  beforeAll(async () => {
    [agentId = '', principalId = ''] = await identity.ensurePeople(database.db, [
      agent,
      { scheme: 'cn-id', value: citizenId('19500101', 2) },
    ]);
    await database.transaction((tx) =>
      identity.putPersonSecret(tx, agentId, '111222', 'first-use'),
    );
    ({ cookie } = await identity.signIn({ ...agent, pin: '111222' }, newPlace(identity)));
  });

  /** A session that came to act by this delegation when it could, whatever became of it since. */
  async function actingBy(
    given: readonly DelegableItem[],
    state: (typeof DELEGATION_STATES)[number],
    days: { validFrom: string; validTo: string },
  ): Promise<Actor> {
    const id = systemIds.uuid();
    const isOpen = state === 'proposed' || state === 'accepted';
    const acceptedAt = state === 'accepted' ? new Date() : null;
    await ownerSql`delete from identity.acting_sessions`;
    await ownerSql`delete from identity.delegations`;
    await ownerSql`insert into identity.delegations (id, principal_id, agent_id, items, valid_from,
        valid_to, state, proposed_at, accepted_at, ended_at)
      values (${id}, ${principalId}, ${agentId}, ${[...given]}, ${days.validFrom}, ${days.validTo},
        ${state}, now(), ${acceptedAt}, ${isOpen ? null : new Date()})`;
    await ownerSql`insert into identity.acting_sessions select id, ${id}, now() from identity.sessions`;
    const actor = await identity.findSession(cookie, 'r');
    if (!actor) throw new TypeError('The session runs.');
    return actor;
  }

  it('has the principal for a subject only while accepted, within its days and items', async () => {
    const away = fc.integer({ min: -30, max: 30 });
    await fc.assert(
      fc.asyncProperty(
        items,
        act,
        fc.constantFrom(...DELEGATION_STATES),
        fc.tuple(away, away),
        async (given, wanted, state, [from, to]) => {
          const validFrom = addDays(today, Math.min(from, to));
          const validTo = addDays(today, Math.max(from, to));
          const actor = await actingBy(given, state, { validFrom, validTo });
          const holds = state === 'accepted' && validFrom <= today && today <= validTo;
          const isItem = given.some((item) => actsOf[item].includes(wanted));
          const subject = identity
            .subjectOf(actor, wanted)
            .catch(({ code }: { code: string }) => code);
          expect(await subject).toBe(
            !holds
              ? 'identity.delegation_ended'
              : neverDelegated.includes(wanted)
                ? 'identity.not_delegable'
                : isItem
                  ? principalId
                  : 'identity.not_delegated',
          );
        },
      ),
      { numRuns: 150 },
    );
  });
});
