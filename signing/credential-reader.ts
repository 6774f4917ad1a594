// Opening what somebody presents apart from everything else, in a thread without keys.
import type { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { createParser, type JsonObject, ParserEnded } from '../platform/index.ts';
import { signingErrors } from './errors.ts';
import { CREDENTIAL_CHECKS, type OpenedCredential, type VerifyOptions } from './open-credential.ts';

const Claims = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null);

const Opened: z.ZodType<OpenedCredential> = z.object({
  checks: z.array(
    z.object({
      name: z.enum(CREDENTIAL_CHECKS),
      result: z.enum(['pass', 'fail', 'skipped']),
      detail: z.string(),
    }),
  ),
  signed: z
    .object({
      leaf: z.object({
        serial: z.string(),
        validFrom: z.date(),
        validTo: z.date(),
        organization: z.string(),
        uscc: z.string().nullable(),
      }),
      claims: Claims,
      iat: z.date().nullable(),
      status: z.object({ uri: z.string(), idx: z.number() }).nullable(),
    })
    .nullable(),
});

/**
 * 1 MiB, the longest that comes here, of as many disclosures as fit takes less than a second
 * alone.
 */
const limits = { megabytes: 192, seconds: 10, atOnce: 2, mostWaiting: 64 };

/** A reader of presented credentials under this root. */
export function createCredentialReader(rootCertificate: X509Certificate) {
  const root = rootCertificate.raw.toString('base64');
  const parse = createParser({
    module: new URL('./credential-thread.ts', import.meta.url),
    result: Opened,
    ...limits,
  });
  return async (compact: string, { now, keyBinding }: VerifyOptions): Promise<OpenedCredential> => {
    const about = {
      root,
      now: now.toISOString(),
      ...(keyBinding && { keyBinding: { ...keyBinding } }),
    };
    try {
      return await parse(Buffer.from(compact), about);
    } catch (error) {
      if (!(error instanceof ParserEnded)) throw error;
      throw signingErrors.credential_too_costly(
        'Reading this took more time or memory than a credential does. Send it as it was issued.',
        { cause: error },
      );
    }
  };
}
