// Bytes of a source or an upload into text: gzip, byte order marks, utf-8, gb18030, Big5.
import { gunzipSync } from 'node:zlib';
import type { AppError } from '../platform/index.ts';
import { catalogueErrors } from './errors.ts';

/** What is parsed in one go; JSON of this size takes about 0.5 GB while it is read. */
export const maxSourceBytes = 64 * 1024 * 1024;

/** Characters so common in both scripts' government data that a wrong decoding has few of them. */
const common = new Set(
  '的一是不了在有中人大和年月日市区县局部信息数据资源名称许可证单位管理统计开放更新发布摘要标题编号主题领域地址' +
    '电话类别行业条件周期提供企业服务公共公司工程交通安全中心街道项目时间机构登记经营' +
    '區縣資訊數據資料資源稱許證單統計開摘標題編號領電話類別業條週期供務共檔關機構臺灣時間總處園學衛',
);

/** The bytes themselves, unpacked when they are gzip; refused when larger than `maxSourceBytes`. */
export function unpack(bytes: Uint8Array): Uint8Array {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isGzip) {
    if (bytes.length > maxSourceBytes) throw tooLarge();
    return bytes;
  }
  try {
    return gunzipSync(bytes, { maxOutputLength: maxSourceBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge();
    throw catalogueErrors.source_unreadable('The gzip file is damaged or cut off.', { cause });
  }
}

/** The refusal of what is larger than `maxSourceBytes`. */
export function tooLarge(): AppError {
  return catalogueErrors.source_too_large(
    `The source is larger than ${maxSourceBytes / 1024 / 1024} MB unpacked: split it, or send it as several sources.`,
  );
}

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'gb18030' | 'big5';

/** Below this share of everyday characters a decoding is noise: real tables have 20 % and more. */
const leastEveryday = 0.02;

/**
 * The text of `bytes`: by its byte order mark, as strict utf-8, else as gb18030 or Big5, whichever
 * gives more everyday characters; nearly all Big5 is also valid gb18030, so validity can't tell.
 * Workbooks, pictures and other files that are no text are refused.
 */
export function decodeText(bytes: Uint8Array): { text: string; encoding: Encoding } {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decoded(bytes, 'utf-16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decoded(bytes, 'utf-16be');
  if (Buffer.from(bytes.subarray(0, 4)).toString('latin1') === 'PK\u0003\u0004') {
    throw catalogueErrors.source_unreadable(
      'This is a workbook or a zip file: save the table as CSV and send that.',
    );
  }
  const text = strictly(bytes, 'utf-8');
  if (text !== null) return { text, encoding: 'utf-8' };
  const [best] = (['gb18030', 'big5'] as const)
    .map((encoding) => ({ encoding, text: strictly(bytes, encoding) ?? '' }))
    .map((candidate) => ({ ...candidate, share: everyday(candidate.text) }))
    .sort((a, b) => b.share - a.share);
  if (!best || best.share < leastEveryday) {
    throw catalogueErrors.source_unreadable(
      'The text is none of utf-8, gb18030 and Big5: save it as utf-8.',
    );
  }
  return { text: best.text, encoding: best.encoding };
}

function decoded(bytes: Uint8Array, encoding: Encoding): { text: string; encoding: Encoding } {
  const text = strictly(bytes, encoding);
  if (text === null) {
    throw catalogueErrors.source_unreadable(`The text is marked as ${encoding} but damaged.`);
  }
  return { text, encoding };
}

function strictly(bytes: Uint8Array, encoding: Encoding): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The share of everyday characters among those beyond ASCII; 0 when there are none. */
function everyday(text: string): number {
  const characters = text.slice(0, 200_000).match(/\P{ASCII}/gu) ?? [];
  const count = characters.filter((character) => common.has(character)).length;
  return characters.length === 0 ? 0 : count / characters.length;
}
