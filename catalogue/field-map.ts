// What the columns of dataset lists mean: the labels of Chinese portals, Taiwan's, and English ones.

export type Field =
  | 'identifier'
  | 'serial'
  | 'title'
  | 'notes'
  | 'columns'
  | 'organisation'
  | 'region'
  | 'tags'
  | 'subject'
  | 'openType'
  | 'openCondition'
  | 'frequency'
  | 'issued'
  | 'modified'
  | 'formats'
  | 'url'
  | 'licence'
  | 'version'
  | 'contact';

/** Within a field the earlier label is preferred when a list has several. */
const labels: Record<Field, string> = {
  identifier:
    'identifier id uuid guid 标识符 唯一标识 标识 识别码 资源标识 资源标识符 数据集标识 资源编码 资源代码 资源编号 信息资源代码 信息资源编码 ' +
    '数据集编码 数据集代码 数据集编号 目录编码 目录代码 目录编号 数据资源编码 資料集識別碼 識別碼 資料集編號',
  // Row numbers of a list: they move when a line is put in, so they identify nothing.
  serial: '序号 編號 编号 序號 no number 行号',
  title:
    '标题 资源名称 数据集名称 数据名称 目录名称 信息资源名称 数据资源名称 数据目录名称 资源标题 数据标题 名称 主题标题 資料集名稱 資料名稱 名稱 標題 ' +
    'title datasetname dataset name',
  notes:
    '摘要 数据摘要 资源摘要 信息资源摘要 资源描述 数据描述 数据集描述 目录摘要 描述 简介 数据简介 说明 数据说明 内容描述 资源简介 目录描述 ' +
    '資料集描述 資料描述 資料集說明 說明 notes description abstract summary',
  columns:
    '数据项 信息项 数据字段 字段 字段名称 主要字段 信息项名称 主要欄位 主要欄位說明 欄位 columns fields',
  organisation:
    '数据提供方 数源单位 所属单位 发布部门 提供方 提供单位 提供部门 数据提供单位 数据提供部门 来源部门 来源单位 数据来源 发布单位 发布机构 开放主体 ' +
    '责任部门 责任单位 所属部门 所属机构 信息资源提供方 资源提供方 部门名称 单位名称 提供機關名稱 提供機關 資料來源 資料提供機關 主管機關 機關名稱 ' +
    'organization organisation publisher agency department author',
  region: '所属区县 区县 行政区划 所属地区 所属区域 地区 区域 所属地市 region',
  tags: '标签 数据标签 资源标签 关键词 关键字 主题词 關鍵字 標籤 tags tag keywords keyword',
  subject:
    '数据领域 所属主题 主题名称 主题 主题分类 国家主题分类 所属领域 领域 应用场景 所属行业 行业分类 行业 资源分类 数据分类 目录分类 服务分类 ' +
    '資料集類型 服務分類 主題分類 第一層級 第二層級 第三層級 theme category group groups',
  openType:
    '开放属性 开放类型 开放等级 开放级别 开放方式 开放程度 开放类别 是否开放 共享开放属性 開放屬性 開放類型 accesslevel openlevel open_level',
  openCondition: '开放条件 开放说明 开放范围 限制条件 開放條件 opencondition',
  frequency:
    '更新周期 更新频率 更新频度 更新頻率 更新週期 更新方式 accrualperiodicity frequency updatefrequency',
  issued:
    '发布日期 发布时间 首次发布日期 首次发布时间 首次上线时间 创建时间 创建日期 上线日期 上架日 上架日期 發布日期 issued created published',
  modified:
    '更新日期 更新时间 最近更新 最近更新时间 最近更新日期 最后更新时间 最后更新日期 最后更新 资源更新日期 数据更新时间 修改时间 修改日期 ' +
    '最後更新時間 更新時間 詮釋資料更新時間 modified updated lastmodified metadatamodified',
  formats:
    '数据格式 资源格式 文件格式 格式 资源类型 信息资源格式 檔案格式 資料格式 format formats fileformat',
  url: '详情页网址 详情页 网址 链接 链接地址 地址链接 访问地址 资源地址 详情链接 資料集網址 連結 網址 url landingpage link',
  licence: '许可协议 许可 授权方式 使用许可 開放授權 授權方式 license licence licenseid',
  version: '版本号 版本 版本號 version',
  // Who may be called is a person's name or number as a rule: not taken over.
  contact:
    '联系人 联系方式 联系电话 联系邮箱 邮箱 电子邮箱 电话 联系人姓名 聯絡人 聯絡電話 聯絡人電子信箱 提供機關聯絡人姓名 提供機關聯絡人電話 ' +
    'contact contactpoint phone email maintainer maintaineremail authoremail',
};

const fieldOf = new Map<string, { field: Field; rank: number }>();
for (const [field, words] of Object.entries(labels)) {
  if (!isField(field)) continue;
  words.split(' ').forEach((word, rank) => {
    const label = foldLabel(word);
    if (!fieldOf.has(label)) fieldOf.set(label, { field, rank });
  });
}

function isField(name: string): name is Field {
  return name in labels;
}

/** `資料來源(部會單位)` and ` 資料來源 ` are one label. */
function foldLabel(label: string): string {
  return label
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\(.*\)$/, '')
    .replace(/[\s_:*-]+/g, '');
}

/** The keys of a list's records, sorted into fields; within a field the preferred label first. */
export function mapLabels(keys: readonly string[]): {
  keysOf: Map<Field, string[]>;
  unmapped: string[];
} {
  const known = keys
    .map((key) => ({ key, meaning: fieldOf.get(foldLabel(key)) }))
    .sort((a, b) => (a.meaning?.rank ?? 0) - (b.meaning?.rank ?? 0));
  const keysOf = new Map<Field, string[]>();
  const unmapped: string[] = [];
  for (const { key, meaning } of known) {
    if (meaning === undefined) unmapped.push(key);
    else keysOf.set(meaning.field, [...(keysOf.get(meaning.field) ?? []), key]);
  }
  return { keysOf, unmapped };
}

/** How many labels the map knows; a test compares it with the real cross-portal index. */
export const labelCount = fieldOf.size;
