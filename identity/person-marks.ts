// What vigilance may compare of people and of what was typed, without being told it: keyed digests.
import type { PersonIdentifier } from './identifiers.ts';
import type { PersonIndex } from './person-index.ts';

/** Of a person whose key is there. */
export interface PersonMarks {
  personId: string;
  /** Area and birth day of a citizen ID: people whose numbers were tried one after the other share it. */
  stem: Buffer | null;
  surname: Buffer | null;
}

// The family names of two characters that are met at all (GB/T 2260 has no such list; these are the
// commonest of the census).
const LONG_SURNAMES = new Set(
  '欧阳 上官 司马 诸葛 皇甫 尉迟 司徒 东方 令狐 慕容 夏侯 公孙 长孙 宇文 端木 独孤 南宫 拓跋'.split(
    ' ',
  ),
);
const STEM_CHARACTERS = 14;

/** The marks of somebody who has been opened. */
export function marksOfPerson(
  { scheme, value, name }: PersonIdentifier & { name: string | null },
  index: Pick<PersonIndex, 'mark'>,
): Omit<PersonMarks, 'personId'> {
  if (scheme !== 'cn-id') return { stem: null, surname: null };
  const surname = name === null ? '' : surnameOf(name);
  return {
    stem: index.mark('stem', value.slice(0, STEM_CHARACTERS)),
    surname: surname === '' ? null : index.mark('surname', surname),
  };
}

function surnameOf(name: string): string {
  const two = name.slice(0, 2);
  return name.length > 2 && LONG_SURNAMES.has(two) ? two : name.slice(0, 1);
}

/** Marks of words, and of who acts. */
export function createMarks(index: Pick<PersonIndex, 'mark'>) {
  return {
    /** Equal for equal texts. */
    textMark: (kind: 'purpose' | 'household', text: string): Buffer => index.mark(kind, text),
    /** The same for all looks of an officer of a department, or of a system that names no officer. */
    actorTag: (department: string, officer: string | null): Buffer =>
      index.mark('actor', `${department}|${officer ?? ''}`),
  };
}
