// What a licence's document says: its rows in two languages, from the type's schema and nothing else.
import type { Organisation } from '../identity/index.ts';
import { cityDay, type Json, type JsonObject } from '../platform/index.ts';
import { DEFAULT_TEMPLATE, type DocumentContent, type DocumentRow } from '../signing/index.ts';
import { objectOf, propertiesOf } from './field-schema.ts';
import type { LicenceStatus } from './licence.ts';
import type { LicenceType } from './licence-type.ts';
import type { WholeLicence } from './opening.ts';
import { formatVerificationCode, verificationUrl } from './verification-code.ts';

interface Words {
  zh: string;
  en: string;
}

const words = (zh: string, en: string): Words => ({ zh, en });
const both = ({ zh, en }: Words): string => `${zh} ${en}`;

const STANDING: Record<LicenceStatus, Words> = {
  valid: words('有效', 'valid'),
  suspended: words('暂扣', 'suspended'),
  superseded: words('已换发', 'superseded'),
  expired: words('失效', 'expired'),
  cancelled: words('注销', 'cancelled'),
  rescinded: words('撤销', 'rescinded'),
  revoked: words('吊销', 'revoked'),
  transferred: words('已转出', 'transferred'),
};

export interface DocumentSource {
  licence: WholeLicence;
  type: LicenceType;
  authority: Organisation;
  verificationCode: string;
  /** The fields shown; `null`: all. */
  fields: string[] | null;
  publicUrl: string;
  cityTz: string;
  at: Date;
}

/** A licence as a document: an extract says so on every page. */
export function documentContent(source: DocumentSource): DocumentContent {
  const { licence, type, authority, verificationCode, fields, publicUrl, cityTz, at } = source;
  const isShown = (name: string) => fields === null || fields.includes(name);
  const { holder, validFrom, validTo, status } = licence;
  const page = `${publicUrl}/verify`;
  const rows: DocumentRow[] = [];
  const add = (label: Words, ...lines: string[]) => rows.push({ label, lines });
  if (isShown('holder_name')) add(words('持证人', 'Holder'), holder.name);
  if (isShown('holder_id')) add(words('持证人号码', "Holder's number"), holder.value);
  for (const { name, schema } of propertiesOf(type.schema)) {
    const value = licence.fields[name];
    if (value === undefined || value === null || !isShown(name)) continue;
    add(titleOf(name, schema), ...linesOf(schema, value));
  }
  add(words('有效期限', 'Validity'), periodWords(validFrom, validTo));
  add(words('签发日期', 'Issued on'), cityDay(new Date(licence.issuedAt), cityTz));
  if (licence.supersededBy) add(words('换发为', 'Superseded by'), licence.supersededBy);
  return {
    number: licence.number,
    title: words(type.nameZh, type.nameEn),
    issuer: words(authority.nameZh, authority.nameEn),
    rows,
    standing: { words: STANDING[status], isGood: status === 'valid', day: cityDay(at, cityTz) },
    code: {
      label: words('查验码', 'Verification code'),
      text: formatVerificationCode(verificationCode),
      url: verificationUrl(publicUrl, verificationCode),
    },
    footer: words(
      `扫描二维码，或在 ${page} 输入查验码或上传本文件，即可查验真伪与最新状态。印章为数字签名，改动即失效。`,
      `Scan the code, or type it or upload this file at ${page}, to check that it is genuine and how it stands. The seal is a digital signature; a change breaks it.`,
    ),
    ...(fields === null ? {} : { watermark: '节选 Extract' }),
    template: type.template ?? DEFAULT_TEMPLATE,
    at,
  };
}

function periodWords(validFrom: string, validTo: string | null): string {
  return `${validFrom} — ${validTo ?? both(words('长期', 'permanent'))}`;
}

function titleOf(name: string, schema: JsonObject): Words {
  const { title_zh: zh, title_en: en } = schema;
  return words(typeof zh === 'string' ? zh : name, typeof en === 'string' ? en : name);
}

/** A value in lines: a list in one line each, an object's members with their titles. */
function linesOf(schema: JsonObject, value: Json): string[] {
  if (Array.isArray(value)) {
    const items = objectOf(schema.items);
    return value.map((one) => linesOf(items, one).join('；'));
  }
  if (value !== null && typeof value === 'object') {
    const titles = new Map(propertiesOf(schema).map((one) => [one.name, one.schema]));
    return Object.entries(value).flatMap(([name, inner]) => {
      if (inner === undefined || inner === null) return [];
      const own = titles.get(name) ?? {};
      return [`${both(titleOf(name, own))}: ${linesOf(own, inner).join('；')}`];
    });
  }
  return [wordOf(schema, value)];
}

/** One value: the type's own words for it where it gives some (`value_titles`), with its unit. */
function wordOf(schema: JsonObject, value: Json): string {
  if (typeof value === 'boolean') return value ? '是 Yes' : '否 No';
  const { zh, en } = objectOf(objectOf(schema.value_titles)[String(value)]);
  if (typeof zh === 'string') return typeof en === 'string' ? `${zh} ${en}` : zh;
  return `${value}${typeof schema.unit === 'string' ? ` ${schema.unit}` : ''}`;
}
