// C2SP tlog-witness, tlog-cosignature and tlog-policy: what a witness signs, and what it refuses.
import { createPublicKey, hash, verify } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { signCheckpoint } from '../../../audit/checkpoint.ts';
import { openCosignatures } from '../../../audit/cosignature.ts';
import { createWitness, formatVkey, parsePolicy, parseVkey } from '../../../audit/index.ts';
import { consistencyPath, emptyRoot, leafHash, treeHash } from '../../../audit/merkle-tree.ts';
import { keyTypes, splitNote } from '../../../audit/signed-note.ts';
import { formatWitnessRequest } from '../../../audit/witness-request.ts';
import { fixedClock } from '../../../platform/index.ts';
import { aSigner, origin, signer } from '../../integration/audit/a-log.ts';

const name = 'health.example/witness';
const witnessKey = aSigner();
const vkey = formatVkey(name, witnessKey.publicKey, keyTypes.cosigner);
const leaves = Array.from({ length: 40 }, (_, at) => leafHash(Buffer.from(`entry ${at}`)));

/** The log's checkpoint over its first `size` entries, of which one may have been changed. */
function checkpoint(size: number, changed?: number, by = signer, called = origin): string {
  return signCheckpoint(called, { size, root: rootOf(size, changed) }, by);
}

function tree(changed?: number): Buffer[] {
  return leaves.map((hash, at) => (at === changed ? leafHash(Buffer.from('another')) : hash));
}

function rootOf(size: number, changed?: number): Buffer {
  return size === 0 ? emptyRoot : treeHash(tree(changed).slice(0, size));
}

function proof(from: number, to: number, changed?: number): Buffer[] {
  return consistencyPath(from, to).map(({ start, end }) =>
    treeHash(tree(changed).slice(start, end)),
  );
}

function aWitness(clock = fixedClock('2026-03-04T05:00:00Z')) {
  const kept = new Map<string, string>();
  const witness = createWitness({
    name,
    signer: witnessKey,
    logs: () => [parseVkey(formatVkey(origin, signer.publicKey))],
    records: {
      find: async (origin) => kept.get(origin),
      keep: async (origin, note) => {
        kept.set(origin, note);
      },
    },
    clock,
  });
  const add = (oldSize: number, note: string, hashes: Buffer[] = []) =>
    witness.addCheckpoint(formatWitnessRequest({ oldSize, proof: hashes, note }));
  return { witness, kept, add, clock };
}

let house: ReturnType<typeof aWitness>;
beforeEach(() => {
  house = aWitness();
});

test('a first checkpoint is signed with the time, as the standard lays it out', async () => {
  const note = checkpoint(10);
  const reply = await house.add(0, note);
  expect(reply.status).toBe(200);
  // Taken apart by hand, not by our own reader.
  const [, payload = ''] = /^— health\.example\/witness (\S+)\n$/u.exec(reply.body) ?? [];
  const bytes = Buffer.from(payload, 'base64');
  const keyInput = Buffer.concat([Buffer.from(`${name}\n\u0004`), witnessKey.publicKey]);
  expect(bytes.subarray(0, 4)).toEqual(hash('sha256', keyInput, 'buffer').subarray(0, 4));
  expect(bytes.readBigUInt64BE(4)).toBe(1_772_600_400n);
  const { text } = splitNote(note);
  const key = createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), witnessKey.publicKey]),
    format: 'der',
    type: 'spki',
  });
  const message = Buffer.from(`cosignature/v1\ntime 1772600400\n${text}`);
  expect(verify(null, message, key, bytes.subarray(12))).toBe(true);
});

test('checkpoints that grow out of each other are signed, one after the other, and kept', async () => {
  expect((await house.add(0, checkpoint(10))).status).toBe(200);
  expect((await house.add(10, checkpoint(10))).status).toBe(200);
  expect((await house.add(10, checkpoint(37), proof(10, 37))).status).toBe(200);
  const kept = await house.witness.checkpoint(hash('sha256', origin, 'hex'));
  const { text, lines } = splitNote(kept.body);
  expect(text).toBe(splitNote(checkpoint(37)).text);
  expect(lines.map((line) => line.name)).toEqual([origin, name]);
  expect(openCosignatures(text, lines, [parseVkey(vkey, keyTypes.cosigner)])).toHaveLength(1);
});

describe('after a checkpoint over 10 entries', () => {
  beforeEach(async () => {
    await house.add(0, checkpoint(10));
  });
  const foreign = aSigner();
  const cases: [what: string, status: number, send: () => ReturnType<typeof house.add>][] = [
    ['no request at all', 400, () => house.witness.addCheckpoint('hello')],
    [
      'an old size with a leading zero',
      400,
      () => house.witness.addCheckpoint(`old 010\n\n${checkpoint(10)}`),
    ],
    [
      'a hash that is none',
      400,
      () => house.witness.addCheckpoint(`old 10\nabc=\n\n${checkpoint(11)}`),
    ],
    ['64 hashes', 400, () => house.add(10, checkpoint(37), Array(64).fill(leaves[0]))],
    ['an old size above the new one', 400, () => house.add(12, checkpoint(11))],
    [
      'a log nobody watches',
      404,
      () => house.add(10, checkpoint(11, undefined, foreign, 'other/log')),
    ],
    ['the signature of another key', 403, () => house.add(10, checkpoint(11, undefined, foreign))],
    [
      'a changed text under the signature',
      403,
      () => house.add(10, checkpoint(11).replace('\n11\n', '\n12\n'), proof(10, 12)),
    ],
    ['a proof where none is needed', 422, () => house.add(10, checkpoint(10), proof(9, 10))],
    ['no proof where one is needed', 422, () => house.add(10, checkpoint(37))],
    ['the proof of another step', 422, () => house.add(10, checkpoint(37), proof(9, 37))],
    [
      'a history with an entry changed',
      422,
      () => house.add(10, checkpoint(37, 3), proof(10, 37, 3)),
    ],
    ['another root for the same size', 422, () => house.add(10, checkpoint(10, 3))],
  ];
  for (const [what, status, send] of cases) {
    test(`${what} is refused with ${status}, and nothing changes`, async () => {
      const before = new Map(house.kept);
      expect((await send()).status).toBe(status);
      expect(house.kept).toEqual(before);
    });
  }

  test('another old size is answered with the recorded one', async () => {
    const replies = await Promise.all([
      house.add(0, checkpoint(37)),
      house.add(9, checkpoint(37), proof(9, 37)),
      // A log that was put back to an older copy.
      house.add(5, checkpoint(8), proof(5, 8)),
    ]);
    for (const reply of replies) {
      expect(reply).toEqual({ status: 409, contentType: 'text/x.tlog.size', body: '10\n' });
    }
  });

  test('of two histories at one moment one is signed', async () => {
    const [one, other] = await Promise.all([
      house.add(10, checkpoint(37), proof(10, 37)),
      house.add(10, checkpoint(37, 20), proof(10, 37, 20)),
    ]);
    expect([one?.status, other?.status]).toEqual([200, 409]);
  });

  test('a clock that went back does not make a newer signature look older', async () => {
    house.clock.advance(-3_600_000);
    await house.add(10, checkpoint(37), proof(10, 37));
    const [note = ''] = house.kept.values();
    const { text, lines } = splitNote(note);
    const [cosignature] = openCosignatures(text, lines, [parseVkey(vkey, keyTypes.cosigner)]);
    expect(cosignature?.at.toISOString()).toBe('2026-03-04T05:00:00.000Z');
  });

  test('on a record that was tampered with nothing is signed', async () => {
    const [key = '', note = ''] = [...house.kept].flat();
    house.kept.set(key, note.replace('\n10\n', '\n9\n'));
    await expect(house.add(9, checkpoint(37), proof(9, 37))).rejects.toThrow('does not hold');
  });
});

test('what could not be kept is not signed', async () => {
  const witness = createWitness({
    name,
    signer: witnessKey,
    logs: () => [parseVkey(formatVkey(origin, signer.publicKey))],
    records: { find: async () => undefined, keep: () => Promise.reject(new Error('disk full')) },
    clock: fixedClock('2026-03-04T05:00:00Z'),
  });
  const request = formatWitnessRequest({ oldSize: 0, proof: [], note: checkpoint(10) });
  await expect(witness.addCheckpoint(request)).rejects.toThrow('disk full');
});

describe('a policy', () => {
  const keys = ['a', 'b', 'c'].map((one) =>
    formatVkey(`${one}.example`, aSigner().publicKey, keyTypes.cosigner),
  );
  const witnesses = keys.map((key, at) => `witness ${'ABC'[at]} ${key}`).join('\n');

  test('says which witnesses together are enough', () => {
    const { isQuorum, needsWitnesses } = parsePolicy(
      `# two houses\n${witnesses}\n\tgroup  one any A B\ngroup both all one C \nquorum both\n`,
    );
    expect(needsWitnesses).toBe(true);
    const enough = (...names: string[]) => isQuorum(new Set(names.map((one) => `${one}.example`)));
    expect([enough('a', 'c'), enough('b', 'c'), enough('a', 'b', 'c')]).toEqual([true, true, true]);
    expect([enough(), enough('a', 'b'), enough('c'), enough('x', 'c')]).toEqual(
      Array(4).fill(false),
    );
  });

  test('without a quorum never calls anything witnessed', () => {
    expect(parsePolicy(`${witnesses}\nquorum none`).isQuorum(new Set(['a.example']))).toBe(false);
  });

  const log = formatVkey(origin, signer.publicKey);
  const wrong: [text: string, why: RegExp][] = [
    ['', /no quorum/],
    [`${witnesses}\nquorum D`, /Line 4.*D is not defined above/],
    [`${witnesses}\nquorum A\nquorum B`, /Line 5/],
    [`${witnesses}\ngroup g 3 A B\nquorum g`, /Line 4.*number from 1 to 2/],
    [`${witnesses}\ngroup g 0 A B\nquorum g`, /Line 4/],
    [`${witnesses}\ngroup g any A A\nquorum g`, /Line 4.*in a group already/],
    [`${witnesses}\ngroup g any A\ngroup h any A B\nquorum h`, /Line 5.*in a group already/],
    [`${witnesses}\ngroup none any A\nquorum A`, /Line 4.*taken/],
    [
      `${witnesses}\n${witnesses.replaceAll('witness ', 'witness x')}\nquorum A`,
      /Line 4.*above already/,
    ],
    [`witness A ${log}\nquorum A`, /Line 1.*not a key of a witness/],
    [`log ${keys[0]}\nquorum none`, /Line 1.*not a key of a log/],
    [`witness A ${keys[0]} ftp://x\nquorum A`, /Line 1.*not an http/],
    [`hello\nquorum none`, /Line 1/],
  ];
  for (const [text, why] of wrong) {
    test(`is refused: ${why}`, () => {
      expect(() => parsePolicy(text)).toThrow(why);
      expect(() => parsePolicy(text)).toThrow('audit.policy_invalid');
    });
  }
});
