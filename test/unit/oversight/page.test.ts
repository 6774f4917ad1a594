// Pages and periods as callers write them.
import { expect, test } from 'vitest';
import { readPage, readPeriod, toPage } from '../../../oversight/page.ts';

const city = 'Asia/Shanghai';

test('days are the city’s own, both inclusive; times are taken as they are', () => {
  expect(readPeriod({ from: '2026-03-04', to: '2026-03-04' }, city)).toEqual({
    from: new Date('2026-03-03T16:00:00.000Z'),
    to: new Date('2026-03-04T15:59:59.999Z'),
  });
  expect(
    readPeriod({ from: '2026-03-04T05:00:00Z', to: '2026-03-04T05:00:00.250+08:00' }, city),
  ).toEqual({
    from: new Date('2026-03-04T05:00:00Z'),
    to: new Date('2026-03-03T21:00:00.250Z'),
  });
  expect(readPeriod({}, city)).toEqual({ from: undefined, to: undefined });
});

test('anything else is no time', () => {
  const texts = ['', 'now', '2026', '2026-13-01', '2026-02-30T00:00:00', '04.03.2026', '1e9'];
  for (const text of [...texts, '2026-03-04T25:00:00Z', '2026-03-04 05:00']) {
    expect(() => readPeriod({ from: text }, city)).toThrow(
      expect.objectContaining({ code: 'oversight.time_invalid', fields: [expect.anything()] }),
    );
  }
});

test('a page has between one and two hundred items, fifty unless asked', () => {
  expect(readPage({})).toEqual({ limit: 50, beforeIndex: undefined });
  expect(readPage({ limit: 0 }).limit).toBe(1);
  expect(readPage({ limit: 10_000 }).limit).toBe(200);
  expect(readPage({ cursor: '17' }).beforeIndex).toBe(17);
  for (const cursor of ['', 'x', '-1', '1.5', '99999999999999999']) {
    expect(() => readPage({ cursor })).toThrow(
      expect.objectContaining({ code: 'oversight.cursor_invalid' }),
    );
  }
});

test('the row too many says where the next page begins, and is not shown', () => {
  const rows = [9, 7, 4].map((index) => ({ index }));
  expect(toPage(rows, ['i', 'g', 'd'], 2)).toEqual({ items: ['i', 'g'], nextCursor: '7' });
  expect(toPage(rows, ['i', 'g', 'd'], 3)).toEqual({ items: ['i', 'g', 'd'], nextCursor: null });
  expect(toPage([], [], 3)).toEqual({ items: [], nextCursor: null });
});
