// Whether new keys may come beside those a client or relying party has.
import { OVERLAP_DAYS } from './client-change.ts';
import { type ClientKey, type ClientMethod, checkClientKeys, MOST_KEYS } from './client-keys.ts';
import { identityErrors } from './errors.ts';
import type { ClientKeyRow } from './store-client-keys.ts';

/** Refuses with client_invalid and pointers: a kid used before, too long an overlap, too many keys. */
export function checkRotation(
  known: { method: ClientMethod; keys: readonly ClientKeyRow[] },
  { keys, oldKeysUntil }: { keys: readonly ClientKey[]; oldKeysUntil: string },
  at: Date,
): void {
  const now = at.getTime();
  checkClientKeys(keys, known.method, at);
  const taken = keys.findIndex(({ kid }) => known.keys.some((key) => key.jwk.kid === kid));
  if (taken >= 0)
    throw unregistrable(`/keys/${taken}/kid`, 'The client has had a key of this kid.');
  const until = Date.parse(oldKeysUntil);
  if (until > now + OVERLAP_DAYS * 86_400_000) {
    throw unregistrable(
      '/oldKeysUntil',
      `Old keys serve beside new ones for at most ${OVERLAP_DAYS} days.`,
    );
  }
  const staying = until > now ? known.keys.filter(({ serves }) => serves).length : 0;
  if (staying + keys.length > MOST_KEYS) {
    throw unregistrable('/keys', `At most ${MOST_KEYS} keys serve at the same time.`);
  }
}

/** What can't be registered as it is proposed, and where. */
export function unregistrable(pointer: string, detail: string) {
  return identityErrors.client_invalid('This can not be registered; see errors.', {
    fields: [{ pointer, detail }],
  });
}
