// One request to an address somebody registered. What a name leads to is looked at before it is connected
// to, and no answer leads further, so that nobody reaches through us what isn't meant for the network
// (RFC 9700 section 4; OWASP on server-side request forgery). Addresses of private networks are let
// through: departments have their systems there.
import dns from 'node:dns';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** This machine: only for whoever registered it in so many words. */
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Nobody's, everybody's, or this link's alone, where machines in a cloud tell their secrets. */
const never = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  never.addSubnet(net, prefix, 'ipv4');
}
never.addAddress('::', 'ipv6');
never.addSubnet('fe80::', 10, 'ipv6');
never.addSubnet('ff00::', 8, 'ipv6');
never.addAddress('fd00:ec2::254', 'ipv6');

/** The host leads where nothing is sent to. */
export class AddressRefused extends Error {
  constructor() {
    super('The address leads to this machine, this link or everybody.');
    this.name = 'AddressRefused';
  }
}

/** Posts a form and returns the answer's status; its body is not read, and a redirect is an answer. */
export function postForm(
  url: string,
  fields: Record<string, string>,
  timeoutMs: number,
  resolveName: typeof dns.lookup = dns.lookup,
): Promise<number> {
  const { protocol, hostname } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const isHere = host === 'localhost' || isIn(loopback, host);
  const mayConnect = (address: string) =>
    !isIn(never, address) && (isHere || !isIn(loopback, address));
  const body = new URLSearchParams(fields).toString();
  return new Promise((resolve, reject) => {
    // A number is connected to without being looked up.
    if (isIP(host) !== 0 && !mayConnect(host)) throw new AddressRefused();
    const lookup: LookupFunction = (name, options, done) => {
      resolveName(name, { ...options, all: true }, (error, found) => {
        const refused =
          error ??
          (found.every(({ address }) => mayConnect(address)) ? null : new AddressRefused());
        const [first] = found ?? [];
        if (refused || !first) return done(refused ?? new AddressRefused(), []);
        return options.all === true ? done(null, found) : done(null, first.address, first.family);
      });
    };
    const send = protocol === 'https:' ? requestHttps : requestHttp;
    const request = send(url, {
      method: 'POST',
      agent: false,
      lookup,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        'Content-Length': Buffer.byteLength(body),
      },
    });
    request.on('response', (answer) => {
      resolve(answer.statusCode ?? 0);
      answer.destroy();
    });
    request.on('error', reject);
    request.end(body);
  });
}

function isIn(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}
