// Keyed digests that stand for a person where her identifier must not: the blind index that finds
// her row, the tag that finds her entries in the log, and an actor's pseudonym towards her.
import { createHmac } from 'node:crypto';
import { identityErrors } from './errors.ts';
import {
  birthDayOf,
  foldIdentifier,
  isCitizenId,
  isUscc,
  type PersonIdentifier,
} from './identifiers.ts';

// In the digest's own input: a new folding gets the next number. Tags stand in what the log commits
// to, so their key never changes (docs/adr/0010).
const TAG_VERSION = 1;

const labels = { 'cn-id': 'cid', uscc: 'uscc' } satisfies Record<
  PersonIdentifier['scheme'],
  string
>;

/** The digests of one house; each key serves one of them only. */
export function createPersonIndex(keys: {
  indexRegistry: { at(version: number): Buffer };
  indexAudit: Buffer;
  pseudonym: Buffer;
}) {
  return {
    /** Finds a person's row under one version of its key; the identifier must be normalised. */
    blindIndex: (person: PersonIdentifier, version: number) =>
      mac(keys.indexRegistry.at(version), `${labels[person.scheme]}|v${version}|${person.value}`),
    /** Finds a person's entries in the log; the identifier must be normalised. */
    subjectTag: (person: PersonIdentifier) =>
      mac(keys.indexAudit, `${labels[person.scheme]}|v${TAG_VERSION}|${person.value}`),
    /** Finds the entries of one case in the log. */
    caseTag: (caseId: string) => mac(keys.indexAudit, `case|v${TAG_VERSION}|${caseId}`),
    /** The same actor has another pseudonym towards each subject, so that leaves can't be joined. */
    pseudonym: (actor: string, subjectTag: Buffer | null) =>
      mac(keys.pseudonym, `${actor}|${subjectTag?.toString('hex') ?? ''}`).toString('base64url'),
    /** A blind mark: equal for equal words of one kind, and nothing else to who has no key. */
    mark: (kind: string, words: string) => mac(keys.pseudonym, `mark|${kind}|${words}`),
  };
}

export type PersonIndex = ReturnType<typeof createPersonIndex>;

/**
 * The one form of an identifier that is indexed and sealed. Refuses what can't be a citizen ID
 * (a birth day after `today` included) or a USCC; `pointer` says where in the body it stood.
 */
export function normalise(
  identifier: PersonIdentifier,
  today: string,
  pointer = '',
): PersonIdentifier {
  const value = foldIdentifier(identifier.value);
  if (identifier.scheme === 'uscc') {
    if (isUscc(value)) return { scheme: 'uscc', value };
    const detail = 'This is not a unified social credit code: check its 18 characters.';
    throw identityErrors.uscc_invalid(detail, { fields: [{ pointer, detail }] });
  }
  if (isCitizenId(value) && birthDayOf(value) <= today) return { scheme: 'cn-id', value };
  const detail = 'This is not a citizen ID: check its 18 characters.';
  throw identityErrors.citizen_id_invalid(detail, { fields: [{ pointer, detail }] });
}

function mac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}
