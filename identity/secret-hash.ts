// Secrets people sign in with, stretched by argon2id (RFC 9106) with a pepper as its secret input.
// A stored hash says how it was made, in the PHC string format.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import type { Ids } from '../platform/index.ts';

/**
 * When to stretch: 'now', or at the first successful use, which keeps the first start of a city of
 * sample people quick. Until then a keyed digest stands there; both are worthless without the pepper.
 */
export type Stretching = 'now' | 'first-use';

const SALT_BYTES = 16;
// 19 MiB, two passes: 15 ms at best here, 61 to 190 ms with both cores busy. It runs off the event loop on
// libuv's four threads, so that any number of sign-ins at once takes 76 MiB and leaves the loop to others.
const COST: SecretCost = { memoryKib: 19_456, passes: 2, lanes: 1 };

/** What stretching costs whoever guesses (RFC 9106 section 3.1: m, t, p). */
export interface SecretCost {
  memoryKib: number;
  passes: number;
  lanes: number;
}

/** Makes and checks stored secrets under one pepper. A hash of another cost is made anew when used. */
export function createSecretHash(deps: {
  pepper: Buffer;
  ids: Ids;
  cost?: SecretCost | undefined;
}) {
  const { pepper, ids, cost = COST } = deps;
  const current = `m=${cost.memoryKib},t=${cost.passes},p=${cost.lanes}`;
  const keyed = (secret: string, salt: Buffer) =>
    createHmac('sha256', pepper).update(salt).update(folded(secret), 'utf8').digest();

  async function hashSecret(secret: string, stretching: Stretching): Promise<string> {
    const salt = ids.bytes(SALT_BYTES);
    if (stretching === 'first-use') {
      const digest = keyed(secret, salt).toString('base64url');
      return ['', 'hmac', salt.toString('base64url'), digest].join('$');
    }
    return hash(folded(secret), {
      memoryCost: cost.memoryKib,
      timeCost: cost.passes,
      parallelism: cost.lanes,
      secret: pepper,
      salt,
    });
  }

  function isKeyedSecret(secret: string, stored: string | null): boolean {
    const [, method, salt = '', digest = ''] = stored?.split('$') ?? [];
    const expected = Buffer.from(digest, 'base64url');
    const made = keyed(secret, Buffer.from(salt, 'base64url'));
    return method === 'hmac' && made.length === expected.length && timingSafeEqual(made, expected);
  }

  return {
    hashSecret,

    /**
     * Whether this is the secret, and the hash to store from now on if it should change. Takes the same
     * time for a right, a wrong and an absent one: `stored` null is an account that doesn't exist. A
     * hash made by anything but argon2id is of no use and refused like a wrong secret.
     */
    async checkSecret(
      secret: string,
      stored: string | null,
    ): Promise<{ isRight: boolean; rehashed?: string }> {
      if (stored?.startsWith('$argon2id$')) {
        const isRight = await verify(stored, folded(secret), { secret: pepper });
        return isRight && !stored.includes(`$${current}$`)
          ? { isRight, rehashed: await hashSecret(secret, 'now') }
          : { isRight };
      }
      const isRight = isKeyedSecret(secret, stored);
      const rehashed = await hashSecret(secret, 'now');
      return isRight ? { isRight, rehashed } : { isRight };
    },
  };
}

export type SecretHash = ReturnType<typeof createSecretHash>;

/** One form per secret, however a keyboard writes it. */
function folded(secret: string): string {
  return secret.normalize('NFKC');
}
