// The offline verifier beside the log's own arithmetic: it accepts every true proof and no other.
import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { signCheckpoint } from '../../../audit/checkpoint.ts';
import { commit } from '../../../audit/leaf.ts';
import { inclusionPath, leafHash, treeHash } from '../../../audit/merkle-tree.ts';
import { formatVkey } from '../../../audit/signed-note.ts';
import { formatTlogProof } from '../../../audit/tlog-proof.ts';
import { canonicalJson } from '../../../platform/index.ts';
import { type Receipt, verify, verifyReceipt, verifyTlogProof } from '../../../verifier/index.ts';

const origin = 'log.yunzhu.example';
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const signer = {
  publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32),
  sign: (bytes: Buffer) => sign(null, bytes, privateKey),
};
const vkey = formatVkey(origin, signer.publicKey);
const salt = Buffer.alloc(32, 9);
const purpose = '公租房资格申请';
const leaves = Array.from({ length: 300 }, (_, at) =>
  Buffer.from(
    canonicalJson({
      v: 1,
      type: 't',
      n: at,
      purpose: commit({ salt, value: Buffer.from(purpose) }),
    }),
  ),
);
const hashes = leaves.map(leafHash);

function aProof(index: number, size: number): string {
  const path = inclusionPath(index, size).map(({ start, end }) =>
    treeHash(hashes.slice(start, end)),
  );
  const head = { size, root: treeHash(hashes.slice(0, size)) };
  return formatTlogProof({ index, hashes: path, checkpoint: signCheckpoint(origin, head, signer) });
}

function aReceipt(index = 5, size = 13): Receipt {
  return {
    index,
    leaf: leaves[index]?.toString('base64') ?? '',
    opening: { purpose: { salt: salt.toString('base64url'), value: purpose } },
    proof: aProof(index, size),
  };
}

const indexAndSize = fc
  .integer({ min: 1, max: leaves.length })
  .chain((size) => fc.tuple(fc.nat(size - 1), fc.constant(size)));

test('every true receipt holds, and says what was logged and what stands behind it', async () => {
  await fc.assert(
    fc.asyncProperty(indexAndSize, async ([index, size]) => {
      const verdict = await verify(JSON.stringify(aReceipt(index, size)), vkey);
      expect(verdict).toEqual({
        valid: true,
        reasons: [],
        facts: {
          origin,
          index,
          size,
          root: treeHash(hashes.slice(0, size)).toString('base64'),
          unknownSigners: [],
          leafHash: hashes[index]?.toString('base64'),
          leaf: JSON.parse(leaves[index]?.toString() ?? ''),
          opened: { purpose },
        },
      });
    }),
  );
});

test('a plain proof holds for its own leaf and for no other', async () => {
  await fc.assert(
    fc.asyncProperty(indexAndSize, fc.nat(299), async ([index, size], other) => {
      const proof = aProof(index, size);
      expect(await verifyTlogProof(proof, vkey, leaves[index])).toMatchObject({ valid: true });
      const isOther = other !== index;
      const verdict = await verifyTlogProof(proof, vkey, leaves[other]);
      expect(verdict.valid).toBe(!isOther);
      expect(verdict.reasons.length).toBe(isOther ? 1 : 0);
    }),
  );
});

test('without the leaf nothing is said about what the tree holds', async () => {
  const { valid, facts } = await verify(aProof(5, 13), vkey);
  expect(valid).toBe(true);
  expect(facts.leafHash).toBeUndefined();
  expect(facts.leaf).toBeUndefined();
});

test('one changed character anywhere in a proof is a reason against it, or changes nothing signed', async () => {
  const proof = aProof(5, 13);
  await fc.assert(
    fc.asyncProperty(fc.nat(proof.length - 1), fc.constantFrom(...'A1+ \n'), async (at, char) => {
      const spoilt = proof.slice(0, at) + char + proof.slice(at + 1);
      const { valid } = await verifyTlogProof(spoilt, vkey, leaves[5]);
      expect(valid).toBe(spoilt === proof);
    }),
    { numRuns: 300 },
  );
});

test('a spoilt receipt is refused with its reason', async () => {
  const good = aReceipt();
  const other = aReceipt(6);
  const foreign = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' });
  const opening = good.opening.purpose;
  const cases: [unknown, RegExp, string?][] = [
    [{ ...good, leaf: other.leaf }, /does not hold these bytes/],
    [{ ...good, index: 6 }, /another entry/],
    [{ ...good, proof: other.proof }, /does not hold these bytes/],
    [
      { ...good, opening: { purpose: { ...opening, value: 'x' } } },
      /does not commit to this purpose/,
    ],
    [{ ...good, opening: { case: opening } }, /does not commit to this case/],
    [{ ...good, opening: { purpose: { ...opening, salt: 'AAAA' } } }, /salt of purpose/],
    [{ ...good, opening: { purpose: { ...opening, salt: '!' } } }, /salt of purpose/],
    [{ ...good, opening: undefined }, /not a receipt/],
    [{ ...good, opening: { purpose: 'x' } }, /not a receipt/],
    [{ ...good, leaf: `${good.leaf}=` }, /leaf is not canonical/],
    [[good], /not a receipt/],
    [null, /not a receipt/],
    [good, /not signed with this key/, formatVkey(origin, foreign.subarray(-32))],
    [good, /not signed with this key/, formatVkey('another.log', signer.publicKey)],
    [good, /not the key of a log/, 'nonsense'],
    [good, /not the key of a log/, vkey.replace('+', '+0')],
  ];
  for (const [receipt, reason, key = vkey] of cases) {
    const { valid, reasons } = await verifyReceipt(receipt, key);
    expect({ valid, reasons }).toEqual({
      valid: false,
      reasons: [expect.stringMatching(reason)],
    });
  }
  expect(await verify('{', vkey)).toMatchObject({ valid: false });
  expect(await verify('', vkey)).toMatchObject({ valid: false });
});

test('further signers are named, and nothing is claimed for them', async () => {
  const { proof, ...rest } = aReceipt();
  const witnessed = `${proof}— witness.example Uw2QOkn8srV1yJGh\n`;
  const { valid, facts } = await verifyReceipt({ ...rest, proof: witnessed }, vkey);
  expect({ valid, signers: facts.unknownSigners }).toEqual({
    valid: true,
    signers: ['witness.example'],
  });
});
