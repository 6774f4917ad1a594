// Role × act × state over agreements, whole, on PostgreSQL; and what other departments find of each id.
import { beforeAll, expect, test } from 'vitest';
import {
  type AgreementAct,
  type AgreementState,
  mayAct,
  stateAfter,
} from '../../../exchange/agreement.ts';
import { type Actor, ROLES, type Role, scopesOf } from '../../../identity/index.ts';
import {
  codeOf,
  department,
  LI,
  maritalQuestion,
  officer,
  withExchange,
} from '../../integration/exchange/house.ts';

const house = withExchange({ queue: 'stopped' });
const ACTS = ['approve', 'refuse', 'suspend', 'resume', 'revoke'] as const satisfies AgreementAct[];
const STATES = ['proposed', 'active', 'suspended', 'refused', 'revoked'] as const;
const reason = { reason: '依法共享' };
let agreement: string;

beforeAll(async () => {
  const { id } = await house.exchange.proposeAgreement(department('dpf'), {
    service: 'VS-MARITAL',
    legalBases: ['LB-716-7'],
    fields: ['matches'],
    quota: { perDay: 10 },
    validFrom: '2020-01-01',
    validTo: '2099-12-31',
  });
  agreement = id;
});

/** Puts the agreement into a state as if its history had led there. */
async function stand(state: AgreementState): Promise<void> {
  const approver = state === 'active' || state === 'suspended' ? 'officer:somebody' : null;
  await house.ownerSql`update exchange.agreements set state = ${state}, approved_by = ${approver},
    approved_for = ${approver === null ? null : 'civil'} where id = ${agreement}`;
}

function codeExpected(role: Role, act: AgreementAct, state: AgreementState, at: string): string {
  if (!scopesOf(role).includes('agreements:manage')) return 'exchange.scope';
  if (at === 'health') return 'exchange.agreement_not_found';
  if (!mayAct(at === 'civil' ? 'provider' : 'requester', act)) return 'exchange.own_proposal';
  return stateAfter(state, act) ? 'not refused' : 'exchange.agreement_act_not_allowed';
}

test('each role does to an agreement what role, party and state allow together, and nothing else', async () => {
  const wrong: unknown[] = [];
  let allowed = 0;
  for (const state of STATES) {
    for (const role of ROLES) {
      for (const at of ['civil', 'dpf', 'health']) {
        for (const act of ACTS) {
          await stand(state);
          const actor = officer(`${at}-${role}-1`, role);
          const code = await codeOf(house.exchange.decideAgreement(actor, agreement, act, reason));
          const expected = codeExpected(role, act, state, at);
          if (code === 'not refused') allowed += 1;
          if (code !== expected) wrong.push([state, role, at, act, code, expected]);
        }
      }
    }
  }
  expect(wrong).toEqual([]);
  // The provider's approver: 2 + 1 + 1 and a revocation of each that runs; the requester's: revocations.
  expect(allowed).toBe(10);
}, 60_000);

test('an id of one department’s is found by no other, whatever its officers’ roles', async () => {
  const { exchange } = house;
  await exchange.allowEmergencies(house.database.db, 'health');
  const housing = department('housing');
  const asked = await exchange.ask(housing, maritalQuestion());
  const manual = await exchange.ask(
    department('police'),
    maritalQuestion({
      service: 'VS-ADOPTION',
      params: { adoptee_id: LI.value },
      legalBasis: 'LB-ADOPT',
    }),
  );
  const opened = await exchange.openEmergency(officer('health-desk-1', 'desk'), {
    licenceType: 'LT-MARRIAGE',
    subject: { scheme: LI.scheme, value: LI.value },
    fields: ['registered_on'],
    legalBasis: 'LB-716-7',
    caseId: 'ER-1',
    reason: '急救',
    minutes: 5,
  });
  const stranger = (): Actor => ({ ...officer('edu-all-1', 'desk'), roles: ROLES });
  const reads: [string, () => Promise<unknown>][] = [
    ['verification', () => exchange.getVerification(stranger(), asked.id)],
    ['verification', () => exchange.cancel(stranger(), asked.id)],
    ['question', () => exchange.claimQuestion(stranger(), manual.id)],
    ['question', () => exchange.refuseQuestion(stranger(), manual.id, { reason: 'x', text: 'x' })],
    ['agreement', () => exchange.getAgreement(stranger(), agreement)],
    ['agreement', () => exchange.decideAgreement(stranger(), agreement, 'revoke', reason)],
    ['emergency', () => exchange.readEmergency(stranger(), opened.id)],
    [
      'emergency',
      () => exchange.reviewEmergency(stranger(), opened.id, { verdict: 'justified', note: 'x' }),
    ],
  ];
  for (const [what, act] of reads) {
    expect([what, await codeOf(act())]).toEqual([what, `exchange.${what}_not_found`]);
  }
});
