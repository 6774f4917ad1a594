// Where a request comes from, as callers without a name are counted by.
import { isIP } from 'node:net';
import type { Context } from 'hono';
import type { Env } from './env.ts';
import { trustedProxies } from './trusted-proxies.ts';

/** A longer chain of proxies than any city has. */
const mostHops = 16;

/**
 * Gives a function that finds the address a request comes from: the socket's, or, when that is a proxy we
 * trust, the last one in X-Forwarded-For that isn't; anyone may write what stands before it. Of IPv6 the
 * first 64 bits, since one household has all the rest.
 */
export function peerAddress(proxies: readonly string[]): (c: Context<Env>) => string {
  const isTrusted = trustedProxies(proxies);
  return (c) => {
    // Hono gives no bindings at all when no server listens.
    const bindings: Env['Bindings'] | undefined = c.env;
    let address = bindings?.incoming?.socket.remoteAddress ?? 'unknown';
    const hops = (c.req.header('x-forwarded-for') ?? '').split(',').slice(-mostHops);
    while (isIP(address) !== 0 && isTrusted(address)) {
      const before = hops.pop()?.trim() ?? '';
      if (isIP(before) === 0) break;
      address = before;
    }
    return address.includes(':') ? networkOf(address) : address;
  };
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
