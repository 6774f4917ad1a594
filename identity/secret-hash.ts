// Secrets people sign in with, stretched and peppered: the one place to change when argon2id comes.
// A stored hash says how it was made ($method$parameters$salt$digest, as in the PHC string format).
import { createHmac, scrypt, timingSafeEqual } from 'node:crypto';
import type { Ids } from '../platform/index.ts';

/**
 * When to stretch: 'now', or at the first successful use, which keeps the first start of a city of
 * sample people quick. Until then a keyed digest stands there; both are worthless without the pepper.
 */
export type Stretching = 'now' | 'first-use';

const SALT_BYTES = 16;
const DIGEST_BYTES = 32;
// One of OWASP's equal settings for scrypt: 32 MiB, three passes, 270 ms of one core here.
const COST: SecretCost = { logN: 15, r: 8, p: 3 };

/** What stretching costs whoever guesses: 128·r·2^logN bytes, p times over (RFC 7914). */
export interface SecretCost {
  logN: number;
  r: number;
  p: number;
}

/** Makes and checks stored secrets under one pepper. A hash of another cost is made anew when used. */
export function createSecretHash(deps: {
  pepper: Buffer;
  ids: Ids;
  cost?: SecretCost | undefined;
}) {
  const { pepper, ids, cost = COST } = deps;
  const current = `ln=${cost.logN},r=${cost.r},p=${cost.p}`;
  const peppered = (secret: string, salt: Buffer) =>
    createHmac('sha256', pepper).update(salt).update(secret.normalize('NFKC'), 'utf8').digest();

  async function stretch(secret: string, salt: Buffer, parameters: string): Promise<Buffer> {
    const [, logN, r, p] = (/^ln=(\d+),r=(\d+),p=(\d+)$/.exec(parameters) ?? []).map(Number);
    if (logN === undefined || r === undefined || p === undefined) {
      throw new TypeError('A stored secret has unknown parameters.');
    }
    const options = { N: 2 ** logN, r, p, maxmem: 256 * 2 ** logN * r };
    return new Promise((resolve, reject) => {
      scrypt(peppered(secret, salt), salt, DIGEST_BYTES, options, (error, digest) =>
        error ? reject(error) : resolve(digest),
      );
    });
  }

  async function hashSecret(secret: string, stretching: Stretching): Promise<string> {
    const salt = ids.bytes(SALT_BYTES);
    if (stretching === 'first-use') {
      return [
        '',
        'hmac',
        '',
        salt.toString('base64url'),
        peppered(secret, salt).toString('base64url'),
      ].join('$');
    }
    const digest = await stretch(secret, salt, current);
    return ['', 'scrypt', current, salt.toString('base64url'), digest.toString('base64url')].join(
      '$',
    );
  }

  return {
    hashSecret,

    /**
     * Whether this is the secret, and the hash to store from now on if it should change. Takes the same
     * time for a right, a wrong and an absent one: `stored` null is an account that doesn't exist.
     */
    async checkSecret(
      secret: string,
      stored: string | null,
    ): Promise<{ isRight: boolean; rehashed?: string }> {
      const [, method, parameters = '', salt = '', digest = ''] = stored?.split('$') ?? [];
      const saltBytes = Buffer.from(salt, 'base64url');
      const expected = Buffer.from(digest, 'base64url');
      if (method === 'scrypt') {
        const isRight = isSame(await stretch(secret, saltBytes, parameters), expected);
        return isRight && parameters !== current
          ? { isRight, rehashed: await hashSecret(secret, 'now') }
          : { isRight };
      }
      const isRight = method === 'hmac' && isSame(peppered(secret, saltBytes), expected);
      const rehashed = await hashSecret(secret, 'now');
      return isRight ? { isRight, rehashed } : { isRight };
    },
  };
}

export type SecretHash = ReturnType<typeof createSecretHash>;

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
