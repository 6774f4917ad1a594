// File formats as portals name them, read into one upper-case word each, with its media type.

const mediaTypes: Record<string, string> = {
  CSV: 'text/csv',
  TSV: 'text/tab-separated-values',
  JSON: 'application/json',
  GEOJSON: 'application/geo+json',
  XML: 'application/xml',
  RDF: 'application/rdf+xml',
  XLS: 'application/vnd.ms-excel',
  XLSX: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  DOC: 'application/msword',
  DOCX: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  PDF: 'application/pdf',
  TXT: 'text/plain',
  HTML: 'text/html',
  KML: 'application/vnd.google-earth.kml+xml',
  ZIP: 'application/zip',
};
const formatOf = new Map(Object.entries(mediaTypes).map(([format, type]) => [type, format]));

const words: [RegExp, string][] = [
  [/^数据库|^資料庫|^database/, 'DATABASE'],
  [/^(电子表格|電子表格|excel|表格)$/, 'XLS'],
  [/^(api|接口|介接)/, 'API'],
  [/^(data|file|文件|电子文件|其他|其它|other)$/, 'FILE'],
];

/** One format word for what a source says: `电子表格-xlsx` → XLSX, `text/csv` → CSV; '' for nothing. */
export function readFormat(said: string): string {
  const text = said.normalize('NFKC').trim().toLowerCase();
  if (text === '') return '';
  const known = formatOf.get(text);
  if (known) return known;
  const [, suffix] = /^(?:电子表格|电子文件|图形图像|流媒体)-(.+)$/.exec(text) ?? [];
  const word = words.find(([pattern]) => pattern.test(suffix ?? text))?.[1];
  return word ?? (suffix ?? text).replace(/^\./, '').toUpperCase().slice(0, 40);
}

/** The media type of a format word; null when it has none. */
export function mediaTypeOf(format: string): string | null {
  return mediaTypes[format] ?? null;
}
