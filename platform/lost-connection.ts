// A transaction whose connection is lost sends nothing more. The driver would: its ROLLBACK, or the act's next
// statement, goes to a socket that is gone, which ends the process (porsager/postgres#1208), or to the session that
// took the socket's place, into somebody else's transaction (#1216).
import type postgres from 'postgres';

type Act = (client: postgres.TransactionSql) => unknown;

/** What the driver says of a connection that is gone. */
const gone = /^(CONNECTION_(CLOSED|ENDED|DESTROYED)|ECONNRESET|EPIPE|ETIMEDOUT)$/;

const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && gone.test(String(error.code));

/**
 * Runs `act` in a transaction that `begin` opens. Once its connection is lost, this rejects with the loss, each
 * further statement of the act is refused with it, and the driver never hears how the act ended.
 */
export async function untilConnectionLost(
  begin: (act: Act) => Promise<unknown>,
  act: Act,
): Promise<unknown> {
  let loss: { error: unknown } | undefined;
  let tellLoss: (error: unknown) => void = () => {};
  const lost = new Promise<never>((_, reject) => {
    tellLoss = reject;
  });
  lost.catch(() => {}); // told by the race below, if by then anybody waits
  const note = (error: unknown): void => {
    if (loss || !isGone(error)) return;
    loss = { error };
    tellLoss(error);
  };

  const guarded = (client: postgres.TransactionSql): postgres.TransactionSql =>
    new Proxy(client, {
      get: (target, name) => {
        if (name === 'unsafe') {
          return (...words: Parameters<typeof target.unsafe>) => {
            if (loss) throw loss.error;
            const query = target.unsafe(...words);
            // The first to hear of it: before the act, and before the driver.
            query.catch(note);
            return query;
          };
        }
        if (name === 'savepoint') {
          return (inner: Act) => untilLost(target.savepoint((given) => held(given, inner)));
        }
        return Reflect.get(target, name);
      },
    });

  const held = async (client: postgres.TransactionSql, inner: Act): Promise<unknown> => {
    try {
      return await inner(guarded(client));
    } finally {
      if (loss) await new Promise(() => {});
    }
  };

  const untilLost = async (opened: Promise<unknown>): Promise<unknown> => {
    opened.catch(note); // also while the act is idle or works elsewhere
    return Promise.race([opened, lost]);
  };

  return untilLost(begin((client) => held(client, act)));
}
