// Whose rows a transaction may see and write: settings that the policies of row-level security compare
// rows with (docs/adr/0011-row-level-security.md). What each one opens is said by those policies.
/** The settings, each as `yihao.<name>` in PostgreSQL. */
const names = [
  'organisation',
  'person',
  'subjects',
  'licences',
  'verifications',
  'tag',
  'log',
  'account',
  'credential',
  'under',
  'system',
] as const;

/**
 * What is set, as text; lists are joined by commas. Nothing set: no row of a walled table is seen or
 * written. Rooms make scopes, `identity` the actor's own.
 */
export type RowScope = Readonly<Partial<Record<(typeof names)[number], string>>>;

/** The house's own machinery: jobs, sweeps, the loader. Never of a request. */
export const systemScope: RowScope = Object.freeze({ system: 'on' });

/** The statement that sets a scope until the transaction ends; undefined where there is nothing to set. */
export function scopeStatement(scope: RowScope): { text: string; values: string[] } | undefined {
  const given = names.filter((name) => scope[name] !== undefined);
  if (given.length === 0) return undefined;
  const settings = given.map((name, at) => `set_config('yihao.${name}', $${at + 1}, true)`);
  return { text: `select ${settings.join(', ')}`, values: given.map((name) => scope[name] ?? '') };
}
