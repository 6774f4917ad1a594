// Requests to addresses somebody registered: where they go, and where they never do.
import type dns from 'node:dns';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postForm } from '../../../platform/outgoing.ts';

const seen: { url: string | undefined; body: string }[] = [];
const server = createServer((req, res) => {
  let body = '';
  req.on('data', (part) => {
    body += part;
  });
  req.on('end', () => {
    seen.push({ url: req.url, body });
    if (req.url === '/silent') return;
    res.writeHead(req.url === '/moved' ? 302 : 204, { Location: '/elsewhere' }).end();
  });
});
let port = 0;
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  port = (server.address() as AddressInfo).port; // of a TCP port
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** A name server that says this of every name. */
const says = (...addresses: string[]) =>
  ((_name: string, _options: object, done: (error: null, found: object[]) => void) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )) as unknown as typeof dns.lookup; // the one of its forms that is called

test('a form arrives, and the status comes back', async () => {
  const status = await postForm(`http://127.0.0.1:${port}/in`, { a: '1 & 2', b: '云' }, 2000);
  expect([status, seen.at(-1)]).toEqual([204, { url: '/in', body: 'a=1+%26+2&b=%E4%BA%91' }]);
  expect(await postForm(`http://localhost:${port}/in`, {}, 2000)).toBe(204);
});

test('a redirect is an answer and leads nowhere', async () => {
  const before = seen.length;
  expect(await postForm(`http://127.0.0.1:${port}/moved`, {}, 2000)).toBe(302);
  expect(seen.slice(before).map(({ url }) => url)).toEqual(['/moved']);
});

test('nobody is waited for longer than said', async () => {
  await expect(postForm(`http://127.0.0.1:${port}/silent`, {}, 100)).rejects.toMatchObject({
    name: expect.stringMatching(/Abort|Timeout/),
  });
});

test.each([
  'http://169.254.169.254/latest',
  'http://0.0.0.0/',
  'http://[fe80::1]/',
  'http://[::ffff:169.254.169.254]/',
  'http://[::]/',
  'http://255.255.255.255/',
  'http://[fd00:ec2::254]/',
  'http://2852039166/',
])('%s is not connected to', async (url) => {
  await expect(postForm(url, {}, 2000)).rejects.toMatchObject({ name: 'AddressRefused' });
});

test.each([
  ['this machine', ['127.0.0.1']],
  ['this machine, in other letters', ['::ffff:127.0.0.1']],
  ['this link', ['169.254.169.254']],
  ['a fair address and this machine', ['192.0.2.1', '127.0.0.1']],
  ['nowhere', []],
])('a name that leads to %s is not connected to', async (_, addresses) => {
  const before = seen.length;
  await expect(
    postForm(`http://party.example:${port}/in`, {}, 2000, says(...addresses)),
  ).rejects.toMatchObject({ name: 'AddressRefused' });
  expect(seen.length).toBe(before);
});
