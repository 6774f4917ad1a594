// Masks of a licence's values on a screen: keep:a,b and name, as licence types write them.
import { maskName } from '../identity/index.ts';

const KEEP = /^keep:(\d{1,2}),(\d{1,2})$/;
const COVER = '●';

/** Is this a mask a licence type may name? */
export function isMask(mask: string): boolean {
  return mask === 'name' || KEEP.test(mask);
}

/**
 * A value under its mask: `keep:a,b` leaves a leading and b trailing characters, `name` the family
 * name. A value too short to hide anything is covered whole.
 */
export function maskText(mask: string, value: string): string {
  if (mask === 'name') return maskName(value);
  const [, leading, trailing] = KEEP.exec(mask) ?? [];
  if (leading === undefined || trailing === undefined) throw new TypeError('Unknown mask.');
  const characters = [...value];
  const covered = characters.length - Number(leading) - Number(trailing);
  if (covered <= 0) return COVER.repeat(characters.length);
  return [
    ...characters.slice(0, Number(leading)),
    COVER.repeat(covered),
    ...characters.slice(characters.length - Number(trailing)),
  ].join('');
}
