// The last net under "no personal data": finds what has the shape of a citizen ID (GB 11643: region,
// birth date, serial, check character). identity/ decides what
// is one; here nothing depends on it but the last line of defence.

const shape = '[1-9]\\d{5}(?:18|19|20)\\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])\\d{3}[\\dXx]';
const anywhere = new RegExp(shape);
const everywhere = new RegExp(shape, 'g');
// Not after a dot: there stand the credit codes of departments, inside of licence numbers.
const standingAlone = new RegExp(`(?<![0-9A-Za-z.])${shape}(?![0-9A-Za-z])`, 'g');

const mark = '[citizen ID]';

/**
 * Does a citizen ID with a right check character stand in the text as a word of its own? For
 * refusing data that must hold none: a wrong yes would stop somebody's work.
 */
export function holdsCitizenId(text: string): boolean {
  return (text.match(standingAlone) ?? []).some(isChecked);
}

/** ISO 7064 MOD 11-2: reading left to right, double and add; the whole leaves 1. */
function isChecked(id: string): boolean {
  const sum = [...id.toUpperCase()].reduce(
    (rest, character) => (rest * 2 + (character === 'X' ? 10 : Number(character))) % 11,
    0,
  );
  return sum === 1;
}

/**
 * A line of JSON without anything shaped like a citizen ID, inside longer digits too: a log may lose
 * a digit too many, never one too few.
 */
export function withoutCitizenIds(line: string): string {
  if (!anywhere.test(line)) return line;
  try {
    return `${JSON.stringify(cleaned(JSON.parse(line)))}\n`;
  } catch {
    return '{"level":"error","msg":"A log line that held a citizen ID was dropped."}\n';
  }
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(everywhere, mark);
  if (typeof value === 'number') return anywhere.test(String(value)) ? mark : value;
  if (Array.isArray(value)) return value.map(cleaned);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.replace(everywhere, mark), cleaned(inner)]),
  );
}
