// Who an account is at a relying party: another one at each party's host, the same there for ever
// (OpenID Connect Core 8.1). Pure.
import { createHmac } from 'node:crypto';
import type { Account } from './store-sessions.ts';

/** `sector`: the host of the relying party's redirect addresses. */
export function partySubject(key: Buffer, account: Account, sector: string): string {
  const text = `${sector}|${account.kind}|${account.id}`;
  return createHmac('sha256', key).update(text, 'utf8').digest('base64url');
}
