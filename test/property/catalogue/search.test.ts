// Search by bigrams against the plain definition: a Han word is found where the text contains it.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseQuery } from '../../../catalogue/query-syntax.ts';
import { foldText, tsqueryLiteral, tsvectorLiteral } from '../../../catalogue/text-tokens.ts';
import { withDatabase } from '../../support/database.ts';

const { ownerSql } = withDatabase();

/** Few characters, so that words repeat and overlap: 证证许 in 许证证许可. */
const han = fc.constantFrom('许', '可', '证', '公', '交');
const hanWord = fc.array(han, { minLength: 1, maxLength: 4 }).map((list) => list.join(''));
const mixed = fc
  .array(fc.oneof(han, fc.constantFrom(' ', '，', 'A', 'b', '3', '-', '（', '\n')), {
    maxLength: 25,
  })
  .map((list) => list.join(''));

test('a Han word finds exactly the texts that contain it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(mixed, { minLength: 1, maxLength: 40 }),
      hanWord,
      async (texts, word) => {
        const vectors = texts.map((text) =>
          tsvectorLiteral([
            { text: text.slice(0, 8), weight: 'A' },
            { text: text.slice(8), weight: 'C' },
          ]),
        );
        const rows = await ownerSql<{ at: number }[]>`
        select at::int from unnest(${vectors}::text[]) with ordinality as t(vector, at)
        where vector::tsvector @@ ${tsqueryLiteral(word)}::tsquery order by at`;
        const expected = texts.flatMap((text, at) =>
          text.slice(0, 8).includes(word) || text.slice(8).includes(word) ? [at + 1] : [],
        );
        expect(rows.map(({ at }) => at)).toEqual(expected);
      },
    ),
    { numRuns: 60 },
  );
});

test('any text makes literals that PostgreSQL reads, and finds itself', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 60 }), async (text) => {
      // As stored: PostgreSQL's text has no NUL.
      const clean = text.replaceAll('\u0000', '');
      const vector = tsvectorLiteral([{ text: clean, weight: 'B' }]);
      const query = tsqueryLiteral(clean);
      const [row] = await ownerSql<{ found: boolean | null }[]>`
        select ${vector}::tsvector @@ ${query}::tsquery as found`;
      expect([foldText(clean), row?.found ?? null]).toEqual([
        foldText(clean),
        query === null ? null : true,
      ]);
    }),
    { numRuns: 200 },
  );
});

test('the query parser reads any text and ends', () => {
  const pieces = fc.constantFrom(
    ...['(', ')', '"', '\\', ':', '*', '[', ']', '{', '}', 'TO', 'AND', 'OR', 'NOT', '+', '-', '!'],
    ...[' ', 'a', '许可', 'title:', '~', '^2', '||', '&&'],
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), (list) => {
      expect(parseQuery(list.join(''))).toHaveProperty('kind');
    }),
    { numRuns: 2000 },
  );
});
