// Statements with parameters are prepared, once per connection. drizzle hands what it builds to the
// driver's `unsafe`, which by itself asks the server what the parameters are and plans anew, in two
// round trips, each time.
import type postgres from 'postgres';

type Client = postgres.Sql | postgres.TransactionSql;
type Unsafe = postgres.Sql['unsafe'];
type InTransaction = (client: postgres.TransactionSql) => unknown;

/** The same pool or transaction, preparing each statement that has parameters. */
export function preparing<Given extends Client>(client: Given): Given {
  return new Proxy(client, {
    get: (target, name) => {
      if (name === 'unsafe') {
        return (...[text, parameters = [], options]: Parameters<Unsafe>) =>
          target.unsafe(text, parameters, { ...options, prepare: parameters.length > 0 });
      }
      if (name === 'begin' && 'begin' in target) return inside(target.begin);
      if (name === 'savepoint' && 'savepoint' in target) return inside(target.savepoint);
      return Reflect.get(target, name);
    },
  });
}

/** What opens a transaction, handing on a client that prepares. */
function inside(open: (act: InTransaction) => Promise<unknown>) {
  return (act: InTransaction) => open((client) => act(preparing(client)));
}
