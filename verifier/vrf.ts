// Checks proofs of ECVRF-EDWARDS25519-SHA512-TAI (RFC 9381) with nothing but BigInt and WebCrypto.
// Everything here is public, so nothing needs to take constant time; no secret may ever come in.

const p = 2n ** 255n - 19n;
const order = 2n ** 252n + 27742317777372353535851937790883648493n;
const suite = 3;

const mod = (value: bigint): bigint => ((value % p) + p) % p;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = mod(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

const invert = (value: bigint): bigint => power(value, p - 2n);

/** −121665/121666, and a square root of −1 (RFC 8032 section 5.1). */
const d = mod(-121665n * invert(121666n));
const rootOfMinusOne = power(2n, (p - 1n) / 4n);

/** Extended coordinates: x = X/Z, y = Y/Z, xy = T/Z. */
interface Point {
  x: bigint;
  y: bigint;
  z: bigint;
  t: bigint;
}

const zero: Point = { x: 0n, y: 1n, z: 1n, t: 0n };

function add(a: Point, b: Point): Point {
  const aa = mod((a.y - a.x) * (b.y - b.x));
  const bb = mod((a.y + a.x) * (b.y + b.x));
  const cc = mod(2n * d * a.t * b.t);
  const dd = mod(2n * a.z * b.z);
  const [e, f, g, h] = [bb - aa, dd - cc, dd + cc, bb + aa];
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) };
}

function multiply(point: Point, scalar: bigint): Point {
  let result = zero;
  let double = point;
  for (let rest = scalar; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = add(result, double);
    double = add(double, double);
  }
  return result;
}

const negate = ({ x, y, z, t }: Point): Point => ({ x: mod(-x), y, z, t: mod(-t) });
const isZero = ({ x, y, z }: Point): boolean => x === 0n && y === z;
const clearCofactor = (point: Point): Point => multiply(point, 8n);

/** Little-endian. */
function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

/** RFC 8032 section 5.1.2. */
function encode({ x, y, z }: Point): Uint8Array {
  const inverse = invert(z);
  let rest = mod(y * inverse) | ((mod(x * inverse) & 1n) << 255n);
  return Uint8Array.from({ length: 32 }, () => {
    const byte = Number(rest & 255n);
    rest >>= 8n;
    return byte;
  });
}

/** RFC 8032 section 5.1.3; undefined when the bytes are no point, or not its one encoding. */
function decode(bytes: Uint8Array): Point | undefined {
  const number = numberOf(bytes);
  const sign = number >> 255n;
  const y = number & (2n ** 255n - 1n);
  if (bytes.length !== 32 || y >= p) return undefined;
  const square = mod((y * y - 1n) * invert(d * y * y + 1n));
  let x = power(square, (p + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * rootOfMinusOne);
  if (mod(x * x) !== square || (x === 0n && sign === 1n)) return undefined;
  if ((x & 1n) !== sign) x = mod(-x);
  return { x, y, z: 1n, t: mod(x * y) };
}

const generator = decode(Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 0x58 : 0x66)));

async function sha512(...parts: readonly Uint8Array[]): Promise<Uint8Array> {
  const all = Uint8Array.from(parts.flatMap((part) => [...part]));
  return new Uint8Array(await crypto.subtle.digest('SHA-512', all));
}

/** Section 5.4.1.1. */
async function hashToCurve(key: Uint8Array, alpha: Uint8Array): Promise<Point | undefined> {
  for (let tries = 0; tries < 256; tries++) {
    const digest = await sha512(Uint8Array.of(suite, 1), key, alpha, Uint8Array.of(tries, 0));
    const point = decode(digest.slice(0, 32));
    const cleared = point && clearCofactor(point);
    if (cleared && !isZero(cleared)) return cleared;
  }
  return undefined;
}

/** The output that a proof shows for this key and input; undefined when it shows none (section 5.3). */
export async function vrfOutput(
  publicKey: Uint8Array,
  alpha: Uint8Array,
  proof: Uint8Array,
): Promise<Uint8Array | undefined> {
  const key = decode(publicKey);
  const gamma = decode(proof.slice(0, 32));
  const challenge = proof.slice(32, 48);
  const c = numberOf(challenge);
  const s = numberOf(proof.slice(48));
  if (!generator || !key || !gamma || proof.length !== 80 || s >= order) return undefined;
  if (isZero(clearCofactor(key))) return undefined;
  const base = await hashToCurve(publicKey, alpha);
  if (!base) return undefined;
  const u = add(multiply(generator, s), negate(multiply(key, c)));
  const v = add(multiply(base, s), negate(multiply(gamma, c)));
  const encoded = [key, base, gamma, u, v].map(encode);
  const made = await sha512(Uint8Array.of(suite, 2), ...encoded, Uint8Array.of(0));
  if (!challenge.every((byte, at) => byte === made[at])) return undefined;
  return sha512(Uint8Array.of(suite, 3), encode(clearCofactor(gamma)), Uint8Array.of(0));
}
