// Breaking text into lines of a width: Chinese breaks between any two characters, Latin between words.

export type WidthOf = (text: string) => number;

/** A word, or one character of a script without blanks; closing punctuation stays with what it closes. */
const PIECES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef][\u3001\u3002\uff0c\uff0e\uff1a\uff1b\uff01\uff1f\uff09\u300b\u300d]*|[^\s\p{Script=Han}\u3000-\u303f\uff00-\uffef]+|\s+/gu;

/** The lines of a text, none wider than `width` unless a single character is. */
export function wrap(text: string, width: number, widthOf: WidthOf): string[] {
  const lines: string[] = [];
  let line = '';
  const end = () => {
    lines.push(line.trimEnd());
    line = '';
  };
  for (const piece of text.replace(/\s+/gu, ' ').trim().match(PIECES) ?? []) {
    if (widthOf(line + piece) <= width) {
      line += piece;
      continue;
    }
    if (line !== '') end();
    if (piece === ' ') continue;
    for (const part of widthOf(piece) <= width ? [piece] : piece) {
      if (line !== '' && widthOf(line + part) > width) end();
      line += part;
    }
  }
  if (line !== '') end();
  return lines;
}
