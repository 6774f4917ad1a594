// Machine clients: a department's system as it is registered, and as others see it.
import { type Clock, type Ids, isUniqueViolation, type Tx } from '../platform/index.ts';
import { isScope, type Scope } from './actor.ts';
import { ClientKeys, type ClientMethod, checkClientKeys } from './client-keys.ts';
import { identityErrors } from './errors.ts';
import { jwkThumbprint } from './jwk-thumbprint.ts';
import type { ClientKeyRow } from './store-client-keys.ts';
import { type ClientRow, findClient, insertClient, listClients } from './store-clients.ts';

/** A client's registration. */
export interface NewClient {
  organisationId: string;
  name: string;
  /** The public keys it authenticates with: ES256, each with a kid. */
  jwks: { keys: unknown[] };
  scopes: readonly Scope[];
  /** Default: private_key_jwt, with DPoP-bound tokens. */
  method?: ClientMethod;
  /** Default: the organisation's id and a few random characters. */
  clientId?: string;
}

/** A client as operators see it. */
export interface Client {
  id: string;
  organisation: string;
  name: string;
  method: ClientMethod;
  scopes: Scope[];
  state: ClientRow['state'];
  /** When a hold that works now lifts itself, unless it is confirmed. */
  heldUntil: string | null;
  createdAt: string;
  changedAt: string;
  keys: {
    kid: string;
    /** RFC 7638, to compare with the department by telephone. */
    thumbprint: string;
    addedAt: string;
    endsAt: string | null;
    serves: boolean;
  }[];
}

/** Registration of clients. */
export function createClients({ clock, ids }: { clock: Clock; ids: Ids }) {
  return {
    /** Registers a client and returns its client_id. The organisation must exist. */
    async createClient(tx: Tx, input: NewClient): Promise<string> {
      const keys = ClientKeys.safeParse(input.jwks.keys);
      if (!keys.success) {
        throw identityErrors.client_invalid(
          'A client needs one to four public P-256 keys as JWK, each with a kid and nothing private.',
        );
      }
      const { organisationId, name, scopes, method = 'private_key_jwt' } = input;
      checkClientKeys(keys.data, method, clock.now());
      const id = input.clientId ?? `${organisationId}-${ids.token(6)}`;
      const row = { id, organisationId, name, method, scopes: [...scopes], keys: keys.data };
      try {
        await insertClient(tx, row, clock.now());
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw cause;
        throw identityErrors.client_invalid('There is a client of this id already.', { cause });
      }
      return id;
    },

    async findClient(tx: Tx, clientId: string): Promise<Client | null> {
      const row = await findClient(tx, clientId);
      return row ? asClient(row) : null;
    },

    /** Clients by id, from after `afterId`. */
    async listClients(
      tx: Tx,
      page: { afterId?: string | undefined; limit: number },
    ): Promise<Client[]> {
      return (await listClients(tx, page)).map(asClient);
    },
  };
}

export type Clients = ReturnType<typeof createClients>;

const time = (milliseconds: number): string => new Date(milliseconds).toISOString();

function asClient({ organisationId, keys, ...row }: ClientRow): Client {
  return {
    id: row.id,
    organisation: organisationId,
    name: row.name,
    method: row.method,
    scopes: row.scopes.filter(isScope),
    state: row.state,
    heldUntil: row.heldUntil === null ? null : time(row.heldUntil),
    createdAt: time(row.createdAt),
    changedAt: time(row.changedAt),
    keys: keysShown(keys),
  };
}

/** Keys as operators see them. */
export function keysShown(keys: readonly ClientKeyRow[]): Client['keys'] {
  return keys.map(({ jwk, addedAt, endsAt, serves }) => ({
    kid: jwk.kid,
    thumbprint: jwkThumbprint(jwk),
    addedAt: time(addedAt),
    endsAt: endsAt === null ? null : time(endsAt),
    serves,
  }));
}
