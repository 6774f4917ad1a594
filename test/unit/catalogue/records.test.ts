// One record of a list or of a data.json into a dataset's content, and what is wrong with bad ones.
import { expect, test } from 'vitest';
import { readDataJsonDataset } from '../../../catalogue/data-json.ts';
import { DatasetContent, tellable } from '../../../catalogue/dataset.ts';
import { labelCount, mapLabels } from '../../../catalogue/field-map.ts';
import { readListRecord } from '../../../catalogue/list-record.ts';

test('the field map knows the labels of real portals', () => {
  expect(labelCount).toBeGreaterThan(150);
  const { keysOf, unmapped } = mapLabels([
    '編號',
    '資料集名稱',
    '資料來源(部會單位)',
    ' 最後更新時間 ',
    '主要欄位',
    '瀏覽次數',
  ]);
  expect(Object.fromEntries(keysOf)).toEqual({
    serial: ['編號'],
    title: ['資料集名稱'],
    organisation: ['資料來源(部會單位)'],
    modified: [' 最後更新時間 '],
    columns: ['主要欄位'],
  });
  expect(unmapped).toEqual(['瀏覽次數']);
});

test('a record of a portal’s list becomes a dataset, its own words kept', () => {
  const read = readListRecord({
    资源名称: ' 公交  线路信息 ',
    发布部门: '区交通局',
    所属区县: '拱墅区',
    摘要: '公交线路、站点',
    标签: '公交、线路、-、公交',
    所属行业: '公共管理、社会保障和社会组织',
    数据领域: '交通出行',
    更新周期: '每月(更新说明:暂无)',
    开放等级: '登录开放',
    发布时间: '2021-11-19',
    更新时间: '昨天',
    数据格式: ['xls', 'XLS', 'json'],
    详情页网址: 'https://data.example.cn/detail?id=1',
    数据量: 50,
    联系电话: '12345678',
  });
  expect(read).toEqual({
    identity: {
      identifier: '',
      url: 'https://data.example.cn/detail?id=1',
      title: '公交 线路信息',
      organisation: '拱墅区\n区交通局',
    },
    record: {
      organisation: { title: '区交通局', region: '拱墅区' },
      content: {
        title: '公交 线路信息',
        notes: '公交线路、站点',
        url: 'https://data.example.cn/detail?id=1',
        openLevel: 'unconditional',
        openWords: '登录开放',
        openCondition: '',
        isLoginRequired: true,
        isApplicationRequired: false,
        frequency: 'monthly',
        frequencyWords: '每月(更新说明:暂无)',
        subjectWords: ['交通出行', '公共管理、社会保障和社会组织'],
        themes: ['transport', 'society'],
        tags: ['公交', '线路'],
        licence: null,
        version: null,
        issued: '2021-11-19',
        modified: null,
        extras: [
          ['所属区县', '拱墅区'],
          ['数据量', '50'],
        ],
        resources: [
          {
            name: 'XLS',
            description: '',
            format: 'XLS',
            mimetype: 'application/vnd.ms-excel',
            url: 'https://data.example.cn/detail?id=1',
          },
          {
            name: 'JSON',
            description: '',
            format: 'JSON',
            mimetype: 'application/json',
            url: 'https://data.example.cn/detail?id=1',
          },
        ],
      },
    },
  });
});

test('words for nothing are nothing, and a link that isn’t a web address is not linked', () => {
  const read = readListRecord({
    标题: '信息',
    数源单位: '暂无',
    开放条件: 'null',
    详情页网址: 'javascript:alert(1)',
    许可: null,
  });
  expect('record' in read && read.record.organisation).toBeNull();
  expect('record' in read && read.record.content.url).toBeNull();
  expect('record' in read && read.record.content.openLevel).toBeNull();
});

test('bad records of a list are told by label and reason', () => {
  const cases: [unknown, { field: string; why: string }[]][] = [
    [{ 标题: '', 摘要: 'x' }, [{ field: '标题', why: 'is missing' }]],
    [{ 摘要: 'x' }, [{ field: 'title', why: 'is missing' }]],
    [
      { 标题: { a: 1 } },
      [
        { field: '标题', why: 'is an object, not text' },
        { field: '标题', why: 'is missing' },
      ],
    ],
    [{ 标题: 'x', 标签: [{}] }, [{ field: '标签', why: 'is an object, not text' }]],
    [{ 标题: '长'.repeat(1001) }, [{ field: '标题', why: 'has 1001 characters, at most 1000' }]],
    ['text', [{ field: 'record', why: 'is a string' }]],
    [null, [{ field: 'record', why: 'is null' }]],
    [['标题'], [{ field: 'record', why: 'is a list' }]],
  ];
  for (const [value, faults] of cases) {
    const read = readListRecord(value);
    expect([value, 'faults' in read && read.faults]).toEqual([value, faults]);
  }
});

const dataset = {
  title: 'Bus stops',
  identifier: 'bus-stops',
  description: 'All stops.',
  accessLevel: 'restricted public',
  rights: 'On request.',
  publisher: { name: 'City of Example' },
  keyword: ['bus', ' stops ', 'bus'],
  modified: 'R/P1M',
  issued: null,
  license: 'https://creativecommons.org/licenses/by/4.0/',
  contactPoint: { fn: 'A person', hasEmail: 'mailto:a@example.org' },
  theme: ['Transport'],
  spatial: 'Example',
  distribution: [
    { title: 'CSV file', downloadURL: 'https://example.org/a.csv', mediaType: 'text/csv' },
    { accessURL: 'ftp://example.org/b', format: 'shp' },
    null,
  ],
};

test('a dataset of a data.json becomes a dataset, without the contact', () => {
  const read = readDataJsonDataset(dataset);
  expect(read).toEqual({
    identity: {
      identifier: 'bus-stops',
      url: '',
      title: 'Bus stops',
      organisation: 'City of Example',
    },
    record: {
      organisation: { title: 'City of Example', region: '' },
      content: {
        title: 'Bus stops',
        notes: 'All stops.',
        url: null,
        openLevel: 'conditional',
        openWords: 'restricted public',
        openCondition: 'On request.',
        isLoginRequired: false,
        isApplicationRequired: false,
        frequency: 'monthly',
        frequencyWords: 'R/P1M',
        subjectWords: ['Transport'],
        themes: ['transport'],
        tags: ['bus', 'stops'],
        licence: 'https://creativecommons.org/licenses/by/4.0/',
        version: null,
        issued: null,
        modified: null,
        extras: [['spatial', 'Example']],
        resources: [
          {
            name: 'CSV file',
            description: '',
            format: 'CSV',
            mimetype: 'text/csv',
            url: 'https://example.org/a.csv',
          },
          { name: 'SHP', description: '', format: 'SHP', mimetype: null, url: null },
        ],
      },
    },
  });
  expect(JSON.stringify(read)).not.toContain('A person');
});

test('bad datasets of a data.json are told by JSON pointer and reason', () => {
  const cases: [object, { field: string; why: string }[]][] = [
    [{ title: null }, [{ field: '/title', why: 'is missing' }]],
    [{ title: 7 }, [{ field: '/title', why: 'is a number, not text' }]],
    [{ identifier: '' }, [{ field: '/identifier', why: 'is missing' }]],
    [{ publisher: {} }, [{ field: '/publisher/name', why: 'is missing' }]],
    [{ publisher: 'City' }, [{ field: '/publisher', why: 'is a string, not an object' }]],
    [{ keyword: 'bus' }, [{ field: '/keyword', why: 'is a string, not a list' }]],
    [{ keyword: ['bus', 1] }, [{ field: '/keyword/1', why: 'is a number, not text' }]],
    [{ distribution: [7] }, [{ field: '/distribution/0', why: 'is a number, not an object' }]],
    [
      { distribution: [{ title: [] }] },
      [{ field: '/distribution/0/title', why: 'is a list, not text' }],
    ],
    [
      { accessLevel: 'secret' },
      [{ field: '/accessLevel', why: 'must be public, restricted public or non-public' }],
    ],
  ];
  for (const [change, faults] of cases) {
    const read = readDataJsonDataset({ ...dataset, ...change });
    expect([change, 'faults' in read && read.faults]).toEqual([change, faults]);
  }
});

test('of data that isn’t opened only title and reason are left', () => {
  const content = DatasetContent.parse({
    title: '管线',
    notes: '细节',
    openLevel: 'not_open',
    openWords: '不予开放',
    openCondition: '安全',
    tags: ['管线'],
    themes: ['safety'],
    subjectWords: ['公共安全'],
    extras: [['坐标系', 'X']],
    resources: [{ name: 'CSV', url: 'https://example.org/a.csv' }],
  });
  expect(tellable(content)).toEqual({
    ...DatasetContent.parse({ title: '管线', openLevel: 'not_open' }),
    openWords: '不予开放',
    openCondition: '安全',
  });
});
