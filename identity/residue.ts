// What of a person could still stand somewhere as bytes: the digests that find her.
import type { PersonIdentifier } from './identifiers.ts';
import type { KeyRing } from './key-ring.ts';
import { normalise, type PersonIndex } from './person-index.ts';

/**
 * The digests of an identifier by what they are: her tag, and her blind index under every version of
 * its key that is still there.
 */
export function digestsOf(
  identifier: PersonIdentifier,
  { index, ring, today }: { index: PersonIndex; ring: KeyRing; today: string },
): { label: string; bytes: Buffer }[] {
  const person = normalise(identifier, today, '/value');
  const blindIndexes = ring.indexVersions().map((version) => ({
    label: `blind index v${version}`,
    bytes: index.blindIndex(person, version),
  }));
  return [{ label: 'subject tag', bytes: index.subjectTag(person) }, ...blindIndexes];
}
