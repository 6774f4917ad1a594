// The catalogue's eight themes (CKAN's groups) and how sources' own subject words fall into them.
import { stableUuid } from './names.ts';

export interface Theme {
  id: string;
  name: string;
  titleZh: string;
  titleEn: string;
}

const definitions: [name: string, titleZh: string, titleEn: string, words: RegExp][] = [
  ['transport', '交通出行', 'Transport', /交通|出行|公交|运输|運輸|道路|transport|transit/],
  ['environment', '资源环境', 'Environment', /环境|環境|生态|气象|水利|资源|能源|环保|environment/],
  ['health', '医疗卫生', 'Health', /医疗|医药|卫生|健康|就医|醫療|衛生|health/],
  ['education', '教育科技', 'Education and science', /教育|科技|科学|文化|体育|學校|education/],
  ['safety', '公共安全', 'Public safety', /安全|公安|消防|应急|司法|法律|safety|police|crime/],
  [
    'economy',
    '经济产业',
    'Economy',
    /经济|财税|金融|工业|农业|商贸|市场|企业|信用|统计|econom|business/,
  ],
  ['housing', '城乡建设', 'City and housing', /城建|住房|建设|规划|土地|地理|房|planning|housing/],
  ['society', '民生服务', 'People and services', /民生|生活|社会|社保|就业|民政|社区|养老|人力/],
];

export const themes: readonly Theme[] = definitions.map(([name, titleZh, titleEn]) => ({
  id: stableUuid('theme', name),
  name,
  titleZh,
  titleEn,
}));

/** The themes that a source's subject words name, in our order; the words themselves are kept too. */
export function readThemes(subjectWords: readonly string[]): string[] {
  const text = subjectWords.join(' ').toLowerCase();
  return definitions.filter(([, , , words]) => words.test(text)).map(([name]) => name);
}
