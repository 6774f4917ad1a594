// Documents as programs of others read them: poppler's pdfsig, pdftotext and pdffonts, and qpdf.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../platform/index.ts';
import {
  healthCertificate,
  LI,
  PUBLIC_URL,
  sessionOf,
  withHouse,
} from '../integration/api/house.ts';
import { pemOf, run, scratch } from '../support/openssl.ts';

const house = withHouse();
const files = scratch();
const NAME = '龘靐齉㐂𬭸·买买提';
let issued: JsonObject;
let pdf: Buffer;
let path: string;
let nss: string;

beforeAll(async () => {
  const body = healthCertificate({ holder: { ...LI, name: NAME } });
  issued = (await house.client('health').call('POST', '/v1/licences', body)).json as JsonObject;
  const reply = await fetch(`${house.baseUrl}/v1/licences/${issued.number}/document.pdf`, {
    headers: { Cookie: await sessionOf(house, 'li') },
  });
  pdf = Buffer.from(await reply.arrayBuffer());
  path = files.file('licence.pdf', pdf);
  // pdfsig trusts what an NSS database trusts.
  nss = `${files.dir}/nss`;
  run('mkdir', ['-p', nss]);
  const root = files.file('root.pem', pemOf(house.services.signing.rootCertificate()));
  expect(run('certutil', ['-N', '-d', `sql:${nss}`, '--empty-password']).text).toBe('');
  const added = run('certutil', [
    '-A',
    '-d',
    `sql:${nss}`,
    '-n',
    'root',
    '-t',
    'C,C,C',
    '-i',
    root,
  ]);
  expect(added.isOk).toBe(true);
});
afterAll(() => files.remove());

const pdfsig = (file: string) => run('pdfsig', ['-nssdir', nss, file]).text;

describe('pdfsig', () => {
  test('finds a valid seal over the whole document, of a trusted certificate', () => {
    const text = pdfsig(path);
    expect(text).toContain('Signature is Valid.');
    expect(text).toContain('Certificate is Trusted.');
    expect(text).toContain('Total document signed');
    expect(text).toContain('ETSI.CAdES.detached');
    expect(text).toContain('云珠市卫生健康委员会');
  });

  test('notices a changed byte and an appended one', () => {
    const changed = Buffer.from(pdf);
    changed[200] = (changed[200] ?? 0) ^ 1;
    expect(pdfsig(files.file('changed.pdf', changed))).toContain('Digest Mismatch');
    const longer = Buffer.concat([pdf, Buffer.from('\n% more')]);
    expect(pdfsig(files.file('longer.pdf', longer))).toContain('Not total document signed');
  });
});

test('qpdf finds no fault in its structure', () => {
  const { isOk, text } = run('qpdf', ['--check', path]);
  expect([isOk, text]).toEqual([
    true,
    expect.stringContaining('No syntax or stream encoding errors'),
  ]);
});

test('its text is text: number, code, rare name, labels in both languages', () => {
  const { text } = run('pdftotext', ['-layout', path, '-']);
  const code = String(issued.verificationCode).match(/.{4}/g)?.join('-') ?? '?';
  for (const words of [
    String(issued.number),
    code,
    NAME,
    LI.value,
    '健康证明',
    '持证人',
    'Holder',
    '有效期限',
    'Validity',
    `${PUBLIC_URL}/verify`,
  ]) {
    expect(text).toContain(words);
  }
});

test('its typefaces are inside, cut to what is used, and readable', () => {
  const rows = run('pdffonts', [path]).text.trim().split('\n').slice(2);
  expect(rows).toHaveLength(2);
  for (const row of rows) expect(row).toMatch(/CID TrueType\s+Identity-H\s+yes (yes|no)\s+yes/);
  // A broken subset still gives its text; only drawing it tells.
  const drawn = run('pdftoppm', ['-r', '50', '-png', path, `${files.dir}/page`]);
  expect([drawn.isOk, drawn.text]).toEqual([true, '']);
});
