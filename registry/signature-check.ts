// The signer's record against the register (docs/adr/0012): every signature that was ever made must belong
// to a licence that is written down. One without may be a crash's; or somebody had a false licence signed.
import {
  dbNow,
  findHouseFact,
  type JsonObject,
  putHouseFact,
  systemScope,
  type Tx,
} from '../platform/index.ts';
import type { SignaturePlace, SignatureRecord } from '../signing/index.ts';
import type { RegistryDeps } from './deps.ts';
import { placesOf } from './store.ts';

/** A round over a million signatures takes three hours at one batch each ten seconds. */
const BATCH = 1_000;
/** The transaction that records a licence has long ended by then. */
const GRACE_MS = 10 * 60_000;
/** So many are remembered as told; a flood of them is one alarm already. */
const MOST_TOLD = 1_000;

const fact = 'registry.signature_check';

interface Progress {
  /** Where the round stands; null at its beginning. */
  after: SignaturePlace | null;
  told: string[];
}

/** Binds the comparison. */
export function createSignatureCheck({ database, signing, outbox }: RegistryDeps) {
  async function isRecorded(tx: Tx, signatures: readonly SignatureRecord[]) {
    const places = await placesOf(
      tx,
      signatures.map(({ licence }) => licence),
    );
    return ({ licence, statusUri, statusIdx }: SignatureRecord): boolean => {
      const place = places.get(licence);
      return place?.uri === statusUri && place.idx === statusIdx;
    };
  }

  return {
    /**
     * Compares the next signatures in the order of their places, round and round; tells of each one
     * without a licence once. Returns how many it looked at and the licences it told of.
     */
    async checkSignatures(): Promise<{ looked: number; unrecorded: string[] }> {
      return database.as(systemScope).transaction(async (tx) => {
        const { after, told } = progressOf(await findHouseFact(tx, fact));
        const before = new Date((await dbNow(tx)).getTime() - GRACE_MS);
        const batch = await signing.listSignatures(tx, { after, before, limit: BATCH });
        const holds = await isRecorded(tx, batch);
        const found = batch.filter((one) => !holds(one));
        const fresh = found.filter((one) => !told.includes(nameOf(one)));
        for (const { licence, statusUri, statusIdx, signedAt } of fresh) {
          await outbox.add(tx, {
            topic: 'registry.signature_unrecorded',
            key: licence,
            payload: { licence, statusUri, statusIdx, signedAt },
          });
        }
        const last = batch.length < BATCH ? undefined : batch.at(-1);
        await putHouseFact(tx, fact, {
          after: last ? { uri: last.statusUri, idx: last.statusIdx } : null,
          told: [...told, ...fresh.map(nameOf)].slice(-MOST_TOLD),
        });
        return { looked: batch.length, unrecorded: fresh.map(({ licence }) => licence) };
      });
    },
  };
}

const nameOf = ({ statusUri, statusIdx }: SignatureRecord): string => `${statusUri}#${statusIdx}`;

/** What was kept, or a new round where there is nothing of that form. */
function progressOf(stored: unknown): Progress {
  if (!isObject(stored)) return { after: null, told: [] };
  const { after, told } = stored;
  const place =
    isObject(after) && typeof after.uri === 'string' && typeof after.idx === 'number'
      ? { uri: after.uri, idx: after.idx }
      : null;
  const names = Array.isArray(told) ? told : [];
  return { after: place, told: names.filter((name) => typeof name === 'string') };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
