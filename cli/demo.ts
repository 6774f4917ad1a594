// `npm run demo`: the main story on a running instance, each step in words, each result checked.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { type Json, loadConfig, systemIds } from '../platform/index.ts';
import { verifyTlogProof } from '../verifier/index.ts';
import { findOrStart } from './instance.ts';
import { createMachineClient, type Reply, readClientFile } from './machine-client.ts';
import { PersonFile, signIn } from './person-client.ts';

class StoryError extends Error {}

/** The story goes on only while everything holds. */
function holds(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new StoryError(otherwise);
}

function expectStatus(reply: Reply, status: number, what: string): void {
  holds(
    reply.status === status,
    `${what}: expected ${status}, got ${reply.status} ${reply.text.slice(0, 400)}`,
  );
}

async function play(): Promise<void> {
  const config = loadConfig();
  const instance = await findOrStart(config, console.log);
  const { baseUrl } = instance;
  let number = 0;
  const step = async <T>(words: string, act: () => Promise<T>): Promise<T> => {
    number += 1;
    const begun = performance.now();
    const result = await act();
    console.log(
      `${String(number).padStart(2)}. ${words} (${Math.round(performance.now() - begun)} ms)`,
    );
    return result;
  };
  const clientOf = async (name: string) =>
    createMachineClient(await readClientFile(join(config.dataDir, 'clients', `${name}.json`)), {
      baseUrl,
    });
  const people = PersonFile.parse(
    JSON.parse(await readFile(join(config.dataDir, 'people.json'), 'utf8')),
  );
  const personNamed = (key: string) => {
    const person = people.find((candidate) => candidate.key === key);
    holds(person !== undefined, `there is no ${key} in people.json`);
    return person;
  };
  const caseId = `DEMO-${systemIds.token(6).replace(/[^A-Za-z0-9]/g, '0')}`;

  try {
    const [civil, housing, audit] = await Promise.all([
      clientOf('civil'),
      clientOf('housing'),
      clientOf('audit'),
    ]);
    const divorced = personNamed('p-divorced');
    const abroad = personNamed('p-abroad');
    const proofOf = (purpose: string) =>
      civil.call('POST', '/v1/licences', {
        type: 'LT-NOMARRIAGE',
        holder: { scheme: abroad.scheme, value: abroad.value, name: abroad.name },
        fields: {
          searched_from: '2012-01-01',
          searched_to: '2026-01-01',
          result: 'no_record',
          destination: 'DE',
        },
        purpose,
      });

    await step(
      'A bank at home wants a single proof on paper: refused, ask through the exchange',
      async () => {
        const reply = await proofOf('PUR-BANK');
        expectStatus(reply, 422, 'single proof for a bank');
        holds(codeOf(reply) === 'registry.use_exchange_instead', `the code was ${codeOf(reply)}`);
      },
    );
    const issued = await step(
      'A notary needs it for Germany: civil affairs issues it, signed',
      async () => {
        const reply = await proofOf('PUR-NOTARY-ABROAD');
        expectStatus(reply, 201, 'single proof for a notary abroad');
        return z
          .object({ number: z.string(), verificationCode: z.string(), credential: z.string() })
          .parse(reply.json);
      },
    );
    const verification = await step(
      'Housing asks civil affairs: was this applicant never registered as married?',
      async () => {
        const reply = await housing.call(
          'POST',
          '/v1/verifications',
          {
            service: 'VS-MARITAL',
            subject: { scheme: divorced.scheme, value: divorced.value },
            params: { declared: 'never_registered' },
            legalBasis: 'LB-MCA266',
            purpose: 'public rental housing application',
            caseId,
            officer: 'housing-desk-1',
          },
          { Prefer: 'wait=10' },
        );
        expectStatus(reply, 200, 'the question');
        return z
          .object({
            id: z.string(),
            state: z.literal('answered'),
            answer: z.record(z.string(), z.json()),
            audit: z.array(z.number()),
            receipt: z.string(),
          })
          .parse(reply.json);
      },
    );
    await step('The answer: does not match, and nothing more than that', async () => {
      const { answer } = verification;
      holds(answer.matches === false, `matches was ${String(answer.matches)}`);
      const keys = Object.keys(answer).sort().join(' ');
      holds(keys === 'as_of matches', `the answer holds ${keys}`);
      holds(verification.audit.length === 2, 'the question and the answer have one log entry each');
    });
    await step(
      'The applicant signs in and sees that housing asked, why, and on what legal basis',
      async () => {
        const session = await signIn(baseUrl, {
          scheme: divorced.scheme,
          value: divorced.value,
          pin: divorced.pin,
        });
        const { json } = await session.get('/v1/me/access-log?limit=50');
        const { items } = z
          .object({
            items: z.array(
              z.looseObject({
                index: z.number(),
                caseId: z.string().nullish(),
                department: z.looseObject({ id: z.string() }).nullish(),
              }),
            ),
          })
          .parse(json);
        const mine = items.filter(
          (item) => item.caseId === caseId && item.department?.id === 'housing',
        );
        holds(mine.length > 0, 'the look of housing is not in the access log');
      },
    );
    await step('The one who goes abroad sees both his requests, the refused one too', async () => {
      const session = await signIn(baseUrl, {
        scheme: abroad.scheme,
        value: abroad.value,
        pin: abroad.pin,
      });
      const { json } = await session.get('/v1/me/access-log?department=civil&limit=50');
      const { items } = z
        .object({ items: z.array(z.looseObject({ outcome: z.string() })) })
        .parse(json);
      const outcomes = new Set(items.map((item) => item.outcome));
      holds(
        outcomes.has('refused') && outcomes.has('ok'),
        `the log shows ${[...outcomes].join(', ')}`,
      );
    });
    await step('Anyone scans the QR code: genuine', async () => {
      holds((await lookUp(baseUrl, issued.verificationCode)) === 'genuine', 'it is not genuine');
      holds((await present(baseUrl, issued.credential)).ok, 'the credential does not verify');
    });
    await step('The licence is revoked', async () => {
      const reply = await civil.call('POST', `/v1/licences/${issued.number}/revoke`, {
        reason: 'issued on a false statement',
        legalBasis: 'LB-MCA266',
      });
      expectStatus(reply, 200, 'revoking');
    });
    await step(
      'The same code says so, and the credential is authentic but no longer valid',
      async () => {
        const result = await lookUp(baseUrl, issued.verificationCode);
        holds(result === 'revoked', `the code says ${result}`);
        const { ok, verdict } = await present(baseUrl, issued.credential);
        holds(!ok && verdict === 'genuine', `the credential is ${verdict}, ok ${ok}`);
      },
    );
    await step(
      'The auditor finds the question by its case and proves that its entry is in the log',
      async () => {
        const found = await audit.call('POST', '/v1/audit/search', { caseId, limit: 10 });
        expectStatus(found, 200, 'the search');
        const { items } = z
          .object({ items: z.array(z.looseObject({ index: z.number() })) })
          .parse(found.json);
        const index = verification.audit[0] ?? -1;
        holds(
          items.some((item) => item.index === index),
          'the search does not find the question',
        );
        const entry = await audit.call('GET', `/v1/audit/entries/${index}`);
        const { leaf } = z.object({ leaf: z.string() }).parse(entry.json);
        const proof = await receiptOf(audit, index);
        const vkey = (await (await fetch(`${baseUrl}/log/vkey`)).text()).trim();
        const checked = await verifyTlogProof(proof, vkey, Buffer.from(leaf, 'base64'));
        holds(checked.valid, `the proof does not hold: ${checked.reasons.join('; ')}`);
      },
    );
    await step('A dataset is found by a Chinese word', async () => {
      const reply = await fetch(
        `${baseUrl}/api/3/action/package_search?${new URLSearchParams({ q: '电子证照' })}`,
      );
      const { result } = z
        .object({
          result: z.object({
            count: z.number(),
            results: z.array(z.looseObject({ title: z.string() })),
          }),
        })
        .parse(await reply.json());
      holds(result.count > 0, 'nothing was found');
    });
    console.log(`All ${number} steps held at ${baseUrl}.`);
  } finally {
    await instance.stop();
  }
}

function codeOf(reply: Reply): string {
  const problem = z.looseObject({ code: z.string() }).safeParse(reply.json);
  return problem.success ? problem.data.code : '(none)';
}

async function lookUp(baseUrl: string, code: string): Promise<string> {
  const reply = await fetch(`${baseUrl}/v1/public/licences/${code}`);
  return z.looseObject({ result: z.string() }).parse(await reply.json()).result;
}

async function present(
  baseUrl: string,
  credential: string,
): Promise<{ ok: boolean; verdict: string }> {
  const reply = await fetch(`${baseUrl}/v1/public/verify`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/dc+sd-jwt' },
    body: credential,
  });
  return z.looseObject({ ok: z.boolean(), verdict: z.string() }).parse(await reply.json());
}

/** The receipt, as soon as a checkpoint covers the entry (one comes within a second). */
async function receiptOf(
  audit: { call(method: string, path: string, body?: Json): Promise<Reply> },
  index: number,
): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const reply = await audit.call('GET', `/v1/audit/entries/${index}/receipt`);
    if (reply.status === 200) return reply.text;
    holds(reply.status === 409 && attempt < 20, `no receipt: ${reply.status} ${reply.text}`);
    await wait(Number(reply.headers.get('retry-after') ?? 1) * 1000);
  }
}

try {
  await play();
} catch (error) {
  console.error(error instanceof StoryError ? `The story broke: ${error.message}` : error);
  process.exitCode = 1;
}
