import { expect, test } from 'vitest';
import { readRowTable } from '../../../catalogue/row-table.ts';
import { AppError } from '../../../platform/index.ts';

const table = (csv: string) => readRowTable(Buffer.from(csv));

test('columns are typed by all their values; codes and leading zeros stay text', () => {
  const csv = [
    '编码,人口,面积,行政区划代码,日期,时刻,有效,备注,空',
    '007,1200,-3.50,110101,2024-02-29,2024-01-01 10:20,true,"a,b",',
    '010,,0.25,110102,2023-01-01,2024-01-01T10:20:30,FALSE,12,',
  ].join('\n');
  expect(table(csv)).toEqual({
    fields: [
      { id: '编码', type: 'text' },
      { id: '人口', type: 'numeric' },
      { id: '面积', type: 'numeric' },
      { id: '行政区划代码', type: 'text' },
      { id: '日期', type: 'date' },
      { id: '时刻', type: 'timestamp' },
      { id: '有效', type: 'bool' },
      { id: '备注', type: 'text' },
      { id: '空', type: 'text' },
    ],
    rows: [
      ['007', '1200', '-3.50', '110101', '2024-02-29', '2024-01-01 10:20', 'true', 'a,b', null],
      ['010', null, '0.25', '110102', '2023-01-01', '2024-01-01T10:20:30', 'FALSE', '12', null],
    ],
  });
});

test('what only looks like a number or a day stays text', () => {
  const values = ['1e5', '1,000', '+5', '01.5', '.5', '1234567890123456', '0x10', '１２'];
  for (const value of values) {
    expect([value, table(`x\n"${value}"\n`).fields]).toEqual([value, [{ id: 'x', type: 'text' }]]);
  }
  for (const day of ['2023-02-29', '2023-1-1', '2023-13-01', '20230101x']) {
    expect([day, table(`x\n${day}\n`).fields]).toEqual([day, [{ id: 'x', type: 'text' }]]);
  }
});

test('columns without a name or with a taken one get their own', () => {
  expect(table('a,,a,_id\n1,2,3,4\n').fields.map(({ id }) => id)).toEqual([
    'a',
    'column_2',
    'a_2',
    '_id_2',
  ]);
});

test('tables that can’t be taken are refused with the lines', () => {
  const cases: [string, string[] | undefined][] = [
    ['', undefined],
    [
      'a,b\n1,2\n3\n4,5,6\n',
      ['line 3 has 1 values for 2 columns', 'line 4 has 3 values for 2 columns'],
    ],
    [Array.from({ length: 501 }, (_, at) => `c${at}`).join(','), undefined],
  ];
  for (const [csv, details] of cases) {
    let refusal: unknown;
    try {
      table(csv);
    } catch (error) {
      refusal = error;
    }
    expect(refusal instanceof AppError && refusal.code).toBe('catalogue.table_invalid');
    const fields = refusal instanceof AppError ? refusal.fields : [];
    expect(fields?.map(({ detail }) => detail)).toEqual(details);
  }
});
