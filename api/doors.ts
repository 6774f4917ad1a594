// The doors of /v1: the table of route rights, asked before anything of a request is read. Closed to
// strangers where the table is silent; a route without a row keeps the house from starting.
import { createMiddleware } from 'hono/factory';
import { TrieRouter } from 'hono/router/trie-router';
import type { Door, Identity } from '../identity/index.ts';
import type { Env } from './env.ts';
import { ROUTE_RIGHTS } from './route-rights.ts';

interface Row {
  operation: string;
  door: Door;
}

interface Route {
  method: string;
  path: string;
}

export interface DoorsDeps {
  identity: Pick<Identity, 'admitAt'>;
  /** True for what no route answers by this method: left to the 405 that follows. */
  isRefusedMethod: (path: string, method: string) => boolean;
}

/** What is asked of whoever comes to an address that has no row. */
const closed: Row = { operation: 'none', door: 'known' };

/** Refuses at the door: 401 for strangers, 403 for whom the table doesn't let in. */
export function doors({ identity, isRefusedMethod }: DoorsDeps) {
  const rowOf = rowsOf(ROUTE_RIGHTS);
  return createMiddleware<Env>(async (c, next) => {
    const { path, method } = c.req;
    const { operation, door } = rowOf(method, path) ?? closed;
    if (!isRefusedMethod(path, method)) await identity.admitAt(door, c.get('actor'), operation);
    await next();
  });
}

/** Gives a function that finds the row of a request. Of two that fit, the one with fewer parameters. */
function rowsOf(rights: Readonly<Record<string, Door>>) {
  const router = new TrieRouter<Row>();
  const rows = Object.entries(rights)
    .map(([operation, door]) => ({ operation, door, ...routeOf(operation) }))
    .sort((a, b) => parameters(a.path) - parameters(b.path));
  for (const { operation, door, method, path } of rows)
    router.add(method, path, { operation, door });
  return (method: string, path: string): Row | undefined => {
    const [matched] = router.match(method === 'HEAD' ? 'GET' : method, path);
    return matched[0]?.[0];
  };
}

/** Throws unless every route under /v1 has its row, and every row its route. */
export function checkRouteRights(
  routes: readonly Route[],
  rights: Readonly<Record<string, Door>> = ROUTE_RIGHTS,
): void {
  const known = new Set<string>();
  for (const { method, path } of routes) {
    if (method === 'ALL' || !hasDoor(path)) continue;
    known.add(operationOf(method, path));
  }
  const missing = [...known].filter((operation) => !(operation in rights));
  const idle = Object.keys(rights).filter((operation) => !known.has(operation));
  if (missing.length + idle.length === 0) return;
  throw new TypeError(
    `api/route-rights.ts lacks ${missing.join(', ') || 'nothing'}; without a route: ${idle.join(', ') || 'none'}.`,
  );
}

/** Everything under /v1, and the one part of the public log that isn't public. */
export function hasDoor(path: string): boolean {
  return path.startsWith('/v1/') || path.startsWith('/log/tile/entries/');
}

/** `GET /v1/licences/:number` as the table writes it. */
function operationOf(method: string, path: string): string {
  return `${method} ${path.replace(/:(\w+)(\{[^}]*\})?/g, '{$1}')}`;
}

function routeOf(operation: string): Route {
  const [method = '', path = ''] = operation.split(' ');
  // The number of a bundle has slashes in it.
  return { method, path: path.replace('{bundle}', '*').replace(/\{(\w+)\}/g, ':$1') };
}

function parameters(path: string): number {
  return path.split(':').length - 1;
}
