// Patterns out of published schemas, run on what anyone sends: V8's engine tries again and again, so a
// text is bounded where a pattern meets it, and patterns that explode on short texts are not published.

/** Twice-repeated pieces cost the square of a text's length: 1 million steps, 3 ms. */
const longestText = 1_000;

/** For ajv's `code.regExp`: a longer text doesn't match. */
export const boundedPattern = Object.assign(
  (pattern: string, flags: string) => {
    const expression = new RegExp(pattern, flags);
    return { test: (text: string) => text.length <= longestText && expression.test(text) };
  },
  // Only ajv's generated modules would use it; none are made here.
  { code: 'boundedPattern' },
);

interface Group {
  repeats: boolean;
  chooses: boolean;
}

/** Whether a repeated group holds a repetition or a choice: `(a+)+` takes 2^n steps on n characters. */
export function isExplosive(pattern: string): boolean {
  const groups: Group[] = [{ repeats: false, chooses: false }];
  // Escapes and classes are one character each, whatever stands in them.
  const plain = pattern.replace(/\\./gs, 'a').replace(/\[[^\]]*\]/g, 'a');
  for (let at = 0; at < plain.length; at += 1) {
    const character = plain[at];
    const group = groups.at(-1);
    if (!group) return true;
    if (character === '(') groups.push({ repeats: false, chooses: false });
    else if (character === '|') group.chooses = true;
    else if (character === ')') {
      const isRepeated = isRepetition(plain.slice(at + 1));
      if (isRepeated && (group.repeats || group.chooses)) return true;
      groups.pop();
      const outer = groups.at(-1);
      if (outer && (group.repeats || isRepeated)) outer.repeats = true;
    } else if (isRepetition(plain.slice(at))) group.repeats = true;
  }
  return false;
}

/** `*`, `+`, `{2,}` and `{2,9}`; a fixed count and `?` repeat nothing. */
function isRepetition(text: string): boolean {
  return /^(?:[*+]|\{\d+,\d*\})/.test(text);
}
