// What the exchange is built from: the faces of the rooms below, no wider than it uses them.
import type { Audit } from '../audit/index.ts';
import type { Identity } from '../identity/index.ts';
import type { Clock, Database, Ids, Logger, Metrics, Outbox, Queue } from '../platform/index.ts';
import type { Registry } from '../registry/index.ts';
import type { Signing } from '../signing/index.ts';

export interface ExchangeDeps {
  database: Database;
  clock: Clock;
  ids: Ids;
  audit: Pick<Audit, 'sequenced' | 'indexesOf' | 'discloseCase'>;
  signing: Pick<Signing, 'signReceipt'>;
  identity: Pick<
    Identity,
    | 'getOrganisation'
    | 'listOrganisations'
    | 'ensurePeople'
    | 'findPerson'
    | 'revealPerson'
    | 'revealPeople'
    | 'caseTag'
    | 'sealFor'
    | 'openFor'
    | 'openMany'
    | 'internReferences'
    | 'resolveReferences'
    | 'recordAccess'
    | 'recordAccessMany'
    | 'subjectOf'
  >;
  registry: Pick<
    Registry,
    'getType' | 'licencesOf' | 'licencesNaming' | 'searchOwn' | 'getForReading' | 'documentCut'
  >;
  queue: Pick<Queue, 'add' | 'handle'>;
  outbox: Pick<Outbox, 'add'>;
  logger: Logger;
  metrics: Metrics;
  cityTz: string;
  /** The longest delay of disclosure the law allows, in days. */
  mostDelayDays: number;
  /** False: a request whose caller waits goes through the queue too. Default true. */
  runsAtOnce?: boolean;
}
