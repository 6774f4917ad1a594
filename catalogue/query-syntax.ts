// The part of Solr's query language that CKAN's clients use in q and fq, as a tree. Never fails:
// what isn't syntax is searched for as words.

export type Query =
  | { kind: 'all' }
  | { kind: 'and' | 'or'; of: Query[] }
  | { kind: 'not'; of: Query }
  /** `field` is null for words without a field. */
  | { kind: 'term'; field: string | null; text: string; isPhrase: boolean; isPrefix: boolean }
  | { kind: 'exists'; field: string }
  | { kind: 'range'; field: string; from: Bound; to: Bound };

/** null: open to this side. */
export type Bound = { value: string; isInclusive: boolean } | null;

const maxDepth = 20;
const maxTerms = 64;

/** The tree of a query text; empty text and `*:*` ask for everything. */
export function parseQuery(text: string): Query {
  return new Parser(text).parse();
}

class Parser {
  readonly #text: string;
  #at = 0;
  #terms = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Query {
    const parts: Query[] = [];
    while (this.#skipSpace()) {
      const before = this.#at;
      const part = this.#or(null, 0);
      if (part) parts.push(part);
      // A stray closing bracket is passed over.
      if (this.#at === before) this.#at++;
    }
    return combine('and', parts) ?? { kind: 'all' };
  }

  #or(field: string | null, depth: number): Query | null {
    const parts = [this.#and(field, depth)];
    while (this.#takeWord('OR') || this.#take('||')) parts.push(this.#and(field, depth));
    return combine(
      'or',
      parts.filter((part) => part !== null),
    );
  }

  #and(field: string | null, depth: number): Query | null {
    const parts: Query[] = [];
    while (this.#skipSpace() && this.#peek() !== ')') {
      if (this.#takeWord('AND') || this.#take('&&')) continue;
      if (this.#isAhead('OR') || this.#text.startsWith('||', this.#at)) break;
      const part = this.#clause(field, depth);
      if (part) parts.push(part);
    }
    return combine('and', parts);
  }

  #clause(field: string | null, depth: number): Query | null {
    if (this.#takeWord('NOT') || this.#takeSign(/[-!]/y)) {
      this.#skipSpace();
      const of = this.#primary(field, depth);
      return of && { kind: 'not', of };
    }
    this.#takeSign(/\+/y);
    return this.#primary(field, depth);
  }

  #primary(field: string | null, depth: number): Query | null {
    if (this.#peek() === '(' && depth < maxDepth) return this.#group(field, depth);
    if (field === null) {
      const name = this.#match(/([A-Za-z_][\w.-]*|\*):(?=\S)/y)?.[1];
      if (name === '*') {
        this.#match(/\S*/y);
        return { kind: 'all' };
      }
      if (name !== undefined) return this.#primary(name, depth);
    } else {
      const range = this.#range(field);
      if (range) return range;
      if (this.#match(/\*(?=\s|\)|$)/y)) return { kind: 'exists', field };
    }
    return this.#term(field);
  }

  #group(field: string | null, depth: number): Query | null {
    this.#at++;
    const inside = this.#or(field, depth + 1);
    this.#skipSpace();
    this.#take(')');
    return inside;
  }

  #range(field: string): Query | null {
    const match = this.#match(/([[{])\s*("[^"]*"|\S+)\s+TO\s+("[^"]*"|[^\s\]}]+)\s*([\]}])/y);
    if (!match) return null;
    const [, opening = '', from = '', to = '', closing = ''] = match;
    return {
      kind: 'range',
      field,
      from: bound(from, opening === '['),
      to: bound(to, closing === ']'),
    };
  }

  #term(field: string | null): Query | null {
    const quoted = this.#match(/"((?:[^"\\]|\\.)*)"(?:[~^][\d.]*)?/y);
    const bare = quoted ?? this.#match(/(?:[^\s()\\]|\\.)+/y);
    if (!bare) {
      // A bracket too deep, or a lone backslash.
      this.#at++;
      return null;
    }
    if (++this.#terms > maxTerms) return null;
    if (quoted) {
      const text = withoutEscapes(quoted[1] ?? '');
      return { kind: 'term', field, text, isPhrase: true, isPrefix: false };
    }
    const [word] = bare;
    const isPrefix = /[^\\]\*$/.test(word);
    const text = withoutEscapes(
      isPrefix ? word.slice(0, -1) : word.replace(/(?:\^[\d.]+|~\d*)$/, ''),
    );
    return { kind: 'term', field, text, isPhrase: false, isPrefix };
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  /** Is there text left after the blanks? */
  #skipSpace(): boolean {
    this.#match(/\s+/y);
    return this.#at < this.#text.length;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match;
  }

  #take(mark: string): boolean {
    this.#skipSpace();
    if (!this.#text.startsWith(mark, this.#at)) return false;
    this.#at += mark.length;
    return true;
  }

  #takeSign(sign: RegExp): boolean {
    const before = this.#at;
    if (!this.#match(sign)) return false;
    if (/\S/.test(this.#peek() ?? '')) return true;
    this.#at = before;
    return false;
  }

  #isAhead(word: string): boolean {
    this.#skipSpace();
    const after = this.#text[this.#at + word.length] ?? ' ';
    return this.#text.startsWith(word, this.#at) && /[\s()]/.test(after);
  }

  #takeWord(word: string): boolean {
    if (!this.#isAhead(word)) return false;
    this.#at += word.length;
    return true;
  }
}

function combine(kind: 'and' | 'or', parts: Query[]): Query | null {
  const [first] = parts;
  if (first === undefined) return null;
  return parts.length === 1 ? first : { kind, of: parts };
}

function withoutEscapes(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}

function bound(text: string, isInclusive: boolean): Bound {
  if (text === '*') return null;
  return { value: text.replace(/^"|"$/g, ''), isInclusive };
}
