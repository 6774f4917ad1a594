// An authenticator in software: makes passkeys and uses them as a browser would send it (WebAuthn
// level 3, sections 6.1 and 6.5.4, attestation none), and as an attacker might.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

const FLAGS = { present: 0x01, verified: 0x04, attested: 0x40 };

/** What the browser and the authenticator say of themselves; each may be a lie. */
export interface Ceremony {
  challenge: string;
  rpId?: string;
  origin?: string;
  type?: string;
  counter?: number;
  isPresent?: boolean;
  isVerified?: boolean;
}

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest();

/** One passkey for `rpId`, made at `origin`; `handle` is the user handle it was given. */
export function makePasskey({ rpId, origin }: { rpId: string; origin: string }) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const credentialId = randomBytes(32);
  const id = credentialId.toString('base64url');
  let uses = 0;

  function dataOf(ceremony: Ceremony, flags: number): Buffer {
    const { isPresent = true, isVerified = true, counter = uses } = ceremony;
    const state = flags | (isPresent ? FLAGS.present : 0) | (isVerified ? FLAGS.verified : 0);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    return Buffer.concat([sha256(ceremony.rpId ?? rpId), Buffer.from([state]), count]);
  }

  function clientData(ceremony: Ceremony, type: string): Buffer {
    const { challenge } = ceremony;
    const said = { type: ceremony.type ?? type, challenge, origin: ceremony.origin ?? origin };
    return Buffer.from(JSON.stringify({ ...said, crossOrigin: false }));
  }

  const credential = { id, rawId: id, type: 'public-key' as const };

  return {
    id,

    /** The answer to navigator.credentials.create. */
    create(ceremony: Ceremony) {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(credentialId.length);
      const authData = Buffer.concat([
        dataOf(ceremony, FLAGS.attested),
        Buffer.alloc(16),
        length,
        credentialId,
        coseKey(publicKey),
      ]);
      return {
        ...credential,
        response: {
          clientDataJSON: clientData(ceremony, 'webauthn.create').toString('base64url'),
          attestationObject: cborMap([
            [cborText('fmt'), cborText('none')],
            [cborText('attStmt'), cborMap([])],
            [cborText('authData'), cborBytes(authData)],
          ]).toString('base64url'),
        },
      };
    },

    /** The answer to navigator.credentials.get; counts up unless told otherwise. */
    get(ceremony: Ceremony, userHandle?: string, by: KeyObject = privateKey) {
      uses = Math.max(uses, ceremony.counter ?? uses + 1);
      const authenticatorData = dataOf(ceremony, 0);
      const client = clientData(ceremony, 'webauthn.get');
      return {
        ...credential,
        response: {
          clientDataJSON: client.toString('base64url'),
          authenticatorData: authenticatorData.toString('base64url'),
          signature: sign(
            'sha256',
            Buffer.concat([authenticatorData, sha256(client)]),
            by,
          ).toString('base64url'),
          ...(userHandle === undefined ? {} : { userHandle }),
        },
      };
    },
  };
}

/** RFC 9053 section 7.1.1: an EC2 key of P-256 for ES256. */
function coseKey(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  return cborMap([
    [cborInt(1), cborInt(2)],
    [cborInt(3), cborInt(-7)],
    [cborInt(-1), cborInt(1)],
    [cborInt(-2), cborBytes(Buffer.from(x, 'base64url'))],
    [cborInt(-3), cborBytes(Buffer.from(y, 'base64url'))],
  ]);
}

// RFC 8949, as little of it as an attestation needs.
function cborHead(major: number, value: number): Buffer {
  const type = major << 5;
  if (value < 24) return Buffer.from([type | value]);
  if (value < 0x100) return Buffer.from([type | 24, value]);
  return Buffer.from([type | 25, value >> 8, value & 0xff]);
}
const cborInt = (value: number) => (value < 0 ? cborHead(1, -1 - value) : cborHead(0, value));
const cborBytes = (bytes: Buffer) => Buffer.concat([cborHead(2, bytes.length), bytes]);
const cborText = (text: string) => Buffer.concat([cborHead(3, text.length), Buffer.from(text)]);
const cborMap = (entries: [Buffer, Buffer][]) =>
  Buffer.concat([cborHead(5, entries.length), ...entries.flat()]);
