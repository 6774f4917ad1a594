// Two operators by name, for what is done on the house's own machine and stated for ever: they must be there,
// and be two. It is the machine's word that they agreed; their pseudonyms say whom to ask.
import type { Database } from '../platform/index.ts';
import { cityDay, dbNow } from '../platform/index.ts';
import { identityErrors } from './errors.ts';
import { listOfficers, lockOperators } from './store-officers.ts';

export function createNamedOperators(deps: {
  database: Database;
  cityTz: string;
  pseudonym(actor: string, subjectTag: null): string;
}) {
  const { database, cityTz, pseudonym } = deps;
  return {
    /** The pseudonyms that two different operators, of these usernames, have in entries about nobody. */
    pseudonymsOfOperators: (usernames: readonly [string, string]): Promise<[string, string]> =>
      database.transaction(async (tx) => {
        const active = await lockOperators(tx, cityDay(await dbNow(tx), cityTz));
        const operators = (await listOfficers(tx)).filter(({ id }) => active.includes(id));
        const find = (name: string): string => {
          const found = operators.find(({ username }) => username === name);
          if (!found) throw identityErrors.role_missing(`${name} is not an operator here.`);
          return found.id;
        };
        const [first, second] = [find(usernames[0]), find(usernames[1])];
        if (first === second) {
          throw identityErrors.role_missing('Two different operators are needed.');
        }
        return [pseudonym(`officer|${first}`, null), pseudonym(`officer|${second}`, null)];
      }),
  };
}
