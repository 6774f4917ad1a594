// What a proposed change does to its client: whether it may be, and its effect in the transaction of
// the decision.
import type { Clock, Tx } from '../platform/index.ts';
import type { Clients } from './client.ts';
import { ClientProposal, isClientChangeAllowed, OVERLAP_DAYS } from './client-change.ts';
import { checkClientKeys, MOST_KEYS } from './client-keys.ts';
import { identityErrors } from './errors.ts';
import type { ClientChangeRow } from './store-client-changes.ts';
import {
  type ClientRow,
  endKeys,
  insertKeys,
  lockClient,
  updateClientScopes,
  updateClientState,
} from './store-clients.ts';
import { findOrganisation } from './store-organisations.ts';

export function createClientChangeEffects({ clock, clients }: { clock: Clock; clients: Clients }) {
  /** Refuses what can't become of the client as it is now; locks it. */
  async function check(tx: Tx, proposal: ClientProposal): Promise<{ organisationId: string }> {
    if (proposal.kind === 'create') {
      if (!(await findOrganisation(tx, proposal.organisation))) {
        throw invalid('/organisation', 'There is no such organisation.');
      }
      if (await lockClient(tx, proposal.client)) {
        throw invalid('/client', 'There is a client of this id already.');
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
    if (proposal.kind === 'rotate_keys') checkRotation(client, proposal);
    return client;
  }

  function checkRotation(
    client: ClientRow,
    { keys, oldKeysUntil }: Extract<ClientProposal, { kind: 'rotate_keys' }>,
  ): void {
    const now = clock.now().getTime();
    checkClientKeys(keys, client.method, clock.now());
    const taken = keys.findIndex(({ kid }) => client.keys.some((key) => key.jwk.kid === kid));
    if (taken >= 0) throw invalid(`/keys/${taken}/kid`, 'The client has had a key of this kid.');
    const until = Date.parse(oldKeysUntil);
    if (until > now + OVERLAP_DAYS * 86_400_000) {
      throw invalid(
        '/oldKeysUntil',
        `Old keys serve beside new ones for at most ${OVERLAP_DAYS} days.`,
      );
    }
    const staying = until > now ? client.keys.filter(({ serves }) => serves).length : 0;
    if (staying + keys.length > MOST_KEYS) {
      throw invalid('/keys', `At most ${MOST_KEYS} keys serve at the same time.`);
    }
  }

  /** Makes an approved change true, after checking it again: much may have happened since. */
  async function apply(tx: Tx, change: ClientChangeRow): Promise<void> {
    const proposal = proposalOf(change);
    await check(tx, proposal.kind === 'hold' ? { ...proposal, kind: 'suspend' } : proposal);
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
        await endKeys(tx, client, new Date(proposal.oldKeysUntil));
        return insertKeys(tx, client, proposal.keys, at);
      case 'change_scopes':
        return updateClientScopes(tx, client, proposal.scopes, at);
    }
  }

  return { check, apply };
}

function invalid(pointer: string, detail: string) {
  return identityErrors.client_invalid('This can not be registered; see errors.', {
    fields: [{ pointer, detail }],
  });
}

/** The stored proposal, read like one that comes in. */
function proposalOf({ kind, clientId, reason, content }: ClientChangeRow): ClientProposal {
  return ClientProposal.parse({ ...content, kind, client: clientId, reason });
}
