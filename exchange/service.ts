// Binds the acts of the exchange to the rooms below.
import { createAccept } from './accept.ts';
import { createAgreementRecords } from './agreement-record.ts';
import { createAgreements } from './agreements.ts';
import { createAnswering } from './answer.ts';
import { createAsk } from './ask.ts';
import { createConsents } from './consents.ts';
import { createCovertCases } from './covert-cases.ts';
import type { ExchangeDeps } from './deps.ts';
import { createDesk } from './desk.ts';
import { createEmergencies } from './emergencies.ts';
import { createEndings } from './ending.ts';
import { forgetSubject, hasOpenQuestions, verificationsAbout } from './erasure-store.ts';
import { createJobs } from './jobs.ts';
import { createOrganisationBook } from './organisation-book.ts';
import { createOutcomes } from './outcome.ts';
import { createProposals } from './proposals.ts';
import { createReading } from './reading.ts';
import { createReceiptKeeper } from './receipt-keeper.ts';
import { createRequests } from './requests.ts';
import { createServiceBook } from './service-book.ts';
import { createServices } from './services.ts';
import { createShowing } from './show.ts';
import { createWakeUps } from './wake-ups.ts';

/**
 * The exchange of one city. Names the queue's handlers; its `jobs` are for the sweeper, without
 * which nothing that got stuck would ever end.
 */
export function createExchange(deps: ExchangeDeps) {
  const book = createServiceBook();
  const organisations = createOrganisationBook(deps);
  const wakeUps = createWakeUps(deps);
  const end = createEndings(deps, book);
  const outcomeOf = createOutcomes(deps);
  const accept = createAccept(deps, book, outcomeOf);
  const answering = createAnswering(deps, book, { end, outcomeOf });
  const receipts = createReceiptKeeper(deps);
  const showing = createShowing(deps, { book, organisations, receipts });
  const proposals = createProposals(deps, book, { end, organisations });
  const { withdrawAnswer, listProposals, readProposal, approveAnswer, returnAnswer } = proposals;
  const records = createAgreementRecords(deps, book);
  const { put, ask } = createAsk(deps, { accept, showing, wakeUps });
  const cases = createCovertCases(deps);
  const emergencies = createEmergencies(deps, book, { put });
  const { installAgreement, installSampleAgreements } = records;

  return {
    ...createServices(deps, book),
    ...createAgreements(deps, records),
    installAgreement,
    installSampleAgreements,
    ask,
    getVerification: showing.getVerification,
    receiptOf: showing.receiptOf,
    ...createRequests(deps, { end, showing }),
    ...createDesk(deps, book, { end, organisations, proposals }),
    withdrawAnswer,
    listProposals,
    readProposal,
    approveAnswer,
    returnAnswer,
    ...createConsents(deps, book, { end, organisations, wakeUps }),
    ...createReading(deps),
    ...emergencies,
    listCovertCases: cases.listCovertCases,
    closeCase: cases.closeCase,
    ...createJobs(deps, {
      answering,
      wakeUps,
      end,
      tellOverdue: emergencies.tellOverdue,
      settleCases: cases.settleCases,
    }),
    hasOpenQuestions,
    verificationsAbout,
    forgetSubject,
  };
}

export type Exchange = ReturnType<typeof createExchange>;
