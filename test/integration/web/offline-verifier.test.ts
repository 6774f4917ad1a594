// The program that people save: one file that Node.js runs without anything of ours beside it.
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { signCheckpoint } from '../../../audit/checkpoint.ts';
import { cosign } from '../../../audit/cosignature.ts';
import { leafHash } from '../../../audit/merkle-tree.ts';
import { formatVkey, keyTypes, splitNote } from '../../../audit/signed-note.ts';
import { formatTlogProof } from '../../../audit/tlog-proof.ts';
import { offlineVerifier } from '../../../web/offline-verifier.ts';

const dir = mkdtempSync(join(tmpdir(), 'yihao-verifier-'));
afterAll(() => rmSync(dir, { recursive: true }));

function aKey() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32),
    sign: (bytes: Buffer) => sign(null, bytes, privateKey),
  };
}

const [log, witness] = [aKey(), aKey()];
const vkey = formatVkey('yunzhu.example/log', log.publicKey);
const policy = `witness W ${formatVkey('health.example', witness.publicKey, keyTypes.cosigner)}\nquorum W\n`;
const leaf = Buffer.from('{"v":1}');
const note = signCheckpoint('yunzhu.example/log', { size: 1, root: leafHash(leaf) }, log);
const line = cosign(
  splitNote(note).text,
  'health.example',
  witness,
  new Date('2026-03-04T05:00:00Z'),
);

function receipt(checkpoint: string): string {
  const proof = formatTlogProof({ index: 0, hashes: [], checkpoint });
  return JSON.stringify({ index: 0, leaf: leaf.toString('base64'), opening: {}, proof });
}

function run(...words: string[]) {
  const { status, stdout } = spawnSync(process.execPath, [join(dir, 'verifier.mjs'), ...words], {
    encoding: 'utf8',
    // Nothing of ours may be found from there.
    cwd: dir,
    env: {},
  });
  return { status, said: stdout === '' ? undefined : JSON.parse(stdout) };
}

test('the program tells true receipts from others, witnessed or not', () => {
  const files = {
    'verifier.mjs': offlineVerifier().program,
    'witnessed.json': receipt(note + line),
    'unwitnessed.json': receipt(note),
    'changed.json': receipt(note + line).replace('eyJ2Ijox', 'eyJ2Ijoy'),
    'log.vkey': `${vkey}\n`,
    policy,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  expect(run('witnessed.json', '--vkey', 'log.vkey', '--policy', 'policy')).toMatchObject({
    status: 0,
    said: {
      valid: true,
      facts: {
        isWitnessed: true,
        witnesses: [{ name: 'health.example', at: '2026-03-04T05:00:00.000Z' }],
      },
    },
  });
  expect(run('unwitnessed.json', '--vkey', vkey)).toMatchObject({
    status: 0,
    said: { valid: true },
  });
  expect(run('unwitnessed.json', '--vkey', vkey, '--policy', 'policy').status).toBe(1);
  expect(run('changed.json', '--vkey', vkey).status).toBe(1);
  expect(run('witnessed.json').status).toBe(2);
});

test('neither file mentions a place to connect to, and the page forbids it every connection', () => {
  const { html, program } = offlineVerifier();
  for (const text of [html, program]) {
    expect(text).not.toMatch(/fetch\(|XMLHttpRequest|WebSocket|https?:\/\//);
    expect(text).not.toMatch(/\bimport\b|\brequire\b/);
  }
  expect(html).toContain(`content="default-src 'none'; script-src 'sha256-`);
});
