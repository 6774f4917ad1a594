// What the exchange is built from: the faces of the rooms below, no wider than it uses them.
import type { Audit } from '../audit/index.ts';
import type { Identity } from '../identity/index.ts';
import type {
  Clock,
  Database,
  Ids,
  Logger,
  Metrics,
  Outbox,
  Queue,
  Tx,
} from '../platform/index.ts';
import type { LicenceView, Registry } from '../registry/index.ts';
import type { Signing } from '../signing/index.ts';

export interface ExchangeDeps {
  database: Database;
  clock: Clock;
  ids: Ids;
  audit: Pick<Audit, 'sequenced' | 'indexesOf'>;
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
  >;
  registry: Pick<Registry, 'getType' | 'licencesOf' | 'searchOwn' | 'getForReading'> &
    ReverseReferences;
  queue: Pick<Queue, 'add' | 'handle'>;
  outbox: Pick<Outbox, 'add'>;
  logger: Logger;
  metrics: Metrics;
  cityTz: string;
  /** False: a request whose caller waits goes through the queue too. Default true. */
  runsAtOnce?: boolean;
}

/** A licence that names a person, with who holds it. */
export interface NamingLicence extends LicenceView {
  holderId: string;
}

/** Reverse references; while the registry has none, rules that need them can't tell. */
interface ReverseReferences {
  licencesNaming?(tx: Tx, personId: string, typeIds: readonly string[]): Promise<NamingLicence[]>;
}
