// What oversight is built from: the log, the names of people and departments, the law's citations.
import type { Audit } from '../audit/index.ts';
import type { Identity } from '../identity/index.ts';
import type { Database } from '../platform/index.ts';
import type { Lang } from './access-item.ts';

export interface OversightDeps {
  database: Database;
  audit: Pick<
    Audit,
    | 'checkpoint'
    | 'findEntries'
    | 'getEntry'
    | 'witnessState'
    | 'receipt'
    | 'sequenced'
    | 'verify'
    | 'vkey'
  >;
  identity: Pick<
    Identity,
    | 'findPerson'
    | 'listOrganisations'
    | 'openAccess'
    | 'recordAccess'
    | 'subjectTag'
    | 'subjectOf'
    | 'subjectTagOf'
    | 'caseTag'
  >;
  /** The citation of a legal basis, from the registry of legal bases. */
  citationOf(id: string, lang: Lang): string;
  cityTz: string;
}
