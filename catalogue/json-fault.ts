// Where broken JSON (RFC 8259) breaks. The engine's own message names a place only now and then.

const space = /[ \t\n\r]*/y;
/** Any character from the blank on, but quote and backslash; or an escape. */
const string = '"(?:[ !#-[\\]-\\u{10ffff}]+|\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4}))*"';
const text = new RegExp(string, 'uy');
const scalar = new RegExp(
  `${string}|-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?|true|false|null`,
  'uy',
);

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end';

/** The offset of the first character that JSON doesn't allow; the text's length when it is cut off. */
export function jsonFaultOffset(json: string): number {
  const open: ('[' | '{')[] = [];
  let expected: Expected = 'value';
  let at = 0;
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(json)) return false;
    at = pattern.lastIndex;
    return true;
  };
  for (;;) {
    take(space);
    const character = json[at];
    if (expected === ', or end') {
      if (open.length === 0) return at;
      if (character === (open.at(-1) === '[' ? ']' : '}')) {
        open.pop();
        at++;
      } else if (character === ',') {
        expected = open.at(-1) === '[' ? 'value' : 'key';
        at++;
      } else return at;
    } else if (expected === ':') {
      if (character !== ':') return at;
      expected = 'value';
      at++;
    } else if (expected === 'key' || expected === 'key or }') {
      if (take(text)) expected = ':';
      else if (expected === 'key or }' && character === '}') {
        open.pop();
        at++;
        expected = ', or end';
      } else return at;
    } else if (character === '[' || character === '{') {
      open.push(character);
      expected = character === '[' ? 'value or ]' : 'key or }';
      at++;
    } else if (expected === 'value or ]' && character === ']') {
      open.pop();
      at++;
      expected = ', or end';
    } else if (take(scalar)) expected = ', or end';
    else return at;
  }
}

/** `line 3, column 7`, and that the text is cut off when it simply ends. */
export function jsonFaultPlace(json: string): string {
  const offset = jsonFaultOffset(json);
  const before = json.slice(0, offset).split('\n');
  const place = `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
  return offset >= json.trimEnd().length ? `${place}: it is cut off there` : place;
}
