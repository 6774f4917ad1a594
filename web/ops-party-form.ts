// Forms about relying parties, read into proposals; what is wrong leads back to its field.
import { ClientProposal, type PartyProposal } from '../identity/index.ts';
import { webErrors } from './errors.ts';
import { endOf, faultsOf, readKeys } from './ops-client-form.ts';
import type { Text } from './text/zh.ts';

/** A proposal from a form's fields; web.form_invalid with pointers to them. */
export function partyProposalFrom(
  kind: PartyProposal['kind'],
  form: Record<string, string>,
  { words, cityTz }: { words: Text['clients']; cityTz: string },
): ClientProposal {
  const { client, reason, organisation, nameZh, nameEn, keys = '', oldKeysUntil = '' } = form;
  const addresses = {
    redirectUris: linesOf(form.redirectUris),
    postLogoutRedirectUris: linesOf(form.postLogoutRedirectUris),
    backchannelLogoutUri: form.backchannelLogoutUri?.trim() || null,
  };
  const members = {
    register_party: { organisation, nameZh, nameEn, keys: readKeys(keys), ...addresses },
    suspend_party: {},
    resume_party: {},
    hold_party: {},
    change_party_keys: { keys: readKeys(keys), oldKeysUntil: endOf(oldKeysUntil, cityTz) },
    change_party_addresses: addresses,
  }[kind];
  if ('keys' in members && members.keys === null) {
    const fields = [{ pointer: '/keys', detail: words.keysUnreadable }];
    throw webErrors.form_invalid(words.form, { fields });
  }
  const parsed = ClientProposal.safeParse({ kind, client, reason, ...members });
  if (parsed.success) return parsed.data;
  throw webErrors.form_invalid(words.form, { fields: faultsOf(parsed.error.issues, words) });
}

function linesOf(text = ''): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
