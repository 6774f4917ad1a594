// Cutting an SD-JWT (RFC 9901) down to some of its claims: leaving out disclosures is all it takes.
import { decodeBase64url } from '../platform/index.ts';

/** The credential with only the disclosures of these claims; its signature still holds. */
export function withClaims(compact: string, claims: readonly string[]): string {
  const [jwt = '', ...disclosures] = compact.split('~');
  const kept = disclosures.filter((disclosure) => {
    const name = claimOf(disclosure);
    return name !== undefined && claims.includes(name);
  });
  return [jwt, ...kept, ''].join('~');
}

/** The claim a disclosure `[salt, name, value]` opens. */
function claimOf(disclosure: string): string | undefined {
  if (disclosure === '') return undefined;
  const content: unknown = JSON.parse(decodeBase64url(disclosure).toString('utf8'));
  const name: unknown = Array.isArray(content) ? content[1] : undefined;
  return typeof name === 'string' ? name : undefined;
}
