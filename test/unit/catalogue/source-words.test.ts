// Frequencies, dates, formats, themes, names: single words of a source.
import { expect, test } from 'vitest';
import { readFormat } from '../../../catalogue/formats.ts';
import { readFrequency } from '../../../catalogue/frequency.ts';
import { readLicence } from '../../../catalogue/licences.ts';
import { namePattern, stableName, stableUuid } from '../../../catalogue/names.ts';
import { readSourceDate } from '../../../catalogue/source-date.ts';
import { readThemes } from '../../../catalogue/themes.ts';

test('frequencies are read from portals’ words and from ISO 8601 repeats', () => {
  const cases: [string, string | null][] = [
    ['实时', 'continuous'],
    ['分钟级(更新说明:暂无新业务数据产生)', 'continuous'],
    ['小时级', 'hourly'],
    ['每日', 'daily'],
    ['每天', 'daily'],
    ['每周', 'weekly'],
    ['每半月', 'semimonthly'],
    ['每月(更新说明:暂无新业务数据产生)', 'monthly'],
    ['每季度', 'quarterly'],
    ['每半年', 'semiannual'],
    ['每年', 'annual'],
    ['静态数据', 'never'],
    ['不更新', 'never'],
    ['不定期更新', 'irregular'],
    ['R/P1M', 'monthly'],
    ['R/P1Y', 'annual'],
    ['R/P1D', 'daily'],
    ['R/P10D', null],
    ['其他', null],
    ['', null],
  ];
  for (const [words, frequency] of cases)
    expect([words, readFrequency(words)]).toEqual([words, frequency]);
});

test('dates are read in the ways portals write them, and only days that exist', () => {
  const cases: [string, string | null][] = [
    ['2023-06-16', '2023-06-16'],
    ['2023-6-1 10:20:30', '2023-06-01'],
    ['2023-06-16T10:20:30Z', '2023-06-16'],
    ['2013/03/18', '2013-03-18'],
    ['2023年6月16日', '2023-06-16'],
    ['20230616', '2023-06-16'],
    ['107/07/22', '2018-07-22'],
    ['民國107年7月22日', '2018-07-22'],
    ['２０２３－０６－１６', '2023-06-16'],
    ['2024-02-29', '2024-02-29'],
    ['2023-02-29', null],
    ['2023-13-01', null],
    ['0023-01-01', null],
    ['R/P1W', null],
    ['2023', null],
    ['暂无', null],
    ['', null],
  ];
  for (const [words, day] of cases) expect([words, readSourceDate(words)]).toEqual([words, day]);
});

test('formats become one word each', () => {
  const cases: [string, string][] = [
    ['xlsx', 'XLSX'],
    ['电子表格-xls', 'XLS'],
    ['电子表格', 'XLS'],
    ['数据库-mysql', 'DATABASE'],
    ['text/csv', 'CSV'],
    ['.json', 'JSON'],
    ['api', 'API'],
    ['电子文件-其他', 'FILE'],
    ['图形图像-jpg', 'JPG'],
    ['', ''],
  ];
  for (const [said, format] of cases) expect([said, readFormat(said)]).toEqual([said, format]);
});

test('subjects fall into our themes', () => {
  expect(readThemes(['城建住房', '水利、环境和公共设施管理业'])).toEqual([
    'environment',
    'housing',
  ]);
  expect(readThemes(['默认主题'])).toEqual([]);
});

test('licences are recognised by link and by name, others keep their words', () => {
  expect(readLicence('https://creativecommons.org/licenses/by/4.0/').id).toBe('cc-by');
  expect(readLicence('CC0').id).toBe('cc-zero');
  expect(readLicence(null).id).toBe('notspecified');
  expect(readLicence('https://example.org/terms')).toEqual({
    id: 'other-closed',
    title: 'Other',
    url: 'https://example.org/terms',
    isOpen: false,
  });
});

test('names are CKAN names, readable where the title is Latin, the same for the same identity', () => {
  const names = [
    stableName('d', 'Bus Stops: Île-de-France', 'source', 'key'),
    stableName('d', '公交站点信息', 'source', 'key'),
    stableName('d', '—', 'source', 'key'),
    stableName('d', 'x'.repeat(500), 'source', 'key'),
  ];
  for (const name of names) expect(name).toMatch(namePattern);
  expect(names[0]).toMatch(/^bus-stops-ile-de-france-[0-9a-f]{8}$/);
  expect(names[1]).toMatch(/^d-[0-9a-f]{12}$/);
  expect(stableName('d', '别的标题', 'source', 'key')).toBe(names[1]);
  expect(stableName('d', '公交站点信息', 'source', 'other')).not.toBe(names[1]);
});

test('a stable UUID is a UUID of version 8, and its parts can’t run into each other', () => {
  expect(stableUuid('a', 'b')).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  expect(stableUuid('ab', '')).not.toBe(stableUuid('a', 'b'));
});
