// Ids of rows as callers give them.

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The id; throws the given refusal when it can't be one of ours. */
export function readId(id: string, notFound: () => Error): string {
  if (UUID.test(id)) return id;
  throw notFound();
}
