// What issuing, succeeding and approving answer with, and how such an answer is repeated.
import { z } from '@hono/zod-openapi';
import type { Services } from './compose.ts';
import { idempotent } from './idempotent.ts';

export const Issued = z
  .object({
    number: z.string(),
    verificationCode: z.string(),
    type: z.string(),
    code: z.string(),
    version: z.number(),
    status: z.string(),
    validFrom: z.string(),
    validTo: z.string().nullable(),
    issuedAt: z.string(),
    statusListIndex: z.number(),
    credential: z.string(),
    supersedes: z.string().optional(),
  })
  .openapi('IssuedLicence');

/** Idempotency-Key on these routes: a repeated licence is a look, logged by reading it once more. */
export function issuedOnce({ registry, idempotency }: Pick<Services, 'registry' | 'idempotency'>) {
  return idempotent({
    idempotency,
    logReplay: async (actor, { credential, number, supersedes }) => {
      if (credential === undefined) return undefined;
      // After a transfer the actor issued the old version, and no longer the new one.
      const seen = typeof supersedes === 'string' ? supersedes : number;
      if (typeof seen === 'string') await registry.get(actor, seen);
      return undefined;
    },
  });
}
