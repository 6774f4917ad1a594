// Drawing a document on A4 as PDF: real text in two languages, subset fonts, a QR code in vectors, and
// room for the signature (PAdES, ETSI EN 319 142-1; ISO 32000-1 section 12.8).
import {
  degrees,
  fill,
  PDFArray,
  PDFDocument,
  type PDFFont,
  PDFHexString,
  PDFName,
  PDFNumber,
  type PDFOperator,
  type PDFPage,
  PDFString,
  popGraphicsState,
  pushGraphicsState,
  type RGB,
  rectangle,
  rgb,
  setFillingRgbColor,
} from '@cantoo/pdf-lib';
import type { Font } from 'fontkit';
import { encode } from 'uqr';
import { type DocumentContent, type DocumentRow, ROOM } from './document.ts';
import { readFont, type Weight } from './document-font.ts';
import { type WidthOf, wrap } from './document-text.ts';

const A4 = { width: 595.28, height: 841.89 };
const MARGIN = 56;
const LABEL_WIDTH = 150;
/** What the foot of the last page needs: code, seal, notes. */
const FOOT = 168;
const QR_SIZE = 92;
const SEAL_RADIUS = 54;
const black = rgb(0.1, 0.1, 0.1);
const grey = rgb(0.42, 0.42, 0.42);
const sealRed = rgb(0.78, 0.1, 0.1);

const typefaces = new Map<Weight, Font>();

/**
 * Parsed once and kept: parsing for each document would cost more than all of the rest. Characters
 * become glyphs one by one: neither Chinese nor Latin needs shaping to be right, and shaping costs a third.
 */
function typeface(weight: Weight): Font {
  const known = typefaces.get(weight);
  if (known) return known;
  const font = readFont(weight);
  const layout = (text: string) => ({
    glyphs: Array.from(text, (character) => font.glyphForCodePoint(character.codePointAt(0) ?? 0)),
  });
  const plain: Font = Object.create(font, { layout: { value: layout } });
  typefaces.set(weight, plain);
  return plain;
}

const widths = new Map<Weight, Map<string, number>>([
  ['regular', new Map()],
  ['bold', new Map()],
]);

/** A text's width by its characters' own, kept: shaping it anew for each try at a line took 25 ms a page. */
function widthAt(weight: Weight, size: number): WidthOf {
  const known = widths.get(weight) ?? new Map<string, number>();
  const font = typeface(weight);
  const widthOf = (character: string): number => {
    const found = known.get(character);
    if (found !== undefined) return found;
    const { advanceWidth } = font.glyphForCodePoint(character.codePointAt(0) ?? 0);
    known.set(character, advanceWidth / font.unitsPerEm);
    return advanceWidth / font.unitsPerEm;
  };
  return (text) => {
    let sum = 0;
    for (const character of text) sum += widthOf(character);
    return sum * size;
  };
}

interface Pen {
  pdf: PDFDocument;
  regular: PDFFont;
  bold: PDFFont;
  accent: RGB;
  content: DocumentContent;
  page: PDFPage;
  /** The next line's top. */
  y: number;
}

/** The document as PDF, its signature not yet filled in. 6 to 14 ms of CPU for a page with 9 rows. */
export async function drawDocument(content: DocumentContent): Promise<Uint8Array> {
  const pdf = await PDFDocument.create({ updateMetadata: false });
  pdf.setTitle(`${content.title.zh} ${content.title.en}`, { showInWindowTitleBar: true });
  pdf.setAuthor(content.issuer.zh);
  pdf.setSubject(content.number);
  pdf.setProducer('Yihao');
  pdf.setCreator('Yihao');
  pdf.setLanguage('zh-CN');
  pdf.setCreationDate(content.at);
  pdf.setModificationDate(content.at);
  const regular = await embed(pdf, 'regular');
  const bold = await embed(pdf, 'bold');
  const accent = colourOf(content.template.accent);
  const page = pdf.addPage([A4.width, A4.height]);
  const pen: Pen = { pdf, regular, bold, accent, content, page, y: 0 };
  drawHead(pen);
  for (const row of content.rows) drawRow(pen, row);
  drawFoot(pen);
  if (content.watermark !== undefined) drawWatermark(pen, content.watermark);
  leaveRoom(pen);
  return pdf.save({ useObjectStreams: false, objectsPerTick: Number.POSITIVE_INFINITY });
}

function embed(pdf: PDFDocument, weight: Weight): Promise<PDFFont> {
  pdf.registerFontkit({ create: () => typeface(weight) });
  return pdf.embedFont(new Uint8Array(), {
    subset: true,
    customName: `NotoSansSC-${weight}`,
  });
}

function colourOf(hex: string): RGB {
  const part = (at: number) => Number.parseInt(hex.slice(at, at + 2), 16) / 255;
  return rgb(part(1), part(3), part(5));
}

/** One line of text with its top at `y`. */
function line(
  pen: Pen,
  text: string,
  at: { x: number; y: number; size: number; font?: PDFFont; color?: RGB },
): void {
  const { x, y, size, font = pen.regular, color = black } = at;
  pen.page.drawText(text, { x, y: y - size, size, font, color });
}

/** The same between two margins, in the middle. */
function centred(pen: Pen, text: string, at: Omit<Parameters<typeof line>[2], 'x'>): void {
  const { font = pen.regular, size } = at;
  line(pen, text, { ...at, x: (A4.width - font.widthOfTextAtSize(text, size)) / 2 });
}

function paragraph(
  pen: Pen,
  text: string,
  at: { x: number; y: number; size: number; width: number; color?: RGB },
): number {
  const { size, width } = at;
  const lines = wrap(text, width, widthAt('regular', size));
  for (const [index, words] of lines.entries()) {
    line(pen, words, { ...at, y: at.y - index * size * 1.4 });
  }
  return lines.length * size * 1.4;
}

function frame({ page, accent, content }: Pen): void {
  if (content.template.layout === 'letter') {
    page.drawRectangle({ x: 0, y: A4.height - 18, width: A4.width, height: 18, color: accent });
    return;
  }
  for (const [inset, thickness] of [
    [24, 2.4],
    [30, 0.6],
  ] as const) {
    page.drawRectangle({
      x: inset,
      y: inset,
      width: A4.width - 2 * inset,
      height: A4.height - 2 * inset,
      borderColor: accent,
      borderWidth: thickness,
    });
  }
}

function drawHead(pen: Pen): void {
  const { content, bold, accent } = pen;
  const { title, issuer, number, standing } = content;
  frame(pen);
  const isLetter = content.template.layout === 'letter';
  const put = (text: string, y: number, size: number, font = pen.regular, color = black) => {
    const room = A4.width - 2 * MARGIN;
    const fitting = Math.min(size, (size * room) / font.widthOfTextAtSize(text, size));
    if (isLetter) line(pen, text, { x: MARGIN, y, size: fitting, font, color });
    else centred(pen, text, { y, size: fitting, font, color });
  };
  put(`${issuer.zh}  ${issuer.en}`, 788, 10, pen.regular, grey);
  put(title.zh, 764, 26, bold, accent);
  put(title.en, 726, 13, pen.regular, accent);
  put(`证照编号 Number  ${number}`, 698, 9);
  put(
    `截至 ${standing.day}：${standing.words.zh}  As of ${standing.day}: ${standing.words.en}`,
    682,
    9,
    bold,
    standing.isGood ? rgb(0.08, 0.42, 0.2) : sealRed,
  );
  pen.y = 654;
  rule(pen);
}

function rule({ page, accent, y }: Pen): void {
  page.drawLine({
    start: { x: MARGIN, y },
    end: { x: A4.width - MARGIN, y },
    thickness: 0.6,
    color: accent,
    opacity: 0.5,
  });
}

function drawRow(pen: Pen, { label, lines }: DocumentRow): void {
  const width = A4.width - 2 * MARGIN - LABEL_WIDTH;
  const values = lines.flatMap((text) => wrap(text, width, widthAt('regular', 11)));
  const labelEn = wrap(label.en, LABEL_WIDTH - 12, widthAt('regular', 7.5));
  const labelHeight = 15 + labelEn.length * 9.5;
  let rest = values.length > 0 ? values : ['—'];
  let isFirst = true;
  while (rest.length > 0) {
    if (pen.y - labelHeight - 12 < MARGIN) newPage(pen);
    const room = Math.max(1, Math.floor((pen.y - MARGIN - 12) / 16));
    const now = rest.slice(0, room);
    rest = rest.slice(room);
    const top = pen.y - 6;
    if (isFirst) {
      line(pen, label.zh, { x: MARGIN, y: top, size: 10.5, font: pen.bold });
      for (const [index, text] of labelEn.entries()) {
        line(pen, text, { x: MARGIN, y: top - 15 - index * 9.5, size: 7.5, color: grey });
      }
    }
    for (const [index, text] of now.entries()) {
      line(pen, text, { x: MARGIN + LABEL_WIDTH, y: top - index * 16, size: 11 });
    }
    pen.y = top - Math.max(isFirst ? labelHeight : 0, now.length * 16) - 4;
    isFirst = false;
    rule(pen);
  }
}

function newPage(pen: Pen): void {
  pen.page = pen.pdf.addPage([A4.width, A4.height]);
  frame(pen);
  const { title, number } = pen.content;
  line(pen, `${title.zh}  ${number}`, { x: MARGIN, y: 792, size: 8, color: grey });
  pen.y = 772;
}

function drawFoot(pen: Pen): void {
  if (pen.y - FOOT < MARGIN - 8) newPage(pen);
  const { content } = pen;
  const top = MARGIN - 8 + FOOT;
  drawQr(pen, content.code.url, { x: MARGIN, y: top - QR_SIZE });
  const x = MARGIN + QR_SIZE + 14;
  const { label, text } = content.code;
  line(pen, `${label.zh} ${label.en}`, { x, y: top, size: 8, color: grey });
  line(pen, text, { x, y: top - 14, size: 12, font: pen.bold });
  const width = A4.width - MARGIN - 2 * SEAL_RADIUS - x - 16;
  const used = paragraph(pen, content.footer.zh, { x, y: top - 36, size: 8, width });
  paragraph(pen, content.footer.en, { x, y: top - 40 - used, size: 7, width, color: grey });
  const centre = { x: A4.width - MARGIN - SEAL_RADIUS, y: top - SEAL_RADIUS };
  drawSeal(pen, centre);
  const { issuer, standing, template } = content;
  const under = centre.y - SEAL_RADIUS - 8;
  const right = (words: string, y: number, size: number, font = pen.regular, color = black) =>
    line(pen, words, {
      x: A4.width - MARGIN - font.widthOfTextAtSize(words, size),
      y,
      size,
      font,
      color,
    });
  right(issuer.zh, under, 11, pen.bold);
  right(issuer.en, under - 16, 8, pen.regular, grey);
  right(standing.day, under - 28, 8, pen.regular, grey);
  if (template.note) {
    const noteWidth = A4.width - 2 * MARGIN - 180;
    const y = top - QR_SIZE - 20;
    const first = paragraph(pen, template.note.zh, { x: MARGIN, y, size: 8, width: noteWidth });
    paragraph(pen, template.note.en, {
      x: MARGIN,
      y: y - first,
      size: 7,
      width: noteWidth,
      color: grey,
    });
  }
}

/** Dark squares of a row that touch are one rectangle. */
function drawQr({ page }: Pen, text: string, { x, y }: { x: number; y: number }): void {
  const { data, size } = encode(text, { ecc: 'M', border: 0 });
  const side = QR_SIZE / size;
  const squares: PDFOperator[] = [];
  for (const [row, modules] of data.entries()) {
    for (let from = 0; from < size; from += 1) {
      let to = from;
      while (modules[to]) to += 1;
      if (to === from) continue;
      squares.push(
        rectangle(x + from * side, y + QR_SIZE - (row + 1) * side, (to - from) * side, side),
      );
      from = to;
    }
  }
  page.pushOperators(
    pushGraphicsState(),
    setFillingRgbColor(0, 0, 0),
    ...squares,
    fill(),
    popGraphicsState(),
  );
}

/** The round seal: a star, and the department's name along the rim, as on paper. */
function drawSeal(pen: Pen, { x, y }: { x: number; y: number }): void {
  const { page, bold, content } = pen;
  page.drawCircle({ x, y, size: SEAL_RADIUS, borderColor: sealRed, borderWidth: 2.4, opacity: 0 });
  const points = Array.from({ length: 10 }, (_, at) => {
    const angle = (at * Math.PI) / 5;
    const radius = at % 2 === 0 ? 15 : 5.8;
    return `${radius * Math.sin(angle)},${-radius * Math.cos(angle)}`;
  });
  page.drawSvgPath(`M${points.join('L')}z`, { x, y, color: sealRed, borderWidth: 0 });
  const name = [...content.issuer.zh];
  const size = Math.min(11, 150 / name.length);
  const radius = SEAL_RADIUS - 6 - size;
  const step = Math.min(0.36, 4.4 / name.length);
  for (const [at, character] of name.entries()) {
    // Clockwise from the left, the middle of the name at the top.
    const angle = (at - (name.length - 1) / 2) * step;
    const half = bold.widthOfTextAtSize(character, size) / 2;
    page.drawText(character, {
      x: x + radius * Math.sin(angle) - half * Math.cos(angle),
      y: y + radius * Math.cos(angle) + half * Math.sin(angle),
      size,
      font: bold,
      color: sealRed,
      rotate: degrees((-angle * 180) / Math.PI),
    });
  }
  const words = '电子印章';
  const width = bold.widthOfTextAtSize(words, 8);
  page.drawText(words, { x: x - width / 2, y: y - 30, size: 8, font: bold, color: sealRed });
}

function drawWatermark({ pdf, regular }: Pen, text: string): void {
  for (const page of pdf.getPages()) {
    for (const y of [180, 420, 660]) {
      page.drawText(text, {
        x: 60,
        y: y - 80,
        size: 24,
        font: regular,
        color: grey,
        opacity: 0.22,
        rotate: degrees(24),
      });
    }
  }
}

/** The signature's field on the seal, with zeros where it will be. */
function leaveRoom({ pdf, page, content }: Pen): void {
  const { context, catalog } = pdf;
  const range = PDFArray.withContext(context);
  range.push(PDFNumber.of(0));
  for (let at = 0; at < 3; at += 1) range.push(PDFName.of(ROOM.rangeDigits));
  const signature = context.obj({
    Type: 'Sig',
    Filter: 'Adobe.PPKLite',
    SubFilter: 'ETSI.CAdES.detached',
    M: PDFString.fromDate(content.at),
    Name: PDFHexString.fromText(content.issuer.zh),
    [ROOM.numberKey]: PDFString.of(content.number),
  });
  signature.set(PDFName.of('ByteRange'), range);
  signature.set(PDFName.of('Contents'), PDFHexString.of('0'.repeat(2 * ROOM.signatureBytes)));
  const right = A4.width - MARGIN;
  const top = MARGIN - 8 + FOOT;
  const empty = context.stream('', { Type: 'XObject', Subtype: 'Form', BBox: [0, 0, 1, 1] });
  const widget = context.register(
    context.obj({
      Type: 'Annot',
      Subtype: 'Widget',
      FT: 'Sig',
      T: PDFString.of('Seal'),
      TU: PDFHexString.fromText(`${content.issuer.zh} 电子印章`),
      // Print and Locked (ISO 32000-1 table 165).
      F: 132,
      Rect: [right - 2 * SEAL_RADIUS, top - 2 * SEAL_RADIUS, right, top],
      P: page.ref,
      AP: { N: context.register(empty) },
      V: context.register(signature),
    }),
  );
  page.node.set(PDFName.of('Annots'), context.obj([widget]));
  catalog.set(PDFName.of('AcroForm'), context.obj({ SigFlags: 3, Fields: [widget] }));
}
