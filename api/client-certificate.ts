// The certificate a TLS-terminating proxy saw (RFC 9440): believed of the proxies this house trusts, and
// of nobody else, whatever header they send.
import type { Context } from 'hono';
import type { Env } from './env.ts';
import { trustedProxies } from './trusted-proxies.ts';

/** A certificate of P-256 has about 600 bytes; RFC 9440 section 4 asks for a bound. */
const longestHeader = 8_192;

/**
 * Gives a function that finds the DER of the certificate a request's client authenticated the TLS
 * connection with, or undefined: no certificate, an unreadable one, or a peer we don't trust.
 */
export function clientCertificate(proxies: readonly string[]) {
  const isTrusted = trustedProxies(proxies);

  return (c: Context<Env>): Buffer | undefined => {
    const header = c.req.header('client-cert');
    if (header === undefined || header.length > longestHeader) return undefined;
    // Hono gives no bindings at all when no server listens.
    const bindings: Env['Bindings'] | undefined = c.env;
    const peer = bindings?.incoming?.socket.remoteAddress;
    if (peer === undefined || !isTrusted(peer)) return undefined;
    // RFC 8941 section 3.3.5; two headers arrive joined by a comma and are none.
    const [, base64] = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(header.trim()) ?? [];
    return base64 === undefined ? undefined : Buffer.from(base64, 'base64');
  };
}
