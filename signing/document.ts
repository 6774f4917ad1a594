// A document as it is handed in to be drawn and sealed: words in two languages, rows, a template. What
// kind of document it is, and whose, is nobody's business here.
import { z } from 'zod';

const Words = z.strictObject({ zh: z.string(), en: z.string() });
const colour = z.string().regex(/^#[0-9a-f]{6}$/, 'is a colour like #8c1d18');

/** How documents of one kind look; kept with the version of the kind it belongs to. */
export const DocumentTemplate = z.strictObject({
  /** `certificate`: framed, its title in the middle; `letter`: a band at the top, its title at the left. */
  layout: z.enum(['certificate', 'letter']).default('certificate'),
  /** Of the frame or band, the title and the rules. */
  accent: colour.default('#8c1d18'),
  /** A sentence at the foot, such as what the licence doesn't allow. */
  note: z.strictObject({ zh: z.string().max(200), en: z.string().max(300) }).optional(),
});
export type DocumentTemplate = z.infer<typeof DocumentTemplate>;

export const DEFAULT_TEMPLATE: DocumentTemplate = { layout: 'certificate', accent: '#8c1d18' };

/** One row: a label, and its value in one or more lines. */
export const DocumentRow = z.strictObject({ label: Words, lines: z.array(z.string()) });
export type DocumentRow = z.infer<typeof DocumentRow>;

export const DocumentContent = z.strictObject({
  /** The document's number; it stands in the signature too, so that a checker finds it. */
  number: z.string().regex(/^[0-9A-Z.]{1,120}$/),
  title: Words,
  issuer: Words,
  rows: z.array(DocumentRow),
  /** How it stood on a day, and whether that is good. */
  standing: z.strictObject({ words: Words, isGood: z.boolean(), day: z.string() }),
  /** Typed by who has no camera, and what the camera reads. */
  code: z.strictObject({ label: Words, text: z.string(), url: z.string() }),
  footer: Words,
  /** Across the page in large letters; real text. */
  watermark: z.string().optional(),
  template: DocumentTemplate,
  /** When it is made. */
  at: z.coerce.date(),
});
export type DocumentContent = z.infer<typeof DocumentContent>;

/** What a drawn document leaves room for, to be filled in when it is sealed (seal-document.ts). */
export const ROOM = {
  /** Bytes of the signature; twice as many hexadecimal digits. Ours have 5,100. */
  signatureBytes: 8192,
  /** In place of each number of the byte range. */
  rangeDigits: '**********',
  /** The entry of the signature that names the document. */
  numberKey: 'YIHAO_Number',
} as const;
