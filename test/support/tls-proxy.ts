// A TLS-terminating proxy as cities put before their servers: asks for the client's certificate, strips
// Client-Cert from outside and sets it from the handshake (RFC 9440), and forwards over a real socket.
import { webcrypto } from 'node:crypto';
import { request as plainRequest } from 'node:http';
import { createServer, request as tlsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto as Crypto); // the same interface under another name

/** A key with a certificate it signed itself. */
export interface SelfSigned {
  keyPem: string;
  certificatePem: string;
  certificateDer: Buffer;
  /** As it is registered (RFC 8705 section 2.2). */
  jwk: { kty: 'EC'; crv: 'P-256'; x: string; y: string; kid: string; x5c: [string] };
}

export async function selfSigned(kid: string, days = 30): Promise<SelfSigned> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${kid}`,
    notBefore: new Date(now - 40 * 86_400_000),
    notAfter: new Date(now + days * 86_400_000),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    keys: keys as CryptoKeyPair, // of webcrypto's own type
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const { x = '', y = '' } = await webcrypto.subtle.exportKey('jwk', keys.publicKey);
  const certificateDer = Buffer.from(certificate.rawData);
  return {
    keyPem: `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64')}\n-----END PRIVATE KEY-----\n`,
    certificatePem: certificate.toString('pem'),
    certificateDer,
    jwk: { kty: 'EC', crv: 'P-256', x, y, kid, x5c: [certificateDer.toString('base64')] },
  };
}

export interface TlsProxy {
  url: string;
  close(): Promise<void>;
}

/** Starts a proxy before `target` that reaches it from `localAddress`. */
export async function startTlsProxy(target: string, localAddress: string): Promise<TlsProxy> {
  const own = await selfSigned('proxy');
  const server = createServer(
    { key: own.keyPem, cert: own.certificatePem, requestCert: true, rejectUnauthorized: false },
    (incoming, outgoing) => {
      const { 'client-cert': _fromOutside, ...headers } = incoming.headers;
      const raw =
        incoming.socket instanceof TLSSocket ? incoming.socket.getPeerCertificate().raw : undefined;
      const forwarded = plainRequest(
        `${target}${incoming.url}`,
        {
          method: incoming.method,
          localAddress,
          headers: raw ? { ...headers, 'Client-Cert': `:${raw.toString('base64')}:` } : headers,
        },
        (reply) => {
          outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
          reply.pipe(outgoing);
        },
      );
      forwarded.on('error', () => outgoing.destroy());
      incoming.pipe(forwarded);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server's address is always of this form.
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A request over TLS with a client certificate, as fetch would make it if it could show one. */
export function fetchWithCertificate(
  url: string,
  certificate: SelfSigned | undefined,
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = tlsRequest(
      url,
      {
        method: init.method ?? 'GET',
        headers: init.headers ?? {},
        // The proxy's certificate is made for the test; who is tested is the client.
        rejectUnauthorized: false,
        agent: false,
        ...(certificate ? { key: certificate.keyPem, cert: certificate.certificatePem } : {}),
      },
      async (reply) => {
        const parts: Buffer[] = [];
        for await (const part of reply) parts.push(part);
        const headers = new Headers();
        for (const [name, value] of Object.entries(reply.headers)) {
          if (value !== undefined) headers.set(name, String(value));
        }
        resolve(new Response(Buffer.concat(parts), { status: reply.statusCode ?? 502, headers }));
      },
    );
    request.on('error', reject);
    request.end(init.body);
  });
}
