// What a proposed change does to its client: whether it may be, and its effect in the transaction of
// the decision.
import type { Clock, Tx } from '../platform/index.ts';
import type { Clients } from './client.ts';
import { ClientProposal, isClientChangeAllowed } from './client-change.ts';
import { checkClientKeys } from './client-keys.ts';
import { checkRotation, unregistrable } from './client-rotation.ts';
import { identityErrors } from './errors.ts';
import type { RelyingParties } from './relying-party.ts';
import { isPartyProposal } from './relying-party-change.ts';
import { createRelyingPartyEffects } from './relying-party-effects.ts';
import type { ClientChangeRow } from './store-client-changes.ts';
import { endKeys, insertKeys } from './store-client-keys.ts';
import {
  lockClient,
  updateClientHold,
  updateClientScopes,
  updateClientState,
} from './store-clients.ts';
import { findOrganisation } from './store-organisations.ts';
import { findRelyingParty } from './store-relying-parties.ts';

export function createClientChangeEffects({
  clock,
  clients,
  relyingParties,
}: {
  clock: Clock;
  clients: Clients;
  relyingParties: RelyingParties;
}) {
  const parties = createRelyingPartyEffects({ clock, relyingParties });

  /** Refuses what can't become of the client or relying party as it is now; locks it. */
  async function check(tx: Tx, proposal: ClientProposal): Promise<{ organisationId: string }> {
    if (isPartyProposal(proposal)) return parties.check(tx, proposal);
    if (proposal.kind === 'create') {
      if (!(await findOrganisation(tx, proposal.organisation))) {
        throw unregistrable('/organisation', 'There is no such organisation.');
      }
      const { client: id } = proposal;
      if ((await lockClient(tx, id)) || (await findRelyingParty(tx, id))) {
        throw unregistrable('/client', 'This id is taken, by a client or a relying party.');
      }
      checkClientKeys(proposal.keys, proposal.method, clock.now());
      return { organisationId: proposal.organisation };
    }
    const client = await lockClient(tx, proposal.client);
    if (!client) throw identityErrors.client_not_found('There is no such client.');
    if (!isClientChangeAllowed(proposal.kind, client.state)) {
      throw identityErrors.client_change_not_allowed(
        `The client is ${client.state}: this change is not possible now.`,
      );
    }
    if (proposal.kind === 'rotate_keys') checkRotation(client, proposal, clock.now());
    return client;
  }

  /** Makes an approved change true, after checking it again: much may have happened since. */
  async function apply(tx: Tx, change: ClientChangeRow): Promise<void> {
    const proposal = proposalOf(change);
    await check(tx, asSuspension(proposal));
    if (isPartyProposal(proposal)) return parties.apply(tx, proposal);
    const { client } = proposal;
    const at = clock.now();
    switch (proposal.kind) {
      case 'create': {
        const { organisation: organisationId, name, method, keys, scopes } = proposal;
        const jwks = { keys };
        await clients.createClient(tx, {
          clientId: client,
          organisationId,
          name,
          method,
          jwks,
          scopes,
        });
        return;
      }
      case 'hold':
      case 'suspend':
        return updateClientState(tx, client, 'suspended', at);
      case 'resume':
        return updateClientState(tx, client, 'active', at);
      case 'rotate_keys':
        await endKeys(tx, 'client', client, new Date(proposal.oldKeysUntil));
        return insertKeys(tx, 'client', client, proposal.keys, at);
      case 'change_scopes':
        return updateClientScopes(tx, client, proposal.scopes, at);
    }
  }

  /** Stops a client or relying party for as long as this hold works; null lifts it. */
  async function hold(
    tx: Tx,
    kind: 'hold' | 'hold_party',
    client: string,
    changeId: string | null,
  ): Promise<void> {
    if (kind === 'hold') return updateClientHold(tx, client, changeId, clock.now());
    return parties.hold(tx, client, changeId);
  }

  return { check, apply, hold };
}

/** A hold that is confirmed is a suspension from then on. */
function asSuspension(proposal: ClientProposal): ClientProposal {
  if (proposal.kind === 'hold') return { ...proposal, kind: 'suspend' };
  return proposal.kind === 'hold_party' ? { ...proposal, kind: 'suspend_party' } : proposal;
}

/** The stored proposal, read like one that comes in. */
function proposalOf({ kind, clientId, reason, content }: ClientChangeRow): ClientProposal {
  return ClientProposal.parse({ ...content, kind, client: clientId, reason });
}
