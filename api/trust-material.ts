// What lets others check us: status lists, certificates, time-stamps, issuer keys, type metadata, the log's heads and tiles.
import { type Context, Hono } from 'hono';
import { keyListOf, parseTilePath } from '../audit/index.ts';
import type { AppError } from '../platform/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { apiErrors } from './errors.ts';
import { bodyTooLarge } from './request-body.ts';

const aDay = 'public, max-age=86400';
const immutable = 'public, max-age=31536000, immutable';

function notFound(what: string): AppError {
  return apiErrors.not_found(`There is no such ${what}.`);
}

function der(bytes: Buffer, type: string): Response {
  return new Response(new Uint8Array(bytes), {
    headers: { 'Content-Type': type, 'Cache-Control': aDay },
  });
}

/** A request holds a digest, a nonce and a policy: a hundred bytes. */
const longestStampRequest = 4096;

/** Routes for /status-lists, /pki, /tsa, /.well-known/jwt-vc-issuer, /vct and /log. */
export function trustMaterialRoutes({
  signing,
  registry,
  audit,
}: Pick<Services, 'signing' | 'registry' | 'audit'>) {
  return new Hono<Env>()
    .get('/status-lists/:id', async (c) => {
      const token = await signing.statusListToken(c.req.param('id'));
      if (token === null) throw notFound('status list');
      return c.body(token, 200, {
        'Content-Type': 'application/statuslist+jwt',
        'Cache-Control': 'public, max-age=1',
      });
    })
    .get('/pki/root.crt', () => der(signing.rootCertificate(), 'application/pkix-cert'))
    .get('/pki/issuing.crt', () => der(signing.issuingCertificate(), 'application/pkix-cert'))
    .get('/pki/crl', async () => der(await signing.crl(), 'application/pkix-crl'))
    .post('/tsa', async (c) => {
      const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
      if (type !== 'application/timestamp-query') {
        throw apiErrors.content_type('Send a TimeStampReq as application/timestamp-query.');
      }
      const request = new Uint8Array(await c.req.arrayBuffer());
      if (request.byteLength > longestStampRequest) throw bodyTooLarge(longestStampRequest);
      const reply = await signing.timestampReply(request);
      return new Response(new Uint8Array(reply), {
        headers: { 'Content-Type': 'application/timestamp-reply', 'Cache-Control': 'no-store' },
      });
    })
    .get('/.well-known/jwt-vc-issuer', (c) => c.json(signing.jwtVcIssuer()))
    .get('/vct/:type/:version', async (c) => {
      const metadata = await registry.typeMetadata(
        c.req.param('type'),
        Number(c.req.param('version')),
      );
      return c.json(metadata, 200, { 'Cache-Control': aDay });
    })
    .get('/log/vkey', async (c) => {
      await audit.life();
      return c.text(`${audit.vkey}\n`);
    })
    .get('/log/vkeys', async (c) =>
      c.json(keyListOf(await audit.life()), 200, { 'Cache-Control': 'public, max-age=1' }),
    )
    .get('/log/checkpoint', async (c) => {
      const note = await audit.checkpoint();
      if (note === null) throw notFound('checkpoint yet');
      return c.text(note, 200, { 'Cache-Control': 'public, max-age=1' });
    })
    .get('/log/tile/:path{.+}', async (c) => {
      const address = parseTilePath(c.req.param('path'));
      return tile(address ? await audit.tile(address.level, address.n, address.width) : null);
    })
    .get('/log/epochs/:number', async (c) => {
      const { epochs, notes } = await audit.life();
      const statement = epochs.find(({ number }) => number === numberOf(c))?.statement;
      const note = statement && notes[statement.number - 1];
      if (note === undefined) throw notFound('statement of an epoch');
      return c.text(note, 200, { 'Cache-Control': immutable });
    })
    .get('/log/epochs/:number/checkpoint', async (c) => {
      const note = await audit.checkpointOf(numberOf(c));
      if (note === null) throw notFound('checkpoint');
      return c.text(note, 200, { 'Cache-Control': 'public, max-age=1' });
    })
    .get('/log/epochs/:number/tile/:path{.+}', async (c) => {
      const address = parseTilePath(c.req.param('path'));
      return tile(address ? await audit.tileOf(numberOf(c), address) : null);
    });
}

function numberOf(c: Context): number {
  const text = c.req.param('number') ?? '';
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 0;
}

function tile(bytes: Buffer | null): Response {
  if (!bytes) throw notFound('tile');
  return new Response(new Uint8Array(bytes), {
    headers: { 'Content-Type': 'application/octet-stream', 'Cache-Control': immutable },
  });
}
