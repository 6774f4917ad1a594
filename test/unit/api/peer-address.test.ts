// Where a request comes from, with and without proxies in front.
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import type { Env } from '../../../api/env.ts';
import { networkOf, peerAddress } from '../../../api/peer-address.ts';

/** The address found for a connection from `remoteAddress` that says it forwards for `forwarded`. */
async function found(
  proxies: string[],
  remoteAddress: string | undefined,
  forwarded?: string,
): Promise<string> {
  const addressOf = peerAddress(proxies);
  const app = new Hono<Env>().get('/', (c) => c.text(addressOf(c)));
  const headers: Record<string, string> =
    forwarded === undefined ? {} : { 'X-Forwarded-For': forwarded };
  const bindings = { incoming: { socket: { remoteAddress } } };
  const reply = await app.request('/', { headers }, remoteAddress === undefined ? {} : bindings);
  return reply.text();
}

test('nobody’s word is believed about where a request comes from', async () => {
  expect(await found([], '192.0.2.1', '203.0.113.9')).toBe('192.0.2.1');
  expect(await found(['10.0.0.0/8'], '192.0.2.1', '203.0.113.9')).toBe('192.0.2.1');
  expect(await found([], undefined, '203.0.113.9')).toBe('unknown');
});

test('a trusted proxy’s is, as far as it goes', async () => {
  const proxies = ['10.0.0.0/8', '127.0.0.1', '2001:db8:1::/48'];
  const cases: [peer: string, forwarded: string | undefined, address: string][] = [
    ['10.0.0.7', '203.0.113.9', '203.0.113.9'],
    ['10.0.0.7', '198.51.100.1, 203.0.113.9', '203.0.113.9'],
    ['10.0.0.7', '198.51.100.1, 203.0.113.9, 10.0.0.8', '203.0.113.9'],
    ['10.0.0.7', undefined, '10.0.0.7'],
    ['10.0.0.7', '', '10.0.0.7'],
    ['10.0.0.7', 'nonsense', '10.0.0.7'],
    ['10.0.0.7', '203.0.113.9, nonsense', '10.0.0.7'],
    ['10.0.0.7', '10.0.0.8, 10.0.0.9', '10.0.0.8'],
    ['2001:db8:1::5', '2001:db8:2:3:4::5', '2001:db8:2:3'],
    ['127.0.0.1', `${'203.0.113.9, '.repeat(1_000)}198.51.100.2`, '198.51.100.2'],
  ];
  for (const [peer, forwarded, address] of cases) {
    expect([peer, forwarded, await found(proxies, peer, forwarded)]).toEqual([
      peer,
      forwarded,
      address,
    ]);
  }
});

test('an IPv6 household is one caller, an IPv4 address in IPv6 clothes is itself', () => {
  expect(networkOf('2001:db8::1')).toBe('2001:db8:0:0');
  expect(networkOf('2001:0db8:0:0:1:2:3:4')).toBe('2001:db8:0:0');
  expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0');
  expect(networkOf('::ffff:192.0.2.1')).toBe('192.0.2.1');
  expect(networkOf('::1')).toBe('0:0:0:0');
});
