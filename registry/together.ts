// Statements of one transaction sent together, so that they share a round trip.

/**
 * The results of all acts, once every one has ended: a statement of a failed act's neighbour that is
 * sent after the rollback would stand outside the transaction.
 */
export async function together<Result>(acts: readonly Promise<Result>[]): Promise<Result[]> {
  const settled = await Promise.allSettled(acts);
  return settled.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
