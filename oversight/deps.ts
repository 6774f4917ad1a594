// What oversight is built from: the log, the names of people and departments, the law's citations.
import type { Audit } from '../audit/index.ts';
import type { Exchange } from '../exchange/index.ts';
import type { Actor, Identity } from '../identity/index.ts';
import type { Database, Idempotency, Ids, Logger, Metrics, Outbox, Tx } from '../platform/index.ts';
import type { Registry } from '../registry/index.ts';
import type { Lang } from './access-item.ts';

export interface OversightDeps {
  database: Database;
  ids: Ids;
  logger: Logger;
  audit: Pick<
    Audit,
    | 'as'
    | 'checkpoint'
    | 'proveCompleteness'
    | 'sampleMap'
    | 'checkpointOver'
    | 'entryBundle'
    | 'head'
    | 'inclusion'
    | 'life'
    | 'indexesOf'
    | 'receipt'
    | 'sequenced'
    | 'verify'
    | 'vkey'
    | 'witnessState'
  >;
  identity: Pick<
    Identity,
    | 'caseTag'
    | 'findPeopleByTags'
    | 'findPerson'
    | 'findPersonByTag'
    | 'listOrganisations'
    | 'officerAccountOf'
    | 'openAccess'
    | 'organisationOfOfficer'
    | 'openFor'
    | 'openMany'
    | 'recordAccess'
    | 'revealPerson'
    | 'sealFor'
    | 'subjectTag'
    | 'subjectOf'
    | 'subjectTagOf'
  >;
  /** The citation of a legal basis, from the registry of legal bases. */
  citationOf(id: string, lang: Lang): string;
  cityTz: string;
  /** What other rooms keep of a person, for her own export. */
  ownRecords(actor: Actor): Promise<Record<string, object>>;
  /** Working days a department has to answer a person, and until auditors get what it did not answer. */
  ticketDays: { answer: number; escalate: number };
}

/** What erasing a person needs: everything that may need her, and everything that keeps something of her. */
export interface ErasureDeps {
  database: Database;
  ids: Ids;
  logger: Logger;
  audit: Pick<Audit, 'indexesAbout' | 'forgetSubject' | 'sequenced'>;
  identity: Pick<
    Identity,
    | 'findPerson'
    | 'sealFor'
    | 'recordAccess'
    | 'lockPerson'
    | 'erasePerson'
    | 'findErasedTag'
    | 'forgetTag'
    | 'longestHeldMs'
  >;
  registry: Pick<Registry, 'standingOf' | 'numbersOf' | 'forgetHolder'>;
  exchange: Pick<Exchange, 'hasOpenQuestions' | 'verificationsAbout' | 'forgetSubject'>;
  idempotency: Pick<Idempotency, 'replaceKept'>;
}

/** What vigilance needs: the whole log, blind marks, and who tells of alarms besides it. */
export interface VigilanceDeps {
  database: Database;
  ids: Ids;
  logger: Logger;
  metrics: Metrics;
  outbox: Pick<Outbox, 'on'>;
  audit: Pick<Audit, 'as' | 'head' | 'indexesOf' | 'sequenced'>;
  identity: Pick<
    Identity,
    | 'actorTag'
    | 'findPerson'
    | 'marksOf'
    | 'openAccess'
    | 'openMany'
    | 'recordAccess'
    | 'sealFor'
    | 'subjectTag'
    | 'textMark'
  >;
  /** The household of a person by its number in the register, where it is known. */
  householdOf: (tx: Tx, personId: string) => Promise<string | null>;
  cityTz: string;
}
