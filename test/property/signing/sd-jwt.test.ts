// SD-JWT for any claims and any choice of disclosures: what is shown arrives, nothing else does.
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { encodeBase64url, type Json, systemIds } from '../../../platform/index.ts';
import { createChainVerifier } from '../../../signing/certificate-chain.ts';
import { disclosureDigest, encodeDisclosure } from '../../../signing/disclosure.ts';
import type { Keystore } from '../../../signing/index.ts';
import { issueCredential } from '../../../signing/issue-credential.ts';
import { openCredential, type VerifyOptions } from '../../../signing/open-credential.ts';
import { processDisclosures } from '../../../signing/sd-jwt.ts';
import { verifyCredential } from '../../../signing/verify-credential.ts';
import { testKeys } from '../../support/keys.ts';

/** A claim or element: in the clear, hidden and shown by the holder, or hidden and kept. */
interface Node {
  how: 'clear' | 'shown' | 'kept';
  value: Tree;
}
type Tree =
  | { kind: 'leaf'; value: string | number | boolean | null }
  | { kind: 'array'; items: Node[] }
  | { kind: 'object'; members: { name: string; node: Node }[] };

const { tree } = fc.letrec<{ tree: Tree; node: Node }>((tie) => ({
  node: fc.record({ how: fc.constantFrom('clear', 'shown', 'kept'), value: tie('tree') }),
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({
      kind: fc.constant('leaf' as const),
      value: fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean(), fc.constant(null)),
    }),
    fc.record({
      kind: fc.constant('array' as const),
      items: fc.array(tie('node'), { maxLength: 4 }),
    }),
    fc.record({
      kind: fc.constant('object' as const),
      members: fc.uniqueArray(fc.record({ name: claimName(), node: tie('node') }), {
        maxLength: 5,
        selector: ({ name }) => name,
      }),
    }),
  ),
}));

const claims = tree.filter((value) => value.kind === 'object');

function claimName(): fc.Arbitrary<string> {
  return fc
    .oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.constantFrom('__proto__', 'length'))
    .filter((name) => !['_sd', '_sd_alg', '...'].includes(name));
}

/** The payload that hides what is hidden; the holder's disclosures collect in `shown`. */
function pack(value: Tree, isReachable: boolean, shown: string[]): Json {
  if (value.kind === 'leaf') return value.value;
  if (value.kind === 'array') {
    return value.items.map(({ how, value: inner }) => {
      const packed = pack(inner, isReachable && how !== 'kept', shown);
      if (how === 'clear') return packed;
      const content = JSON.stringify([systemIds.token(16), packed]);
      const encoded = encodeBase64url(Buffer.from(content));
      if (isReachable && how === 'shown') shown.push(encoded);
      return { '...': disclosureDigest(encoded) };
    });
  }
  const digests: string[] = [];
  const clear = value.members.flatMap(({ name, node: { how, value: inner } }): [string, Json][] => {
    const packed = pack(inner, isReachable && how !== 'kept', shown);
    if (how === 'clear') return [[name, packed]];
    const encoded = encodeDisclosure(systemIds, name, packed);
    if (isReachable && how === 'shown') shown.push(encoded);
    digests.push(disclosureDigest(encoded));
    return [];
  });
  return { ...Object.fromEntries(clear), ...(digests.length > 0 && { _sd: digests.sort() }) };
}

/** What the verifier is to see. */
function visible(value: Tree): Json {
  if (value.kind === 'leaf') return value.value;
  if (value.kind === 'array') {
    return value.items.filter(({ how }) => how !== 'kept').map((node) => visible(node.value));
  }
  const members = value.members.filter(({ node }) => node.how !== 'kept');
  return Object.fromEntries(members.map(({ name, node }) => [name, visible(node.value)]));
}

/** Members in a fixed order, so that disclosed and open ones may come mixed. */
function sorted(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, member]) => [name, sorted(member)]);
}

function packed(value: Tree): { payload: { [name: string]: Json | undefined }; shown: string[] } {
  const shown: string[] = [];
  const payload = pack(value, true, shown);
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw new TypeError('Claims are an object.');
  }
  return { payload, shown };
}

test('the claims that are open or shown arrive, whatever their shape, and no others', () => {
  fc.assert(
    fc.property(claims, fc.infiniteStream(fc.nat()), (value, order) => {
      const { payload, shown } = packed(value);
      const shuffled = shown
        .map((encoded) => ({ encoded, at: order.next().value }))
        .sort((a, b) => a.at - b.at)
        .map(({ encoded }) => encoded);
      const processed = processDisclosures(payload, shuffled);
      expect(processed.isValid && sorted(processed.claims)).toEqual(sorted(visible(value)));
    }),
    { numRuns: 500 },
  );
});

test('leaving out a disclosure that others hang on, or adding one, is refused or hides more', () => {
  fc.assert(
    fc.property(claims, fc.nat(), (value, pick) => {
      const { payload, shown } = packed(value);
      const stranger = encodeDisclosure(systemIds, 'stranger', 1);
      expect(processDisclosures(payload, [...shown, stranger]).isValid).toBe(false);
      if (shown.length === 0) return;
      const without = shown.filter((_, at) => at !== pick % shown.length);
      const processed = processDisclosures(payload, without);
      const size = JSON.stringify(visible(value)).length;
      if (processed.isValid) expect(JSON.stringify(processed.claims).length).toBeLessThan(size);
    }),
    { numRuns: 300 },
  );
});

let keystore: Keystore;

beforeAll(async () => {
  ({ keystore } = await testKeys());
});

test('a credential changed in one character anywhere is not authentic', async () => {
  const compact = await issueCredential(
    {
      vct: 'urn:vct:test',
      claims: { licence_no: '1' },
      disclosable: { holder_name: '林晓雨', amount: 7 },
      iat: new Date('2026-03-04T05:00:00Z'),
    },
    { signer: keystore.credentialKey, issuer: 'https://yihao.example', ids: systemIds },
  );
  const verifyChain = createChainVerifier(keystore.rootCertificate);
  const deps = {
    open: async (text: string, given: VerifyOptions) => openCredential(text, given, verifyChain),
    leafFault: async () => null,
  };
  const options = { now: new Date('2026-03-04T05:00:00Z') };
  expect((await verifyCredential(compact, options, deps)).isAuthentic).toBe(true);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~=';
  await fc.assert(
    fc.asyncProperty(
      fc.nat(compact.length - 1),
      fc.constantFrom(...alphabet),
      async (at, character) => {
        fc.pre(compact[at] !== character);
        const changed = compact.slice(0, at) + character + compact.slice(at + 1);
        expect((await verifyCredential(changed, options, deps)).isAuthentic).toBe(false);
      },
    ),
    { numRuns: 500 },
  );
});
