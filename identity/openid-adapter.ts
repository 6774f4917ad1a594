// oidc-provider's models in PostgreSQL: ids as digests, payloads sealed under the platform's key, and
// whatever belongs to a session hung on its row. Clients come from the register of relying parties.
import { createHash } from 'node:crypto';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { InvalidClient, InvalidGrant } from 'oidc-provider/lib/helpers/errors.js';
import type { Database } from '../platform/index.ts';
import { clientMetadata } from './relying-party.ts';
import {
  consumeRecord,
  deleteOfGrant,
  deleteRecord,
  type FoundRecord,
  findRecord,
  insertPartyLogin,
  upsertRecord,
} from './store-openid.ts';
import { findRelyingParty } from './store-relying-parties.ts';
import type { Vault } from './vault.ts';

const LONGEST_SECONDS = 12 * 60 * 60;

const digestOf = (text: string) => createHash('sha256').update(text, 'utf8').digest();
const contextOf = (model: string, idDigest: Buffer) =>
  `identity.openid_records|${model}.${idDigest.toString('hex')}|sealed`;

/** The adapter of one model over one database. */
export function openIdAdapter(
  model: string,
  { database, vault }: { database: Database; vault: Pick<Vault, 'sealFor' | 'openFor'> },
): Adapter {
  async function opened(row: FoundRecord | null): Promise<AdapterPayload | undefined> {
    if (row === null) return undefined;
    const context = contextOf(model, row.idDigest);
    const plaintext = await vault.openFor(database.db, null, row.sealed, context);
    // What upsert sealed; the library checks it again.
    const payload: AdapterPayload = JSON.parse(plaintext.toString('utf8'));
    return row.consumedAt === null ? payload : { ...payload, consumed: Math.floor(row.consumedAt) };
  }

  return {
    async upsert(id, payload, expiresIn) {
      const idDigest = digestOf(id);
      const plaintext = Buffer.from(JSON.stringify(payload), 'utf8');
      const sealed = await vault.sealFor(database.db, null, plaintext, contextOf(model, idDigest));
      const { accountId, grantId, uid, params } = payload;
      const clientId = payload.clientId ?? params?.client_id;
      const record = {
        model,
        idDigest,
        sessionId: accountId ?? null,
        grantDigest: grantId === undefined ? null : digestOf(grantId),
        clientId: typeof clientId === 'string' ? clientId : null,
        uidDigest: uid === undefined ? null : digestOf(uid),
        sealed,
      };
      const seconds = expiresIn ?? LONGEST_SECONDS;
      const isWritten = await database.transaction(async (tx) => {
        const { sid } = payload;
        // Known there from now on, whether or not the code is exchanged.
        if (model === 'AuthorizationCode' && sid !== undefined)
          await insertPartyLogin(tx, record, sid);
        return upsertRecord(tx, record, seconds);
      });
      if (!isWritten) throw new InvalidClient('the relying party is suspended');
    },

    async find(id) {
      if (model === 'Client') return clientMetadata(await findRelyingParty(database.db, id));
      return opened(await findRecord(database.db, model, { idDigest: digestOf(id) }));
    },

    findByUid: async (uid) =>
      opened(await findRecord(database.db, model, { uidDigest: digestOf(uid) })),

    // Device flow alone has user codes, and there is none here.
    findByUserCode: async () => undefined,

    /** Of two who use one code at the same moment, in any two processes, one is refused. */
    async consume(id) {
      if (!(await consumeRecord(database.db, model, digestOf(id)))) {
        throw new InvalidGrant('it has been used before');
      }
    },

    destroy: (id) => deleteRecord(database.db, model, digestOf(id)),

    revokeByGrantId: (grantId) => deleteOfGrant(database.db, digestOf(grantId)),
  };
}
