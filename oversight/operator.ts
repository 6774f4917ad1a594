// What erasures and legal holds have in common: a signed-in operator, words that name nobody, a person
// the house knows, pages of what was done.
import {
  type Actor,
  containsCitizenId,
  identityErrors,
  type PersonIdentifier,
  requireRole,
} from '../identity/index.ts';
import type { Tx } from '../platform/index.ts';
import type { ErasureDeps } from './deps.ts';
import { oversightErrors } from './errors.ts';

const MOST_CHARACTERS = 500;

/** The officer behind the act; a client or a job is nobody who could answer for it. */
export function operatorOf(actor: Actor): string {
  requireRole(actor, 'operator');
  if (actor.officerId !== undefined) return actor.officerId;
  throw identityErrors.role_missing('Only a signed-in operator does this.');
}

/** The reason, trimmed; refused when there is none, or when it holds a citizen ID. */
export function readReason(given: string): string {
  const reason = given.trim();
  if (reason === '' || reason.length > MOST_CHARACTERS) {
    const detail = `Give a reason of at most ${MOST_CHARACTERS} characters.`;
    throw oversightErrors.reason_required(detail, { fields: [{ pointer: '/reason', detail }] });
  }
  if (containsCitizenId(reason)) {
    const detail = 'Name no person by a citizen ID.';
    throw oversightErrors.identifier_in_text(detail, { fields: [{ pointer: '/reason', detail }] });
  }
  return reason;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const isId = (text: string): boolean => uuid.test(text);

/** The person behind an identifier, whom the house must know. */
export async function findSubject(
  tx: Tx,
  identity: ErasureDeps['identity'],
  subject: PersonIdentifier,
): Promise<string> {
  const personId = await identity.findPerson(tx, subject);
  if (personId !== null) return personId;
  throw oversightErrors.unknown_subject('The house knows nobody with this number.');
}

/** The id a page goes on after; refused when it is none of ours. */
export function readCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined || isId(cursor)) return cursor;
  throw oversightErrors.cursor_invalid('This cursor does not come from a list of ours.');
}

/** A page from up to `limit` + 1 rows. */
export function pageOfRows<Row extends { id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  asItem: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const page = rows.slice(0, limit);
  return {
    items: page.map(asItem),
    nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
  };
}
