// The typefaces of documents: Noto Sans SC, 30,898 glyphs, whole from its package, so that no machine
// needs a font of its own. A character it lacks is an error before anything is issued, never a box.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { create, type Font } from 'fontkit';

export type Weight = 'regular' | 'bold';

const fileOf = {
  regular: () =>
    import.meta.resolve('@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf'),
  bold: () => import.meta.resolve('@expo-google-fonts/noto-sans-sc/700Bold/NotoSansSC_700Bold.ttf'),
} as const satisfies Record<Weight, () => string>;

/** Reads a typeface: 10 MB, its tables only when used. */
export function readFont(weight: Weight): Font {
  const font = create(readFileSync(fileURLToPath(fileOf[weight]())));
  if (!('createSubset' in font)) throw new TypeError('This file holds one typeface.');
  return font;
}

/** Highest code point of Unicode and one. */
const CODE_POINTS = 0x110000;
let known: Uint8Array | undefined;

/** One bit for each code point that both weights can show: 136 kB, made once in 60 ms. */
function shownCharacters(): Uint8Array {
  if (known) return known;
  const bits = new Uint8Array(CODE_POINTS / 8);
  const bold = new Set(readFont('bold').characterSet);
  for (const point of readFont('regular').characterSet) {
    if (bold.has(point)) bits[point >> 3] = (bits[point >> 3] ?? 0) | (1 << (point & 7));
  }
  known = bits;
  return bits;
}

/** Blanks of any kind are written as one blank. */
const blank = /\s/u;

/** The characters of a text that no document can show, each once. */
export function missingCharacters(text: string): string[] {
  const bits = shownCharacters();
  const missing = new Set<string>();
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    const isShown = ((bits[point >> 3] ?? 0) >> (point & 7)) & 1;
    if (!isShown && !blank.test(character)) missing.add(character);
  }
  return [...missing];
}
