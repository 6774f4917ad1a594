// Update frequency: one closed list, read from portals' words and ISO 8601 repeats (R/P1M).

export const frequencies = [
  'continuous',
  'hourly',
  'daily',
  'weekly',
  'semimonthly',
  'monthly',
  'quarterly',
  'semiannual',
  'annual',
  'irregular',
  'never',
] as const;
export type Frequency = (typeof frequencies)[number];

/** First match wins, so the longer wording stands first (每半年 before 每年, 不更新 before 更新). */
const wordings: [RegExp, Frequency][] = [
  [/^(实时|即时|實時|即時|分钟级|每分钟|realtime|real-time|continuous)/, 'continuous'],
  [/^(小时级|每小时|每小時|hourly|r\/pt1h)/, 'hourly'],
  [/^(每日|每天|日更|按日|daily|r\/p1d$)/, 'daily'],
  [/^(每周|每週|每星期|按周|weekly|r\/p(7d|1w)$)/, 'weekly'],
  [/^(每半月|半月|每旬|semi-?monthly|r\/p(0\.5m|15d)$)/, 'semimonthly'],
  [/^(每半年|半年|semi-?annual|r\/p6m$|r\/p0\.5y$)/, 'semiannual'],
  [/^(每季|季度|按季|quarterly|r\/p3m$)/, 'quarterly'],
  [/^(每月|每个月|每個月|月度|按月|monthly|r\/p1m$)/, 'monthly'],
  [/^(每年|年度|按年|annual|yearly|r\/p(1y|12m)$)/, 'annual'],
  [/^(不更新|静态|靜態|一次性|never|static|notplanned|not planned)/, 'never'],
  [/^(不定期|不固定|irregular|asneeded|as needed)/, 'irregular'],
];

/** The frequency that words say; null when they say none (其他, 暂无, an unknown repeat). */
export function readFrequency(words: string): Frequency | null {
  const text = words.normalize('NFKC').trim().toLowerCase();
  return wordings.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}
