// Search words without a dictionary: Han text as overlapping bigrams, other scripts as whole words
// (spec: catalogue 3). Works on any PostgreSQL, since the tsvector is written here.

/** Scripts written without spaces between words. */
const unspaced = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Bopomofo}';
const runs = new RegExp(`[${unspaced}ー]+|(?:(?![${unspaced}ー])[\\p{L}\\p{N}\\p{M}])+`, 'gu');
const unspacedStart = new RegExp(`^[${unspaced}ー]`, 'u');

/** tsvector positions end at 16,383; text beyond this many tokens is not searched. */
const maxPosition = 16_000;
/** A lexeme may have 2,046 bytes; the rest of a longer word tells nothing more. */
const maxWordLength = 80;
/** Keeps phrases from running over the border of two fields. */
const fieldGap = 10;

export type Weight = 'A' | 'B' | 'C' | 'D';

export interface WeightedText {
  text: string;
  weight: Weight;
}

/** Compatibility forms and case folded away: ＡＢＣ and abc are one word. */
export function foldText(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** The tokens of a text as they are indexed: bigrams plus the last single character of each run. */
export function indexTokens(text: string): string[] {
  const tokens: string[] = [];
  for (const [run] of foldText(text).matchAll(runs)) {
    if (!unspacedStart.test(run)) {
      tokens.push(run.slice(0, maxWordLength));
      continue;
    }
    const characters = Array.from(run);
    characters.forEach((character, at) => {
      tokens.push(character + (characters[at + 1] ?? ''));
    });
  }
  return tokens;
}

/** A tsvector literal (for `::tsvector`) over the fields, each with its weight. */
export function tsvectorLiteral(fields: readonly WeightedText[]): string {
  const places = new Map<string, string[]>();
  let position = 0;
  for (const { text, weight } of fields) {
    for (const token of indexTokens(text)) {
      if (++position > maxPosition) break;
      const known = places.get(token);
      if (known) known.push(`${position}${weight}`);
      else places.set(token, [`${position}${weight}`]);
    }
    position += fieldGap;
  }
  return [...places].map(([token, at]) => `'${token}':${at.join(',')}`).join(' ');
}

export interface TermOptions {
  /** Only in fields of this weight. */
  weight?: Weight;
  /** The last word may go on: `licen*`. */
  isPrefix?: boolean;
}

/**
 * A tsquery literal (for `::tsquery`) that matches texts containing `text`; null when it holds
 * nothing to search for. Bigrams of a run stand next to each other, and its last single character
 * is left out, since inside a longer run it isn't a token: with it 许可证 found 290 of 669 records.
 */
export function tsqueryLiteral(text: string, options: TermOptions = {}): string | null {
  const weight = options.weight ?? '';
  let query = '';
  let distance = 1;
  const found = [...foldText(text).matchAll(runs)].map(([run]) => run);
  found.forEach((run, at) => {
    const isLast = at === found.length - 1;
    const piece = unspacedStart.test(run)
      ? bigramQuery(Array.from(run), weight)
      : wordQuery(run, weight, isLast && options.isPrefix === true);
    query = query === '' ? piece : `${query} <${distance}> ${piece}`;
    distance = unspacedStart.test(run) && Array.from(run).length > 1 ? 2 : 1;
  });
  return query === '' ? null : query;
}

function bigramQuery(characters: string[], weight: string): string {
  if (characters.length === 1) return `'${characters[0]}':*${weight}`;
  const suffix = weight === '' ? '' : `:${weight}`;
  return characters
    .slice(0, -1)
    .map((character, at) => `'${character}${characters[at + 1]}'${suffix}`)
    .join(' <-> ');
}

function wordQuery(word: string, weight: string, isPrefix: boolean): string {
  const cut = word.slice(0, maxWordLength);
  const flags = `${isPrefix || cut !== word ? '*' : ''}${weight}`;
  return flags === '' ? `'${cut}'` : `'${cut}':${flags}`;
}
