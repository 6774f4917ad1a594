// What a proposed change does to its relying party: whether it may be, and its effect in the
// transaction of the decision.
import type { Clock, Tx } from '../platform/index.ts';
import { checkClientKeys } from './client-keys.ts';
import { checkRotation, unregistrable } from './client-rotation.ts';
import { identityErrors } from './errors.ts';
import type { RelyingParties } from './relying-party.ts';
import { hostOf, isPartyChangeAllowed, type PartyProposal } from './relying-party-change.ts';
import { endKeys, insertKeys } from './store-client-keys.ts';
import { findClient } from './store-clients.ts';
import { deleteOfClient } from './store-openid.ts';
import { findOrganisation } from './store-organisations.ts';
import {
  lockRelyingParty,
  updatePartyAddresses,
  updatePartyHold,
  updatePartyState,
} from './store-relying-parties.ts';

export function createRelyingPartyEffects({
  clock,
  relyingParties,
}: {
  clock: Clock;
  relyingParties: RelyingParties;
}) {
  /** Refuses what can't become of the relying party as it is now; locks it. */
  async function check(tx: Tx, proposal: PartyProposal): Promise<{ organisationId: string }> {
    const party = await lockRelyingParty(tx, proposal.client);
    if (proposal.kind === 'register_party') {
      if (!(await findOrganisation(tx, proposal.organisation))) {
        throw unregistrable('/organisation', 'There is no such organisation.');
      }
      if (party || (await findClient(tx, proposal.client))) {
        throw unregistrable('/client', 'This id is taken, by a relying party or a client.');
      }
      checkClientKeys(proposal.keys, 'private_key_jwt', clock.now());
      return { organisationId: proposal.organisation };
    }
    if (!party) throw identityErrors.relying_party_not_found('There is no such relying party.');
    if (!isPartyChangeAllowed(proposal.kind, party.state)) {
      throw identityErrors.client_change_not_allowed(
        `The relying party is ${party.state}: this change is not possible now.`,
      );
    }
    if (proposal.kind === 'change_party_keys') {
      checkRotation({ method: 'private_key_jwt', keys: party.keys }, proposal, clock.now());
    }
    if (proposal.kind === 'change_party_addresses') {
      const host = hostOf(party.redirectUris);
      if (hostOf(proposal.redirectUris) !== host) {
        throw unregistrable(
          '/redirectUris',
          `Everyone would be another subject there: keep to ${host}, or register a new relying party.`,
        );
      }
    }
    return party;
  }

  /** Makes an approved change true; it has been checked in this transaction. */
  async function apply(tx: Tx, proposal: PartyProposal): Promise<void> {
    const at = clock.now();
    const { client } = proposal;
    switch (proposal.kind) {
      case 'register_party': {
        const { kind: _kind, client: id, organisation, reason: _reason, ...party } = proposal;
        return relyingParties.createRelyingParty(tx, {
          ...party,
          id,
          organisationId: organisation,
        });
      }
      case 'hold_party':
      case 'suspend_party':
        await updatePartyState(tx, client, 'suspended', at);
        return deleteOfClient(tx, client);
      case 'resume_party':
        return updatePartyState(tx, client, 'active', at);
      case 'change_party_keys':
        await endKeys(tx, 'party', client, new Date(proposal.oldKeysUntil));
        return insertKeys(tx, 'party', client, proposal.keys, at);
      case 'change_party_addresses':
        await updatePartyAddresses(tx, client, proposal, at);
        // A code on its way to an address that is none any more arrives nowhere.
        return deleteOfClient(tx, client);
    }
  }

  /** Stops a relying party for as long as this hold works, and ends what it has; null lifts it. */
  async function hold(tx: Tx, client: string, changeId: string | null): Promise<void> {
    await updatePartyHold(tx, client, changeId, clock.now());
    await deleteOfClient(tx, client);
  }

  return { check, apply, hold };
}
