// A relying party's names and addresses as lines of a list: of what is registered, and of what is proposed.
import type { Child } from 'hono/jsx';
import type { PageContext } from './page.tsx';

/** Only the members that are there: a proposal has some of them. */
export function partyRows(
  c: PageContext,
  content: Readonly<Record<string, unknown>>,
): [string, Child][] {
  const words = c.get('text').parties;
  const rows: [string, Child][] = [];
  for (const name of ['nameZh', 'nameEn'] as const) {
    const value = content[name];
    if (typeof value === 'string') rows.push([words[name], value]);
  }
  for (const name of ['redirectUris', 'postLogoutRedirectUris'] as const) {
    const value = content[name];
    if (Array.isArray(value)) rows.push([words[name], addresses(value.map(String))]);
  }
  const { backchannelLogoutUri: notices } = content;
  if (notices !== undefined) {
    rows.push([words.backchannelLogoutUri, addresses(notices === null ? [] : [String(notices)])]);
  }
  return rows;

  function addresses(list: readonly string[]): Child {
    if (list.length === 0) return words.noAddress;
    return list.map((each, at) => [at > 0 ? <br /> : null, <code>{each}</code>]);
  }
}
