// Machine clients: the department's system as it is registered, and what may be registered.
import { z } from 'zod';
import { type Clock, type Ids, isUniqueViolation, type Tx } from '../platform/index.ts';
import { isScope, type Scope } from './actor.ts';
import { identityErrors } from './errors.ts';
import {
  type ClientRow,
  findClient,
  insertClient,
  listClients,
  updateClientState,
} from './store-clients.ts';

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

// RFC 7517; strict, so that no private member, jku or x5u slips in. kid tells overlapping keys apart.
const PublicKey = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: coordinate,
  y: coordinate,
  kid: z.string().min(1).max(128),
  alg: z.literal('ES256').optional(),
  use: z.literal('sig').optional(),
});

/** A client's registration. */
export interface NewClient {
  organisationId: string;
  name: string;
  /** The public keys it signs assertions with: ES256, each with a kid. */
  jwks: { keys: unknown[] };
  scopes: readonly Scope[];
  /** Default: the organisation's id and a few random characters. */
  clientId?: string;
}

/** A client as others see it. */
export interface Client {
  clientId: string;
  organisationId: string;
  name: string;
  scopes: Scope[];
  state: ClientRow['state'];
}

/** Registration of clients. */
export function createClients({ clock, ids }: { clock: Clock; ids: Ids }) {
  return {
    /** Registers a client and returns its client_id. The organisation must exist. */
    async createClient(tx: Tx, input: NewClient): Promise<string> {
      const keys = z.array(PublicKey).min(1).max(4).safeParse(input.jwks.keys);
      if (!keys.success) {
        throw identityErrors.client_invalid(
          'A client needs one to four public P-256 keys as JWK, each with a kid and nothing private.',
        );
      }
      const id = input.clientId ?? `${input.organisationId}-${ids.token(6)}`;
      const { organisationId, name, scopes } = input;
      const row = { id, organisationId, name, jwks: { keys: keys.data }, state: 'active' as const };
      try {
        await insertClient(tx, { ...row, scopes: [...scopes] }, clock.now());
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw cause;
        throw identityErrors.client_invalid('There is a client of this id already.', { cause });
      }
      return id;
    },

    /** Suspends a client or lets it in again; its tokens stop or go on working at once. */
    async setClientState(tx: Tx, clientId: string, state: ClientRow['state']): Promise<void> {
      if (!(await updateClientState(tx, clientId, state, clock.now()))) {
        throw identityErrors.client_not_found('There is no such client.');
      }
    },

    async findClient(tx: Tx, clientId: string): Promise<Client | null> {
      const row = await findClient(tx, clientId);
      return row ? asClient(row) : null;
    },

    async listClients(tx: Tx): Promise<Client[]> {
      return (await listClients(tx)).map(asClient);
    },
  };
}

function asClient({ id, organisationId, name, scopes, state }: ClientRow): Client {
  return { clientId: id, organisationId, name, scopes: scopes.filter(isScope), state };
}
