// Entry bundles over HTTP: leaves that hash to the public tile, for auditors alone, each read logged.
import { hash } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { systemScope } from '../../../platform/index.ts';
import { healthCertificate, refusal, send, sessionOf, withHouse } from './house.ts';

const house = withHouse();
let auditor: string;

beforeAll(async () => {
  auditor = await sessionOf(house, 'audit-auditor-1');
  const { database, identity, audit, ids } = house.services;
  const actor = {
    kind: 'system',
    requestId: ids.uuid(),
    organisationId: null,
    roles: [],
    scopes: [],
  } as const;
  const entries = Array.from({ length: 300 }, () => ({
    type: 'keys.rotated',
    outcome: 'ok' as const,
  }));
  const staged = await database.transaction((tx) => identity.recordAccessMany(tx, actor, entries));
  await audit.sequenced(staged.map(({ stageId }) => stageId));
  await house.client('health').call('POST', '/v1/licences', healthCertificate());
});

async function bytesOf(path: string, headers: Record<string, string> = {}) {
  const reply = await fetch(`${house.baseUrl}${path}`, { headers });
  return { reply, bytes: Buffer.from(await reply.arrayBuffer()) };
}

/** Takes a bundle apart as tlog-tiles says: length in two bytes, then the entry. */
function entriesOf(bundle: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at < bundle.length; ) {
    const length = bundle.readUInt16BE(at);
    entries.push(bundle.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return entries;
}

test('the leaves of a full bundle and of a part hash to the public tile', async () => {
  const { reply, bytes } = await bytesOf('/log/tile/entries/000', { Cookie: auditor });
  expect(reply.status).toBe(200);
  expect(reply.headers.get('content-type')).toBe('application/octet-stream');
  expect(reply.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
  const hashes = entriesOf(bytes).map((entry) =>
    hash('sha256', Buffer.concat([Buffer.of(0), entry]), 'buffer'),
  );
  expect(hashes).toHaveLength(256);
  const tile = await bytesOf('/log/tile/0/000');
  expect(Buffer.concat(hashes)).toEqual(tile.bytes);

  const part = await bytesOf('/log/tile/entries/001.p/3', { Cookie: auditor });
  expect(part.reply.headers.get('cache-control')).toBe('private, no-store');
  expect(entriesOf(part.bytes)).toHaveLength(3);
});

test('a department’s system with audit:read may too', async () => {
  const { status } = await house.client('audit').call('GET', '/log/tile/entries/000');
  expect(status).toBe(200);
});

test('each read is a look in the log, with its auditor and the bundle', async () => {
  await bytesOf('/log/tile/entries/000.p/7', { Cookie: auditor });
  const { audit } = house.services;
  const [entry] = await audit
    .as(systemScope)
    .findEntries({ type: 'audit.bundle_read', outcome: 'ok', limit: 1 });
  const [detail] = await house.services.identity.openAccess(entry ? [entry] : []);
  expect(entry?.department).toBe('audit');
  expect(detail).toMatchObject({ question: 'bundle=0 width=7', officer: 'audit-auditor-1' });
});

test('nobody else is let in, and nothing is told of what there is', async () => {
  const desk = await sessionOf(house, 'housing-desk-1');
  const citizen = await sessionOf(house, 'li');
  const answers = async (path: string) =>
    Promise.all(
      [undefined, desk, citizen].map(async (cookie) =>
        refusal(await send(house, 'GET', path, cookie ? { headers: { Cookie: cookie } } : {})),
      ),
    );
  const refused = [
    '401 identity.unauthenticated',
    '403 identity.scope_missing',
    '403 identity.scope_missing',
  ];
  expect(await answers('/log/tile/entries/000')).toEqual(refused);
  expect(await answers('/log/tile/entries/x001/000.p/9')).toEqual(refused);
});

test('what the log has not got is not found', async () => {
  const ask = async (path: string) =>
    refusal(await send(house, 'GET', path, { headers: { Cookie: auditor } }));
  expect(await ask('/log/tile/entries/x001/000')).toBe('404 audit.unknown_entry');
  for (const odd of ['1', '000.p/0', '000.p/257', '0/000', 'x000/000']) {
    expect([odd, await ask(`/log/tile/entries/${odd}`)]).toEqual([odd, '404 api.not_found']);
  }
});

test('the OpenAPI document tells of it', async () => {
  const { json } = await send(house, 'GET', '/openapi.json');
  const { paths } = z.looseObject({ paths: z.record(z.string(), z.unknown()) }).parse(json);
  expect(Object.keys(paths)).toContain('/log/tile/entries/{bundle}');
});
