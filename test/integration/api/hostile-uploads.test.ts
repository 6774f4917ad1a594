// What a hostile sender can make of a body: a clear refusal, and nobody else waits for it. Bodies are sent
// from another thread, and the house's event loop is watched meanwhile.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Sent, startSender } from '../../support/sender.ts';
import { healthCertificate, LI, PUBLIC_URL, sessionOf, withHouse } from './house.ts';

const house = withHouse();
const mebibyte = 1024 * 1024;
/** Longest that others may have to wait for one body (milliseconds), the timer's own 5 included. */
const longestWait = 50;

let credential = '';
let sender: ReturnType<typeof startSender>;

beforeAll(async () => {
  sender = startSender(house.baseUrl);
  const reply = await house.client('health').call('POST', '/v1/licences', healthCertificate());
  ({ credential } = z.object({ credential: z.string() }).parse(reply.json));
  // The threads that read are there; starting them is no sender's doing.
  await sender.send(presented(credential));
  await sender.send(form('file', credential));
}, 60_000);

afterAll(() => sender.close());

const presented = (body: string): Sent => ({
  path: '/v1/public/verify',
  headers: { 'Content-Type': 'application/dc+sd-jwt' },
  body,
});
const multipart = (path: string, body: string | Buffer): Sent => ({
  path,
  headers: { 'Content-Type': 'multipart/form-data; boundary=a-boundary-of-these' },
  body,
});
const part = (name: string, text: string) =>
  `--a-boundary-of-these\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`;
const form = (name: string, text: string) =>
  multipart('/v1/public/verify', `${part(name, text)}--a-boundary-of-these--\r\n`);
const encoded = (value: string) => Buffer.from(value).toString('base64url');
const urlencoded = (path: string, body: string): Sent => ({
  path,
  headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: PUBLIC_URL },
  body,
});
const json = (path: string, body: string, headers: Record<string, string> = {}): Sent => ({
  path,
  headers: { 'Content-Type': 'application/json', ...headers },
  body,
});
const filled = (piece: string, bytes: number) =>
  piece.repeat(Math.floor(bytes / Buffer.byteLength(piece)));
const members = (count: number) =>
  `{${Array.from({ length: count }, (_, at) => `"a${at}":1`).join(',')}}`;

/** As a department's system sends it. */
async function asSystem(id: 'health' | 'housing', path: string, body: string): Promise<Sent> {
  const client = house.client(id);
  const { value } = await client.fetchToken();
  const proof = client.proof('POST', `${PUBLIC_URL}${path}`, value);
  return json(path, body, { Authorization: `DPoP ${value}`, DPoP: proof });
}

/** As the officer's browser sends it. */
async function asOfficer(who: string, path: string, body: string): Promise<Sent> {
  return json(path, body, { Cookie: await sessionOf(house, who), Origin: PUBLIC_URL });
}

/** Disclosures that can be read and belong to nothing, as many as fit. */
function strayDisclosures(): string {
  const made: string[] = [];
  for (let size = 0, at = 0; size < mebibyte - 8_192; at += 1) {
    const one = encoded(`["${at}","b",1]`);
    made.push(one);
    size += one.length + 1;
  }
  return made.join('~');
}

/** The CPU time this loop's thread has had so far (ms), where the kernel tells it (Linux). */
function ownCpu(): number | undefined {
  try {
    const file = `/proc/self/task/${process.pid}/schedstat`;
    return Number(readFileSync(file, 'ascii').split(' ')[0]) / 1e6;
  } catch {
    return undefined;
  }
}

/**
 * Watches the loop until it is told to stop, then says the longest time for which it stood still. On a
 * machine with other work a loop waits for its processor too, which no body makes it do: the CPU time
 * between two turns is what others were really kept waiting for.
 */
function watchLoop(): () => number {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  let before = ownCpu();
  let longestTurn = before === undefined ? Number.POSITIVE_INFINITY : 0;
  const turn = () => {
    const now = ownCpu();
    if (before !== undefined && now !== undefined)
      longestTurn = Math.max(longestTurn, now - before);
    before = now;
  };
  const timer = setInterval(turn, 2);
  delay.enable();
  return () => {
    turn();
    clearInterval(timer);
    delay.disable();
    return Math.min(delay.max / 1e6, longestTurn);
  };
}

/** What comes back, and the longest time the house's loop stood still meanwhile. */
async function watch(make: () => Promise<Sent> | Sent) {
  const sent = await make();
  const stop = watchLoop();
  const reply = await sender.send(sent);
  const code = /"code":"([a-z_.]+)"|<code>([a-z_.]+)<\/code>/.exec(reply.text);
  return { status: reply.status, code: code?.[1] ?? code?.[2], waited: stop() };
}

/** A body holds the loop up each time; what a collection of garbage does on its own happens once. */
async function leastWait(make: () => Promise<Sent> | Sent) {
  let best = await watch(make);
  for (let again = 0; again < 4 && best.waited > longestWait; again += 1) {
    const next = await watch(make);
    if (next.waited < best.waited) best = next;
  }
  return best;
}

test('the watch sees a loop that stands still', async () => {
  const stop = watchLoop();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const started = performance.now();
  const cpu = ownCpu();
  while ((ownCpu() ?? performance.now()) - (cpu ?? started) < 80);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(stop()).toBeGreaterThan(75);
});

interface Case {
  what: string;
  make: () => Promise<Sent> | Sent;
  is: string;
}

const cases: Case[] = [
  {
    what: 'a credential with as many stray disclosures as fit',
    make: () => presented(`${credential}${strayDisclosures()}~`),
    is: '200',
  },
  {
    what: 'a credential whose header is nested without end',
    make: () => presented(`${encoded(filled('[', mebibyte / 2))}.e30.x~`),
    is: '200',
  },
  {
    what: 'a credential of a megabyte of separators',
    make: () => presented(`a.b.c${filled('~', mebibyte - 16)}`),
    is: '200',
  },
  {
    what: 'a credential with a binding of a megabyte',
    make: () =>
      presented(`${credential}${encoded('{}')}.${encoded(`{"a":"${filled('x', 700_000)}"}`)}.x`),
    is: '200',
  },
  {
    what: 'a credential that almost matches, all the way',
    make: () => presented(`${filled('a.', mebibyte - 16)}~`),
    is: '422 registry.credential_unreadable',
  },
  {
    what: 'a form of as many parts as fit',
    make: () => multipart('/v1/public/verify', filled(part('a', ''), 20 * mebibyte)),
    is: '422 api.form_unreadable',
  },
  {
    what: 'a form of separators alone',
    make: () => multipart('/v1/public/verify', filled('--a-boundary-of-these\r\n', 20 * mebibyte)),
    is: '422 api.form_unreadable',
  },
  {
    what: 'a form whose part has a header without end',
    make: () =>
      multipart(
        '/v1/public/verify',
        `--a-boundary-of-these\r\nContent-Disposition: ${filled('a; ', 19 * mebibyte)}`,
      ),
    is: '422 api.form_unreadable',
  },
  {
    what: 'a form that is noise',
    make: () => multipart('/v1/public/verify', randomBytes(8 * mebibyte)),
    is: '422 api.form_unreadable',
  },
  {
    what: 'a credential that unpacks to a thousand times its size',
    make: () => ({
      ...presented(''),
      headers: { 'Content-Type': 'application/dc+sd-jwt', 'Content-Encoding': 'gzip' },
      body: gzipSync(Buffer.alloc(64 * mebibyte, 'a')),
    }),
    is: '415 api.content_coding',
  },
  {
    what: 'a page form of a million separators',
    make: () => urlencoded('/verify', filled('a&', mebibyte)),
    is: '413 api.body_too_large',
  },
  {
    what: 'a page form of as many fields as fit',
    make: () => urlencoded('/verify', filled('a=&', 64 * 1024)),
    is: '200',
  },
  {
    what: 'a CKAN form of half a million equal fields',
    make: () => urlencoded('/api/3/action/package_list', filled('a&', mebibyte)),
    is: '200',
  },
  {
    what: 'a CKAN form of many parts',
    make: () =>
      multipart(
        '/api/3/action/package_list',
        `${filled(part('a', ''), mebibyte)}--a-boundary-of-these--`,
      ),
    is: '400',
  },
  {
    what: 'a CKAN call nested without end',
    make: () => json('/api/3/action/package_search', `{"q":${filled('[', mebibyte - 16)}`),
    is: '400',
  },
  {
    what: 'a CKAN call whose query is nested without end',
    make: () => json('/api/3/action/package_search', `{"q":"${filled('(', mebibyte - 16)}"}`),
    is: '400',
  },
  {
    what: 'JSON nested without end',
    make: () => asSystem('health', '/v1/licences', filled('[', mebibyte)),
    is: '400 api.json_malformed',
  },
  {
    what: 'JSON of empty lists',
    make: () => asSystem('health', '/v1/licences', `[${filled('[],', mebibyte - 8)}[]]`),
    is: '400 api.json_malformed',
  },
  {
    what: 'a licence with as many unknown fields as may be',
    make: () =>
      asSystem(
        'health',
        '/v1/licences',
        `{"type":"LT-HEALTHCERT","holder":${JSON.stringify(LI)},"fields":${members(9_000)}}`,
      ),
    is: '422 registry.fields_invalid',
  },
  {
    what: 'a question with as many unknown parameters as may be',
    make: () =>
      asSystem(
        'housing',
        '/v1/verifications',
        `{"service":"VS-MARITAL","subject":{"scheme":"cn-id","value":"${LI.value}"},"params":${members(9_000)},"legalBasis":"LB-MCA266","purpose":"x","caseId":"H-1"}`,
      ),
    is: '422 exchange.params_invalid',
  },
  {
    what: 'a call with as many unknown members as may be',
    make: () => asSystem('housing', '/v1/verifications', members(9_000)),
    is: '422 api.input_invalid',
  },
  {
    what: 'JSON of as many members as fit',
    make: () => asSystem('health', '/v1/licences', members(80_000)),
    is: '400 api.json_malformed',
  },
  {
    what: 'a list of as many wrong members as may be',
    make: () =>
      asOfficer('housing-desk-1', '/v1/emergencies', `{"fields":[${filled('1,', 18_000)}1]}`),
    is: '422 api.input_invalid',
  },
  {
    what: 'a comparison of as many fields as may be',
    make: () =>
      json('/v1/public/licences/0000000000000000/compare', `{"fields":${members(9_000)}}`),
    is: '404 registry.licence_not_found',
  },
  {
    what: 'a purpose of a megabyte',
    make: () =>
      asSystem(
        'housing',
        '/v1/verifications',
        `{"service":"VS-MARITAL","subject":{"scheme":"cn-id","value":"${LI.value}"},"params":{},"legalBasis":"L","purpose":"${filled('9901 ', mebibyte - 512)}","caseId":"H-1"}`,
      ),
    is: '422 api.input_invalid',
  },
];

describe('a hostile body', () => {
  for (const { what, make, is } of cases) {
    test(`is answered, and holds nobody else up: ${what}`, async () => {
      const { status, code, waited } = await leastWait(make);
      const said = `${status}${code === undefined ? '' : ` ${code}`}`;
      expect(said).toBe(is);
      expect(waited).toBeLessThan(longestWait);
    }, 60_000);
  }

  test('is followed by one that is read as always', async () => {
    const { status, text } = await sender.send(presented(credential));
    expect([status, JSON.parse(text)]).toEqual([200, expect.objectContaining({ ok: true })]);
    const again = await sender.send(form('file', credential));
    expect([again.status, JSON.parse(again.text)]).toEqual([
      200,
      expect.objectContaining({ ok: true }),
    ]);
  });
});
