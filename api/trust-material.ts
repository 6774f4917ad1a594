// What lets others check us: status lists, certificates, issuer keys, type metadata, the log's heads and tiles.
import { Hono } from 'hono';
import { AppError } from '../platform/index.ts';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';

const anyOrigin = { 'Access-Control-Allow-Origin': '*' };
const aDay = 'public, max-age=86400';
const immutable = 'public, max-age=31536000, immutable';

function notFound(what: string): AppError {
  return new AppError('not_found', 'platform.not_found', `There is no such ${what}.`);
}

function der(bytes: Buffer, type: string): Response {
  return new Response(new Uint8Array(bytes), {
    headers: { 'Content-Type': type, 'Cache-Control': aDay, ...anyOrigin },
  });
}

/** `x001/x234/067` → 1234067 (C2SP tlog-tiles); null when it is not canonical. */
export function tileIndex(path: string): number | null {
  const parts = path.split('/');
  const last = parts.at(-1) ?? '';
  const wellFormed =
    parts.slice(0, -1).every((part) => /^x\d{3}$/.test(part)) &&
    /^\d{3}$/.test(last) &&
    parts.length <= 5;
  if (!wellFormed) return null;
  const value = Number([...parts.slice(0, -1).map((part) => part.slice(1)), last].join(''));
  return parts.length > 1 && parts[0] === 'x000' ? null : value;
}

/** Routes for /status-lists, /pki, /.well-known/jwt-vc-issuer, /vct and /log. */
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
        ...anyOrigin,
      });
    })
    .get('/pki/root.crt', () => der(signing.rootCertificate(), 'application/pkix-cert'))
    .get('/pki/issuing.crt', () => der(signing.issuingCertificate(), 'application/pkix-cert'))
    .get('/pki/crl', async () => der(await signing.crl(), 'application/pkix-crl'))
    .get('/.well-known/jwt-vc-issuer', (c) => c.json(signing.jwtVcIssuer(), 200, anyOrigin))
    .get('/vct/:type/:version', async (c) => {
      const metadata = await registry.typeMetadata(
        c.req.param('type'),
        Number(c.req.param('version')),
      );
      return c.json(metadata, 200, { 'Cache-Control': aDay, ...anyOrigin });
    })
    .get('/log/vkey', (c) => c.text(`${audit.vkey}\n`, 200, anyOrigin))
    .get('/log/checkpoint', async (c) => {
      const note = await audit.checkpoint();
      if (note === null) throw notFound('checkpoint yet');
      return c.text(note, 200, { 'Cache-Control': 'public, max-age=1', ...anyOrigin });
    })
    .get('/log/tile/:path{.+}', async (c) => {
      const match = /^(\d{1,2})\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(
        c.req.param('path'),
      );
      const index = match?.[2] === undefined ? null : tileIndex(match[2]);
      if (!match || index === null) throw notFound('tile');
      const width = match[3] === undefined ? 256 : Number(match[3]);
      const bytes = await audit.tile(Number(match[1]), index, width);
      if (bytes === null) throw notFound('tile');
      return new Response(new Uint8Array(bytes), {
        headers: {
          'Content-Type': 'application/octet-stream',
          'Cache-Control': immutable,
          ...anyOrigin,
        },
      });
    });
}
