// Binds the acts of the registry to the rooms below and to one set of keys.
import type { Actor } from '../identity/index.ts';
import { createActs } from './act.ts';
import { createApplications } from './applications.ts';
import { createAuthorities } from './authorities.ts';
import type { RegistryDeps } from './deps.ts';
import { createDocuments } from './documents.ts';
import { createErasing } from './erasing.ts';
import { createExchangeReads } from './exchange-reads.ts';
import { createIssuing } from './issue.ts';
import { createJobs } from './jobs.ts';
import { createOpening } from './opening.ts';
import { createPresent } from './present.ts';
import { createPresentDocument } from './present-document.ts';
import { createPublicCheck } from './public-check.ts';
import { createReads } from './read.ts';
import { createRecorder } from './record.ts';
import { createRefusals } from './refusals.ts';
import { createRepresentation } from './representation.ts';
import { createSignable } from './signable.ts';
import { createTypeBook } from './type-book.ts';

const KEY_BYTES = 32;

/** The registry of one city; refuses a look-up key that can't be right. */
export function createRegistry(deps: RegistryDeps) {
  if (deps.keys.lookup.length !== KEY_BYTES) {
    throw new TypeError('The key that verification codes are found by has 32 bytes.');
  }
  const book = createTypeBook(deps);
  const record = createRecorder(deps);
  const refusals = createRefusals(deps);
  const authorities = createAuthorities(deps);
  const opening = createOpening(deps);
  const documents = createDocuments(deps, { book, authorities, opening });
  const issuing = createIssuing(deps, { book, record, refusals, authorities });
  const applications = createApplications(deps, { issuing, record, refusals });
  const { publishType, getType, listTypes, typeMetadata } = book;
  const { approveApplication, refuseApplication, listApplications } = applications;

  return {
    publishType,
    getType,
    listTypes,
    typeMetadata,
    issue: (actor: Actor, input: unknown) => issuing.issue(actor, input, applications.apply),
    issueMany: issuing.issueMany,
    approveApplication,
    refuseApplication,
    listApplications,
    ...createActs(deps, { book, record, refusals, authorities }),
    ...createReads(deps, { refusals, opening, documents }),
    ...createExchangeReads(deps, opening),
    documentCut: documents.obtain,
    documentOf: documents.documentOf,
    ...createRepresentation(deps, { book, opening }),
    ...createPublicCheck(deps, { book, refusals, authorities }),
    ...createPresent(deps),
    ...createPresentDocument(deps),
    ...createSignable(deps, book),
    ...createJobs(deps),
    ...createErasing(deps),
  };
}

export type Registry = ReturnType<typeof createRegistry>;
