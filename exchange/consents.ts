// Consent: who is asked about decides, and every adult whom the question names (contract section 5).
import { type Actor, type PersonalAct, rowScopeOf } from '../identity/index.ts';
import { dbNow, openRows, type Tx } from '../platform/index.ts';
import {
  type ConsentRow,
  type ConsentState,
  countMissing,
  findConsent,
  findConsentsOf,
  updateConsent,
} from './consent-store.ts';
import type { ExchangeDeps } from './deps.ts';
import { insertQuestion } from './desk-store.ts';
import { dispatchAgreed } from './dispatch-store.ts';
import type { EndVerification } from './ending.ts';
import { exchangeErrors } from './errors.ts';
import type { OrganisationBook } from './organisation-book.ts';
import { entryAbout, openRequest } from './request.ts';
import { findVerification, type VerificationRow } from './request-store.ts';
import { readId } from './row-id.ts';
import { scopeOfVerifications } from './row-scope.ts';
import type { Service, ServiceBook } from './service-book.ts';
import type { WakeUps } from './wake-ups.ts';
import { deadlineOf } from './working-days.ts';

/** A consent as its citizen sees it. */
export interface Consent {
  id: string;
  verification: string;
  state: ConsentState;
  /** The department that asks. */
  requester: string;
  requesterName: string;
  service: string;
  question: string;
  /** What it will learn, and what of the service's answer it will not. */
  answers: string[];
  notAnswered: string[];
  purpose: string;
  legalBasis: string;
  expiresAt: string;
}

export type ConsentDecision = 'grant' | 'refuse' | 'withdraw';

const CONSENT_STATES = ['pending', 'granted', 'refused', 'withdrawn', 'expired'] as const;
const LISTED = 100;

const decisions = {
  grant: { from: 'pending', to: 'granted', event: 'consent.granted' },
  refuse: { from: 'pending', to: 'refused', event: 'consent.refused' },
  withdraw: { from: 'granted', to: 'withdrawn', event: 'consent.withdrawn' },
} as const satisfies Record<
  ConsentDecision,
  { from: ConsentState; to: ConsentState; event: string }
>;

const endings = {
  refused: '须征得其同意的人不同意。Somebody whose consent is needed does not agree.',
  withdrawn: '须征得其同意的人撤回同意。Somebody whose consent is needed withdrew it.',
} as const;

/** Binds consents to the rooms below. */
export function createConsents(
  deps: Pick<ExchangeDeps, 'database' | 'identity' | 'audit' | 'cityTz'>,
  book: ServiceBook,
  parts: { end: EndVerification; organisations: OrganisationBook; wakeUps: WakeUps },
) {
  const { database, identity, audit, cityTz } = deps;
  const { end, organisations, wakeUps } = parts;

  async function show(tx: Tx, consent: ConsentRow): Promise<Consent | null> {
    const row = await findVerification(tx, consent.verificationId);
    const request = row && (await openRequest(tx, identity, row));
    if (!row || !request) return null;
    const service = await book.getVersion(tx, row.service, row.serviceVersion);
    const { name: requesterName } = await organisations.get(row.requester);
    const { answers, notAnswered } = fieldTitles(service, row.disclosed);
    return {
      id: consent.id,
      verification: row.id,
      state: consent.state,
      requester: row.requester,
      requesterName,
      service: row.service,
      question: service.definition.questionZh,
      answers,
      notAnswered,
      purpose: request.purpose,
      legalBasis: row.legalBasis,
      expiresAt: new Date(consent.expiresAt).toISOString(),
    };
  }

  /** After the last consent the question goes to whoever answers it, and its time begins. */
  async function dispatch(tx: Tx, row: VerificationRow, service: Service): Promise<boolean> {
    if ((await countMissing(tx, row.id)) > 0) return false;
    const deadline = deadlineOf(service.definition.sla, await dbNow(tx), cityTz);
    await dispatchAgreed(tx, row.id, deadline);
    if (row.route === 'rule') return true;
    await insertQuestion(tx, row.id);
    return false;
  }

  /** The citizen whose consents the act is about. */
  async function citizenFor(actor: Actor, act: PersonalAct): Promise<string> {
    const personId = await identity.subjectOf(actor, act);
    if (personId !== null) return personId;
    throw exchangeErrors.scope('Only the person herself decides: sign in as a citizen.');
  }

  async function logAgent(actor: Actor, subject: string): Promise<void> {
    const { stageId } = await database.transaction((tx) =>
      identity.recordAccess(tx, actor, {
        type: 'consent.listed',
        outcome: 'ok',
        subject,
        answerKind: 'document',
      }),
    );
    await audit.sequenced([stageId]);
  }

  return {
    /** The consents of the citizen or of the one she acts for, newest first; an agent's look is logged. */
    async listConsents(actor: Actor, state?: string): Promise<Consent[]> {
      const personId = await citizenFor(actor, 'consent.list');
      const only = state === undefined ? undefined : readState(state);
      if (actor.actingFor) await logAgent(actor, personId);
      return database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const rows = await findConsentsOf(tx, personId, only, LISTED);
        await openRows(tx, scopeOfVerifications(...rows.map((row) => row.verificationId)));
        const shown: Consent[] = [];
        for (const row of rows) {
          const consent = await show(tx, row);
          if (consent) shown.push(consent);
        }
        return shown;
      });
    },

    /**
     * Agrees, refuses or withdraws. A refusal or withdrawal ends the question as refused; after it
     * has ended nothing can be decided any more.
     */
    async decideConsent(actor: Actor, id: string, decision: ConsentDecision): Promise<Consent> {
      const personId = await citizenFor(actor, 'consent.decide');
      const { from, to, event } = decisions[decision];
      const { consent, verificationId, needsWaking } = await database
        .as(rowScopeOf(actor))
        .transaction(async (tx) => {
          const found = await findConsent(tx, personId, readId(id, notFound));
          // Who is asked about sees the question, and whether the others agree to it.
          if (found) await openRows(tx, scopeOfVerifications(found.verificationId));
          const row = found && (await findVerification(tx, found.verificationId, 'for update'));
          // Read again under the verification's lock: another decision may have come between.
          const held = row && (await findConsent(tx, personId, id));
          if (!row || !held) throw notFound();
          if (row.endedAt !== null || row.deadline <= row.readAt) {
            throw exchangeErrors.consent_decided(
              'This question has ended: there is nothing left to decide.',
            );
          }
          if (held.state !== from) {
            throw exchangeErrors.consent_decided('You have decided about this question already.');
          }
          await updateConsent(tx, id, to);
          const service = await book.getVersion(tx, row.service, row.serviceVersion);
          const request = await openRequest(tx, identity, row);
          if (!request) throw notFound();
          await identity.recordAccess(tx, actor, {
            ...entryAbout(row, service, { ...request, officer: undefined }),
            subject: personId,
            department: row.requester,
            role: actor.actingFor ? 'agent' : 'citizen',
            type: event,
            outcome: 'ok',
            answerKind: 'none',
          });
          let needsWaking = false;
          if (to === 'granted') needsWaking = await dispatch(tx, row, service);
          else {
            const ending = { reason: `consent_${to}`, text: endings[to] };
            await end(tx, actor, row, { state: 'refused', ...ending });
          }
          const consent = await show(tx, { ...held, state: to });
          return { consent, verificationId: row.id, needsWaking };
        });
      if (needsWaking) await wakeUps.dispatch(verificationId, 1);
      if (!consent) throw notFound();
      return consent;
    },
  };
}

/** The titles of the fields that leave, and of those that don't. */
function fieldTitles(
  { definition }: Service,
  disclosed: readonly string[],
): { answers: string[]; notAnswered: string[] } {
  const answers: string[] = [];
  const notAnswered: string[] = [];
  for (const [name, schema] of Object.entries(definition.answerSchema.properties)) {
    const title = typeof schema.title_zh === 'string' ? schema.title_zh : name;
    (disclosed.includes(name) ? answers : notAnswered).push(title);
  }
  return { answers, notAnswered };
}

function readState(word: string): ConsentState {
  const state = CONSENT_STATES.find((known) => known === word);
  if (state) return state;
  throw exchangeErrors.request_invalid('There is no such state.', {
    fields: [{ pointer: '/state', detail: 'is not a state of a consent' }],
  });
}

function notFound() {
  return exchangeErrors.consent_not_found('There is no such consent of yours.');
}
