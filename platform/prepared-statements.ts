// Statements with parameters are prepared, once per connection. drizzle hands what it builds to the
// driver's `unsafe`, which by itself asks the server what the parameters are and plans anew, in two
// round trips, each time.
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
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

/** How the statements ended that were sent without waiting: each undefined, or what it failed with. */
export type SentAlong = Promise<{ error: unknown } | undefined>[];

/** Where a transaction's client keeps them. */
export const alongside = Symbol('sent along');

/** Sends a statement at once; its end is told, never thrown. */
export function send(
  client: postgres.TransactionSql,
  text: string,
  values: readonly postgres.ParameterOrJSON<never>[],
): SentAlong[number] {
  return client.unsafe(text, [...values], { prepare: true }).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
}

/**
 * Runs a statement whose answer nobody needs: in a transaction it goes out with the act's next
 * statement or the commit, in one round trip with it. Should it fail, the transaction fails. What it
 * is given goes to the driver as it is: times as ISO text, bytes as Buffer. `refusal` words a failure.
 */
export async function sendAlong(
  tx: PgDatabase<PgQueryResultHKT>,
  text: string,
  values: readonly postgres.ParameterOrJSON<never>[],
  refusal: (error: unknown) => unknown = (error) => error,
): Promise<void> {
  const client: postgres.TransactionSql = Reflect.get(Reflect.get(tx, 'session'), 'client');
  const sent: SentAlong | undefined = Reflect.get(client, alongside);
  const statement = send(client, text, values).then(
    (fault) => fault && { error: refusal(fault.error) },
  );
  if (sent) sent.push(statement);
  else {
    const fault = await statement;
    if (fault) throw fault.error;
  }
}
