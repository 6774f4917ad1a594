// RFC 9901: the official disclosures, and the rules of section 7.1 one by one.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { encodeBase64url, type Json } from '../../platform/index.ts';
import { disclosureDigest, readDisclosure } from '../../signing/disclosure.ts';
import { processDisclosures } from '../../signing/sd-jwt.ts';

interface Vectors {
  disclosures: { encoded: string; digest: string; name: string | null; value: string }[];
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL('./rfc9901.json', import.meta.url), 'utf8'),
);

test('the official disclosures have the digests, names and values of the standard', () => {
  expect(vectors.disclosures.map(({ encoded }) => readDisclosure(encoded))).toEqual(
    vectors.disclosures,
  );
});

const encode = (content: Json): string => encodeBase64url(Buffer.from(JSON.stringify(content)));
const member = encode(['salt-1', 'given_name', '小雨']);
const element = encode(['salt-2', 'DE']);
const inner = encode(['salt-3', 'locality', '云珠']);
const outer = encode(['salt-4', 'address', { country: 'CN', _sd: [disclosureDigest(inner)] }]);

describe('section 7.1 step 3: disclosures are put in their places', () => {
  test('members, array elements and nested disclosures appear; decoys and mechanism vanish', () => {
    const payload = {
      iss: 'https://issuer.example',
      nationalities: ['FR', { '...': disclosureDigest(element) }, { '...': 'decoy-1' }],
      empty: { _sd: ['decoy-2'] },
      _sd: [disclosureDigest(member), disclosureDigest(outer), 'decoy-3'],
      _sd_alg: 'sha-256',
    };
    expect(processDisclosures(payload, [outer, member, inner, element])).toEqual({
      isValid: true,
      claims: {
        iss: 'https://issuer.example',
        nationalities: ['FR', 'DE'],
        empty: {},
        given_name: '小雨',
        address: { country: 'CN', locality: '云珠' },
      },
      disclosedNames: ['given_name', 'address'],
    });
  });

  test('what the holder keeps to himself is absent, array elements included', () => {
    const payload = {
      nationalities: [{ '...': disclosureDigest(element) }],
      _sd: [disclosureDigest(member)],
    };
    expect(processDisclosures(payload, [])).toEqual({
      isValid: true,
      claims: { nationalities: [] },
      disclosedNames: [],
    });
  });
});

const digest = disclosureDigest;
const named = (name: string) => encode(['salt', name, 1]);
const refused: [rule: string, payload: { [key: string]: Json }, disclosures: string[]][] = [
  ['3.a: a disclosure that is not base64url', { _sd: [digest('%%')] }, ['%%']],
  ['3.a: a disclosure that is not JSON', { _sd: [digest('bm8')] }, ['bm8']],
  [
    '3.c.2: an array of four',
    { _sd: [digest(encode(['s', 'a', 1, 2]))] },
    [encode(['s', 'a', 1, 2])],
  ],
  [
    '3.c.2: a name that is no string',
    { _sd: [digest(encode(['s', 7, 1]))] },
    [encode(['s', 7, 1])],
  ],
  [
    '3.c.2: a salt that is no string',
    { _sd: [digest(encode([1, 'a', 1]))] },
    [encode([1, 'a', 1])],
  ],
  ['3.c.2: an element in an object', { _sd: [digest(element)] }, [element]],
  ['3.c.3: a member in an array', { list: [{ '...': digest(member) }] }, [member]],
  ['3.c.2: the reserved name _sd', { _sd: [digest(named('_sd'))] }, [named('_sd')]],
  ['3.c.2: the reserved name ...', { _sd: [digest(named('...'))] }, [named('...')]],
  ['3.c.2: a name that is there already', { given_name: 'x', _sd: [digest(member)] }, [member]],
  [
    '3.c.2: two disclosures of one name',
    { _sd: [digest(named('a')), digest(encode(['other', 'a', 2]))] },
    [named('a'), encode(['other', 'a', 2])],
  ],
  [
    '4: a digest that occurs twice',
    { _sd: [digest(member)], list: [{ '...': digest(member) }] },
    [member],
  ],
  ['4: a decoy that occurs twice', { _sd: ['d', 'd'] }, []],
  [
    '4: a digest that occurs again inside a disclosure',
    { _sd: [digest(outer), digest(inner)] },
    [outer, inner],
  ],
  ['5: an unreferenced disclosure', { _sd: [digest(member)] }, [member, element]],
  [
    '5: a tampered disclosure',
    { _sd: [digest(member)] },
    [encode(['salt-1', 'given_name', '大雨'])],
  ],
  ['5: a disclosure inside one that is not shown', { _sd: [digest(outer)] }, [inner]],
  ['5: the same disclosure twice', { _sd: [digest(member)] }, [member, member]],
  ['4.1: _sd that is no array', { _sd: digest(member) }, [member]],
  ['4.1: a digest that is no string', { _sd: [1] }, []],
  ['4.2.4.2: ... beside other members', { list: [{ '...': digest(element), a: 1 }] }, [element]],
  ['4.2.4.2: ... outside an array', { place: { '...': digest(element) } }, [element]],
  ['4.1.1: another hash algorithm', { _sd: [digest(member)], _sd_alg: 'sha-512' }, [member]],
  ['4.1.1: _sd_alg below the top', { place: { _sd_alg: 'sha-256' } }, []],
];

test.each(refused)('section 7.1 refuses %s', (_, payload, disclosures) => {
  expect(processDisclosures(payload, disclosures)).toEqual({
    isValid: false,
    reason: expect.any(String),
  });
});

test('a claim named like a member of every object stays a plain claim', () => {
  const payload = JSON.parse(`{"__proto__":{"a":1},"_sd":["${digest(named('constructor'))}"]}`);
  const processed = processDisclosures(payload, [named('constructor')]);
  expect(processed.isValid && Object.entries(processed.claims)).toEqual([
    ['__proto__', { a: 1 }],
    ['constructor', 1],
  ]);
});
