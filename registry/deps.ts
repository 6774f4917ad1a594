// What the registry is built from: the faces of the rooms below, no wider than it uses them.
import type { Audit } from '../audit/index.ts';
import type { Identity } from '../identity/index.ts';
import type { Clock, Database, Ids, Outbox } from '../platform/index.ts';
import type { Signing } from '../signing/index.ts';

export interface RegistryDeps {
  database: Database;
  clock: Clock;
  ids: Ids;
  audit: Pick<Audit, 'sequenced'>;
  signing: Pick<
    Signing,
    | 'sealDocument'
    | 'issueCredential'
    | 'verifyCredential'
    | 'verifyDocument'
    | 'allocateStatuses'
    | 'setStatus'
    | 'getStatus'
    | 'listSignatures'
  >;
  identity: Pick<
    Identity,
    | 'getOrganisation'
    | 'listOrganisations'
    | 'ensurePeople'
    | 'findPerson'
    | 'revealPerson'
    | 'revealPeople'
    | 'sealMany'
    | 'openMany'
    | 'internReferences'
    | 'resolveReferences'
    | 'recordAccess'
    | 'recordAccessMany'
    | 'subjectOf'
    | 'actFor'
    | 'listDelegations'
    | 'listDelegationsOf'
    | 'proposeDelegation'
    | 'revokeDelegationOf'
    | 'settleDelegationsUnder'
  >;
  outbox: Pick<Outbox, 'add'>;
  /** What the outside calls this house; part of every credential's type. */
  publicUrl: string;
  cityTz: string;
  /** `lookup`: 32 bytes under which verification codes are found. */
  keys: { lookup: Buffer };
}
