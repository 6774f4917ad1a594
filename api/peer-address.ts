// Where a request comes from, as callers without a name are counted by.
import type { Context } from 'hono';
import type { Env } from './env.ts';

/**
 * The peer's address: of the socket only, never of a header, which anyone may write. Of IPv6 the
 * first 64 bits, since one household has all the rest.
 */
export function peerAddress(c: Context<Env>): string {
  // Hono gives no bindings at all when no server listens.
  const bindings: Env['Bindings'] | undefined = c.env;
  const address = bindings?.incoming?.socket.remoteAddress ?? 'unknown';
  return address.includes(':') ? networkOf(address) : address;
}

/** ::ffff:192.0.2.1 is IPv4; 2001:db8::1 is in 2001:db8:0:0. */
export function networkOf(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : 8 - first.length - last.length;
  return [...first, ...Array.from({ length: gap }, () => '0'), ...last]
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':');
}
