// Numbers that name people and organisations: GB 11643 citizen IDs, GB 32100 unified social
// credit codes (USCC), how they are folded, found in text, and shown.

/** How a person or a company is named from outside. */
export interface PersonIdentifier {
  scheme: 'cn-id' | 'uscc';
  value: string;
}

/** The citizen-id pattern as licence types and services write it. */
export const CITIZEN_ID_PATTERN = '^[1-9]\\d{16}[0-9X]$';

const CITIZEN_ID = new RegExp(CITIZEN_ID_PATTERN);
const CITIZEN_ID_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CITIZEN_ID_CHECKS = '10X98765432';
// At every place, also inside a longer run.
const CANDIDATES = /(?=([1-9]\d{16}[0-9X]))/g;

// GB 32100: no I, O, S, V, Z.
const USCC_ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY';
const USCC = /^[0-9A-HJ-NPQRTUWXY]{18}$/;
/** One form per identifier: half-width, upper case, no blanks around it. */
export function foldIdentifier(value: string): string {
  return value.normalize('NFKC').trim().toUpperCase();
}

/**
 * True for a citizen ID by GB 11643: six area digits starting 1-9 (no list of areas, so that made-up
 * ones such as 9901xx hold), a day of the calendar, and the MOD 11-2 check character. A lower-case x
 * is accepted, other foldings are not.
 */
export function isCitizenId(value: string): boolean {
  const id = value.toUpperCase();
  if (!CITIZEN_ID.test(id) || !isCalendarDay(birthDayOf(id))) return false;
  const sum = CITIZEN_ID_WEIGHTS.reduce((total, weight, at) => total + weight * Number(id[at]), 0);
  return CITIZEN_ID_CHECKS[sum % 11] === id[17];
}

/** The birth day inside a citizen ID, 'YYYY-MM-DD'; says nothing about its validity. */
export function birthDayOf(citizenId: string): string {
  return `${citizenId.slice(6, 10)}-${citizenId.slice(10, 12)}-${citizenId.slice(12, 14)}`;
}

/** True for a USCC by GB 32100: 18 characters of its alphabet and the MOD 31-3 check. */
export function isUscc(value: string): boolean {
  if (!USCC.test(value)) return false;
  let sum = 0;
  let weight = 1;
  for (const character of value.slice(0, 17)) {
    sum += USCC_ALPHABET.indexOf(character) * weight;
    weight = (weight * 3) % 31;
  }
  return USCC_ALPHABET[(31 - (sum % 31)) % 31] === value[17];
}

/**
 * True when a valid citizen ID stands anywhere in the text, also inside a longer run, in full-width
 * digits, or with blanks and invisible characters between its digits.
 */
export function containsCitizenId(text: string): boolean {
  const folded = text.normalize('NFKC').toUpperCase();
  return hasCitizenId(folded) || hasCitizenId(folded.replace(/[\s\p{Cf}]+/gu, ''));
}

// Two-character family names still borne today; any other Chinese name has one character.
const COMPOUND_FAMILY_NAMES = new Set(
  (
    '欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 ' +
    '太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 ' +
    '漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 左丘 东门 西门 第五'
  ).split(' '),
);

/** A person's name with only the family name left, the rest ＊. */
export function maskName(name: string): string {
  const characters = [...name.trim()];
  const kept =
    characters.length > 2 && COMPOUND_FAMILY_NAMES.has(characters.slice(0, 2).join('')) ? 2 : 1;
  return characters.slice(0, kept).join('') + '＊'.repeat(Math.max(characters.length - kept, 0));
}

/**
 * An identifier fit for a screen: a citizen ID keeps its area and its last four characters; a USCC is
 * public and stays whole; anything else keeps its first and last character.
 */
export function maskIdentifier(value: string): string {
  if (isCitizenId(value)) return `${value.slice(0, 6)}********${value.slice(14)}`;
  if (isUscc(value)) return value;
  if (value.length < 3) return '*'.repeat(value.length);
  return `${value.slice(0, 1)}${'*'.repeat(value.length - 2)}${value.slice(-1)}`;
}

function hasCitizenId(text: string): boolean {
  for (const [, candidate = ''] of text.matchAll(CANDIDATES)) {
    if (isCitizenId(candidate)) return true;
  }
  return false;
}

// The registers begin with people born in the 19th century and no day lies beyond 2099.
function isCalendarDay(day: string): boolean {
  if (day < '1800-01-01' || day > '2099-12-31') return false;
  const parsed = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().slice(0, 10) === day;
}
