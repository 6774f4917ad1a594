// A verifiable random function: ECVRF-EDWARDS25519-SHA512-TAI (RFC 9381). Who has the key gives each
// input one output and no other; who has the public key checks that, and can't guess an output.
import { hash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';

const { Point } = ed25519;
type Point = InstanceType<typeof Point>;

const suite = 0x03;
const challengeBytes = 16;
const pointBytes = 32;

/** A key of the function, in use. */
export interface Vrf {
  readonly publicKey: Buffer;
  /** The 64 bytes for an input. */
  output(alpha: Uint8Array): Buffer;
  /** 80 bytes from which anyone checks that output (section 5.1). */
  prove(alpha: Uint8Array): Buffer;
}

/** Opens the function from the 32 bytes of a secret key. */
export function openVrf(secret: Uint8Array): Vrf {
  // The key of RFC 8032: the scalar is clamped and its secret half is the seed of the nonces.
  const { scalar, prefix, point } = ed25519.utils.getExtendedPublicKey(secret);
  const publicKey = Buffer.from(point.toBytes());

  const evaluate = (alpha: Uint8Array) => {
    const base = hashToCurve(publicKey, alpha);
    return { base, gamma: base.multiply(scalar) };
  };

  return {
    publicKey,
    output: (alpha) => outputOf(evaluate(alpha).gamma),
    prove: (alpha) => {
      const { base, gamma } = evaluate(alpha);
      const nonce = scalarOf(sha512(prefix, base.toBytes()));
      const c = challenge(point, base, gamma, Point.BASE.multiply(nonce), base.multiply(nonce));
      const s = Point.Fn.create(nonce + scalarOf(c) * scalar);
      return Buffer.concat([gamma.toBytes(), c, Point.Fn.toBytes(s)]);
    },
  };
}

/** The output that a proof shows for this key and input; undefined when it shows none (section 5.3). */
export function verifyVrf(
  publicKey: Uint8Array,
  alpha: Uint8Array,
  proof: Uint8Array,
): Buffer | undefined {
  if (proof.length !== 80) return undefined;
  try {
    const key = Point.fromBytes(publicKey);
    if (key.isSmallOrder()) return undefined;
    const gamma = Point.fromBytes(proof.subarray(0, pointBytes));
    const c = proof.subarray(pointBytes, pointBytes + challengeBytes);
    const s = Point.Fn.fromBytes(proof.subarray(pointBytes + challengeBytes));
    const base = hashToCurve(publicKey, alpha);
    // Nothing here is secret, so the quicker arithmetic will do.
    const by = (point: Point, scalar: bigint) => point.multiplyUnsafe(scalar);
    const u = Point.BASE.multiplyUnsafe(s).subtract(by(key, scalarOf(c)));
    const v = by(base, s).subtract(by(gamma, scalarOf(c)));
    return challenge(key, base, gamma, u, v).equals(c) ? outputOf(gamma) : undefined;
  } catch {
    // What does not decode proves nothing.
    return undefined;
  }
}

/** Try and increment (section 5.4.1.1): about two tries. */
function hashToCurve(publicKey: Uint8Array, alpha: Uint8Array): Point {
  for (let tries = 0; tries < 256; tries++) {
    const digest = sha512(Buffer.of(suite, 1), publicKey, alpha, Buffer.of(tries, 0));
    try {
      const point = Point.fromBytes(digest.subarray(0, pointBytes)).clearCofactor();
      if (!point.is0()) return point;
    } catch {
      // Not a point of the curve.
    }
  }
  throw new Error('No point in 256 tries: this happens once in 2^256.');
}

/** Section 5.4.3. */
function challenge(...points: Point[]): Buffer {
  const bytes = points.map((point) => point.toBytes());
  return sha512(Buffer.of(suite, 2), ...bytes, Buffer.of(0)).subarray(0, challengeBytes);
}

/** Section 5.2. */
function outputOf(gamma: Point): Buffer {
  return sha512(Buffer.of(suite, 3), gamma.clearCofactor().toBytes(), Buffer.of(0));
}

function sha512(...parts: Uint8Array[]): Buffer {
  return hash('sha512', Buffer.concat(parts), 'buffer');
}

/** Little-endian, modulo the order of the group. */
function scalarOf(bytes: Uint8Array): bigint {
  return Point.Fn.create(BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`));
}
