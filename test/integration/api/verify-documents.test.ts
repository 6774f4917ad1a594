// Checking PDFs that somebody presents: each check by its name, and each way of cheating by the check
// that catches it (contract section 6).
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type JsonObject, systemClock, systemIds } from '../../../platform/index.ts';
import { OID, signedData, timestampAttribute } from '../../../signing/cms.ts';
import { initKeys, openKeystore, type Signer } from '../../../signing/index.ts';
import { testKeys } from '../../support/keys.ts';
import { sealOf } from '../../support/sealed-pdf.ts';
import { healthCertificate, refusal, send, sessionOf, withHouse } from './house.ts';

const house = withHouse();
const HEALTH = '11990100009900048E';
const CIVIL = '11990100009900013U';
let li: string;
let pdf: Buffer;
let other: Buffer;

interface Verdict {
  ok: boolean;
  verdict: string;
  status?: string;
  checks: { name: string; result: string; detail: string }[];
}

async function verify(body: Uint8Array, type = 'application/pdf'): Promise<Verdict> {
  const reply = await send(house, 'POST', '/v1/public/verify', {
    headers: { 'Content-Type': type },
    body: Buffer.from(body),
  });
  expect(reply.status, reply.text).toBe(200);
  return JSON.parse(reply.text);
}

const failed = ({ checks }: Verdict) =>
  checks.filter(({ result }) => result === 'fail').map(({ name }) => name);

async function aDocument(certificateNo: string): Promise<{ number: string; pdf: Buffer }> {
  const fields = { certificate_no: certificateNo, trade: 'food', examined_on: '2026-03-01' };
  const issued = await house
    .client('health')
    .call('POST', '/v1/licences', healthCertificate({ fields }));
  const { number } = issued.json as { number: string };
  const reply = await fetch(`${house.baseUrl}/v1/licences/${number}/document.pdf`, {
    headers: { Cookie: li },
  });
  return { number, pdf: Buffer.from(await reply.arrayBuffer()) };
}

beforeAll(async () => {
  li = await sessionOf(house, 'li');
  ({ pdf } = await aDocument('JK-1'));
  ({ pdf: other } = await aDocument('JK-2'));
}, 60_000);

const CHECKS = [
  'format',
  'byte_range',
  'updates',
  'digest',
  'signature',
  'certificate',
  'timestamp',
  'certificate_time',
  'recorded',
  'register',
  'status',
];

test('a document as it was sealed passes every check', async () => {
  const verdict = await verify(pdf);
  expect(verdict).toMatchObject({ ok: true, verdict: 'genuine', status: 'valid' });
  expect(verdict.checks.map(({ name, result }) => [name, result])).toEqual(
    CHECKS.map((name) => [name, 'pass']),
  );
});

test('in a form with the field "file" too, and the holder sees that somebody checked', async () => {
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(pdf)], { type: 'application/pdf' }), 'licence.pdf');
  const reply = await fetch(`${house.baseUrl}/v1/public/verify`, { method: 'POST', body: form });
  expect(await reply.json()).toMatchObject({ ok: true, verdict: 'genuine' });
  const { json } = await send(house, 'GET', '/v1/me/access-log?limit=20', {
    headers: { Cookie: li },
  });
  const types = (json as { items: JsonObject[] }).items.map(({ type }) => type);
  expect(types).toContain('licence.checked');
});

test('genuine stays genuine when the licence falls, and is no longer ok', async () => {
  const { number: fallen, pdf: before } = await aDocument('JK-3');
  const act = { reason: '复查', legalBasis: 'LB-FOODSAFE' };
  await house.client('health').call('POST', `/v1/licences/${fallen}/revoke`, act);
  const verdict = await verify(before);
  expect(verdict).toMatchObject({ ok: false, verdict: 'genuine', status: 'revoked' });
  expect(failed(verdict)).toEqual(['status']);
});

/** The file with another signature in the room of its own. */
function withSignature(file: Buffer, signature: Buffer): Buffer {
  const changed = Buffer.from(file);
  const at = changed.indexOf('/Contents <') + '/Contents <'.length;
  changed.fill('0', at, changed.indexOf('>', at));
  changed.write(signature.toString('hex'), at, 'latin1');
  return changed;
}

function digestOf(file: Buffer): Buffer {
  return createHash('sha256').update(sealOf(file).covered).digest();
}

/** Sealed anew by a key, with a time-stamp by another. */
async function sealedBy(file: Buffer, signer: Signer, stamp: (digest: Buffer) => Promise<Buffer>) {
  const unsigned = async (value: Buffer) => [
    timestampAttribute(await stamp(createHash('sha256').update(value).digest())),
  ];
  const content = { type: OID.data, digest: digestOf(file), hasCertificates: true, unsigned };
  return withSignature(file, await signedData(content, signer));
}

const ourStamp = (digest: Buffer) =>
  house.services.signing.timestampToken({
    hash: 'sha256',
    imprint: digest.toString('hex'),
    hasNull: false,
    isCertificateWanted: true,
  });

const flipped = (file: Buffer, at: number): Buffer => {
  const changed = Buffer.from(file);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
};

const replaced = (file: Buffer, from: string, to: string): Buffer =>
  Buffer.from(file.toString('latin1').replace(from, to), 'latin1');

/** A later save of the file, the way PDF programs write one. */
const update = (file: Buffer, objects: string): Buffer =>
  Buffer.concat([
    file,
    Buffer.from(
      `\n${objects}\nxref\n0 0\ntrailer << /Prev 0 >>\nstartxref\n${file.length}\n%%EOF\n`,
    ),
  ]);

describe('is not genuine', () => {
  const cases: [string, (file: Buffer) => Buffer | Promise<Buffer>, string[]][] = [
    ['a changed byte of the content', (file) => flipped(file, 300), ['digest']],
    ['a changed byte near the end', (file) => flipped(file, file.length - 40), ['digest']],
    [
      'a changed byte of the signature',
      (file) => {
        const { value } = sealOf.parts(sealOf(file).signature);
        const at = file.indexOf(value.toString('hex'), 0, 'latin1');
        const changed = Buffer.from(file);
        changed[at] = changed[at] === 0x30 ? 0x31 : 0x30;
        return changed;
      },
      ['signature', 'timestamp'],
    ],
    [
      'an appended comment',
      (file) => Buffer.concat([file, Buffer.from('\n% more')]),
      ['byte_range', 'updates'],
    ],
    [
      'an appended update',
      (file) => update(file, '1 0 obj << >> endobj'),
      ['byte_range', 'updates'],
    ],
    [
      'a shadow: content replaced by an update',
      (file) => update(file, '5 0 obj << /Length 0 >> stream\nendstream endobj'),
      ['byte_range', 'updates'],
    ],
    [
      'a shadow: the page hidden by another root',
      (file) => update(file, '9 0 obj << /Type /Catalog >> endobj'),
      ['byte_range', 'updates'],
    ],
    [
      'a second signature over all of it',
      (file) => update(file, '9 0 obj << /ByteRange [0 10 20 30] /Contents <00> >> endobj'),
      ['byte_range', 'updates'],
    ],
    [
      'something behind the signature in its room',
      (file) => {
        const at = file.indexOf('>', file.indexOf('/Contents <'));
        return Buffer.concat([file.subarray(0, at - 2), Buffer.from('41'), file.subarray(at)]);
      },
      ['signature'],
    ],
    [
      'the signature of another document',
      (file) => withSignature(file, sealOf(other).signature),
      ['digest'],
    ],
    [
      'the seal of another department',
      async (file) => {
        const { keystore } = await testKeys();
        return sealedBy(file, keystore.sealKey(CIVIL), ourStamp);
      },
      ['recorded'],
    ],
    [
      'a receipt key in place of a seal',
      async (file) => {
        const { keystore } = await testKeys();
        const { certificate, chain } = keystore.receiptKey(HEALTH);
        return sealedBy(file, { ...keystore.sealKey(HEALTH), certificate, chain }, ourStamp);
      },
      ['signature', 'certificate'],
    ],
    [
      'the time-stamp of another seal',
      async (file) => {
        const { keystore } = await testKeys();
        return sealedBy(file, keystore.sealKey(HEALTH), () =>
          ourStamp(createHash('sha256').update('x').digest()),
        );
      },
      ['timestamp'],
    ],
    [
      'a seal without a time-stamp',
      async (file) => {
        const { keystore } = await testKeys();
        const content = { type: OID.data, digest: digestOf(file), hasCertificates: true };
        return withSignature(file, await signedData(content, keystore.sealKey(HEALTH)));
      },
      ['timestamp'],
    ],
    [
      'a seal that signs itself as its own time-stamp',
      async (file) => {
        const { keystore } = await testKeys();
        const seal = keystore.sealKey(HEALTH);
        return sealedBy(file, seal, (digest) =>
          signedData(
            {
              type: OID.timestampInfo,
              inside: digest,
              digest: createHash('sha256').update(digest).digest(),
              hasCertificates: true,
            },
            seal,
          ),
        );
      },
      ['timestamp'],
    ],
    [
      'another byte range',
      (file) => replaced(file, '/ByteRange [0 ', '/ByteRange [1 '),
      ['format'],
    ],
    ['a byte range beyond the file', (file) => file.subarray(0, file.length - 1000), ['format']],
    ['half of the file', (file) => file.subarray(0, file.length >> 1), ['format']],
    ['no seal at all', () => Buffer.from('%PDF-1.7\n%%EOF\n'), ['format']],
  ];

  test.each(cases)('%s', async (_, change, faults) => {
    const verdict = await verify(await change(pdf));
    expect([verdict.ok, verdict.verdict]).toEqual([false, 'not_genuine']);
    expect(failed(verdict)).toEqual(faults);
  });
});

describe('another registry', () => {
  let dir: string;
  let theirs: ReturnType<typeof openKeystore>;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'yihao-foreign-'));
    const organisations = [{ name: '云珠市卫生健康委员会', uscc: HEALTH }];
    await initKeys(dir, {
      organisations,
      publicUrl: 'http://127.0.0.1:4100',
      clock: systemClock,
      ids: systemIds,
    });
    theirs = openKeystore(dir, 'all');
  }, 60_000);
  afterAll(() => rm(dir, { recursive: true, force: true }));

  test('with the same names and another root is not genuine', async () => {
    const verdict = await verify(await sealedBy(pdf, theirs.sealKey(HEALTH), ourStamp));
    expect(verdict.verdict).toBe('not_genuine');
    expect(failed(verdict)).toEqual(['certificate']);
  });

  test('can’t hide its root behind our issuing CA’s certificate', async () => {
    const seal = theirs.sealKey(HEALTH);
    const [leaf] = seal.chain;
    const chain = [leaf ?? Buffer.alloc(0), house.services.signing.issuingCertificate()];
    const verdict = await verify(await sealedBy(pdf, { ...seal, chain }, ourStamp));
    expect([verdict.verdict, failed(verdict)]).toEqual(['not_genuine', ['certificate']]);
  });
});

test('sealed by the right key but never recorded is unknown', async () => {
  const { keystore } = await testKeys();
  const forged = replaced(pdf, '/Producer', '/Pr0ducer');
  const verdict = await verify(await sealedBy(forged, keystore.sealKey(HEALTH), ourStamp));
  expect([verdict.ok, verdict.verdict, failed(verdict)]).toEqual([false, 'unknown', ['recorded']]);
});

test('a seal whose certificate was revoked for its key is nothing worth', async () => {
  const { keystore } = await testKeys();
  const { serialNumber: serial } = keystore.sealKey(HEALTH).certificate;
  const { signing, database } = house.services;
  await database.transaction((tx) =>
    signing.revokeCertificate(tx, { serial, reason: 'keyCompromise' }),
  );
  try {
    await expect
      .poll(async () => failed(await verify(pdf)), { timeout: 60_000, interval: 500 })
      .toEqual(['certificate_time']);
    expect((await verify(pdf)).verdict).toBe('not_genuine');
  } finally {
    await house.ownerSql`delete from signing.revoked_certificates`;
  }
  await expect
    .poll(async () => (await verify(pdf)).ok, { timeout: 60_000, interval: 500 })
    .toBe(true);
}, 150_000);

describe('hostile files end soon', () => {
  const seal = '/Type /Sig /SubFilter /ETSI.CAdES.detached ';
  const cases: [string, () => Buffer][] = [
    ['1 MiB of nested arrays', () => Buffer.from(`%PDF-1.7\n${'['.repeat(1 << 20)}`)],
    [
      'a wrong table of references',
      () => Buffer.from(`%PDF-1.7\nxref\n0 99999999\nstartxref\n99999999999\n%%EOF`),
    ],
    [
      'a huge byte range',
      () => Buffer.from(`%PDF-1.7\n${seal}/ByteRange [0 999999999 999999999 999999999]\n%%EOF`),
    ],
    [
      'a byte range without end',
      () => Buffer.from(`%PDF-1.7\n${seal}/ByteRange [0 ${'9'.repeat(1 << 20)}`),
    ],
    [
      'a million byte ranges',
      () => Buffer.from(`%PDF-1.7\n${'/ByteRange [0 1 2 3]'.repeat(500_000)}`),
    ],
    [
      '19 MiB of digits for a signature',
      () => {
        const head = Buffer.from('%PDF-1.7\n/ByteRange [0 000000070 19000072 0001]     \n');
        const file = Buffer.concat([
          head.subarray(0, 60),
          Buffer.from('/Contents <'),
          Buffer.alloc(19_000_000, '3'),
          Buffer.from('>\n'),
        ]);
        return file;
      },
    ],
    [
      'DER nested without end',
      () => {
        const file = Buffer.from(pdf);
        const at = file.indexOf('/Contents <') + '/Contents <'.length;
        file.write('30823ffc', at, 'latin1');
        return withSignature(
          pdf,
          Buffer.concat([Buffer.from('30821ffc', 'hex'), Buffer.from('3080'.repeat(4094), 'hex')]),
        );
      },
    ],
  ];

  test.each(cases)(
    '%s',
    async (_, file) => {
      const verdict = await verify(file());
      expect([verdict.ok, verdict.verdict]).toEqual([false, 'not_genuine']);
    },
    20_000,
  );

  test('what is no PDF is refused as unreadable', async () => {
    for (const body of [Buffer.alloc(0), Buffer.from('hello'), Buffer.alloc(1000, 1)]) {
      const reply = await send(house, 'POST', '/v1/public/verify', {
        headers: { 'Content-Type': 'application/pdf' },
        body,
      });
      expect(refusal(reply)).toBe('422 registry.document_unreadable');
    }
  });
});

describe('the page', () => {
  const post = async (file: Uint8Array | null) => {
    const form = new FormData();
    if (file) form.append('file', new Blob([new Uint8Array(file)]), 'x.pdf');
    return send(house, 'POST', '/verify/document?lang=en', { body: form });
  };

  test('takes a PDF by form and names each check', async () => {
    const { status, text } = await post(pdf);
    expect(status).toBe(200);
    expect(text).toContain('Genuine');
    for (const words of ['The seal covers the whole file', 'Time-stamp', 'In the register'])
      expect(text).toContain(words);
  });

  test('says so when a file was changed, or none was chosen', async () => {
    expect((await post(flipped(pdf, 300))).text).toContain('Not genuine, or changed');
    for (const nothing of [null, Buffer.alloc(0), Buffer.from('hello')]) {
      const { status, text } = await post(nothing);
      expect([status, text.includes('Choose a PDF file first.')]).toEqual([422, true]);
    }
  });
});
