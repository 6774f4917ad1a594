// Organisations as people choose among them: each below the one above it, and set in by its level.
import { type Lang, nameIn } from './page.tsx';

interface Placed {
  id: string;
  nameZh: string;
  nameEn: string;
  parentId: string | null;
}

/** A full-width blank: browsers drop others at the beginning of an option. */
const INDENT = '\u3000';

/**
 * The organisations with each one's below it, in the order they came in otherwise. One whose own above
 * is not among them stands at the left, so that none is lost.
 */
export function asTree(
  lang: Lang,
  organisations: readonly Placed[],
): { id: string; name: string }[] {
  const ids = new Set(organisations.map(({ id }) => id));
  const below = new Map<string | null, Placed[]>();
  for (const one of organisations) {
    const above = one.parentId !== null && ids.has(one.parentId) ? one.parentId : null;
    below.set(above, [...(below.get(above) ?? []), one]);
  }
  const branch = (above: string | null, depth: number): { id: string; name: string }[] =>
    (below.get(above) ?? []).flatMap((one) => [
      { id: one.id, name: `${INDENT.repeat(depth)}${nameIn(lang, one)}` },
      ...branch(one.id, depth + 1),
    ]);
  return branch(null, 0);
}

/** An organisation with those above it, from the top. */
export function pathOf(lang: Lang, organisations: readonly Placed[], id: string): string[] {
  const byId = new Map(organisations.map((one) => [one.id, one]));
  const path: string[] = [];
  let at = byId.get(id);
  while (at) {
    path.unshift(nameIn(lang, at));
    at = at.parentId === null ? undefined : byId.get(at.parentId);
  }
  return path;
}
