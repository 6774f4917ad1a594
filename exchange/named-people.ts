// Whose consent a question needs: its subject, and every adult it names besides.
import type { Identity } from '../identity/index.ts';
import type { JsonObject, Tx } from '../platform/index.ts';
import { referencesIn } from './request.ts';

const ADULT_YEARS = 18;

/**
 * The subject, whatever her age, and the adults among the people the parameters name, in that order.
 * Who is a child today has no page to agree on; her guardian is asked as a subject or named herself.
 */
export async function namedAdults(
  tx: Tx,
  identity: Pick<Identity, 'revealPeople'>,
  subjectId: string,
  params: JsonObject,
  today: string,
): Promise<string[]> {
  const named = [...new Set(referencesIn(params))].filter((id) => id !== subjectId);
  const people = await identity.revealPeople(tx, named);
  const adults = named.filter((id) => {
    const person = people.get(id);
    return person?.scheme === 'cn-id' && isAdult(person.value, today);
  });
  return [subjectId, ...adults];
}

/** By the birth day inside the citizen ID (GB 11643, characters 7 to 14). */
export function isAdult(citizenId: string, today: string): boolean {
  const birthDay = Number(citizenId.slice(6, 14));
  const day = Number(today.replaceAll('-', ''));
  return day - birthDay >= ADULT_YEARS * 10_000;
}
