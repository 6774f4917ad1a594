// Status lists in use: giving out indexes, setting statuses, and the signed list for anyone.
import type { Clock, Database, Ids, Logger, Tx } from '../platform/index.ts';
import { signingErrors } from './errors.ts';
import { signCompact } from './jws.ts';
import type { Keystore } from './keystore.ts';
import type { StatusReference } from './sd-jwt-vc.ts';
import { encodeStatusList, shuffledIndexes, writeStatus } from './status-list.ts';
import {
  drawPlaces,
  findList,
  findStatus,
  getIndexes,
  type Horizon,
  hasList,
  insertList,
  lockNewLists,
  statusesSince,
  upsertStatus,
} from './status-store.ts';

/**
 * Statuses of a list: enough that an index points at nobody, few enough to fetch (32 KiB). Fixed for
 * good, because a drawn position tells its list by it.
 */
export const LIST_SIZE = 2 ** 17;

/** The next list is made when this much of one is given out, so that nobody waits for it. */
const PREPARE_AT = LIST_SIZE * 0.75;

const BITS = 2;

/** How old our knowledge of a list may be: one look at the changes per list and second. */
const CHECK_EVERY_MS = 1_000;

/** Without a change the list is signed again after this time, so that it shows its freshness. */
const SIGN_EVERY_MS = 60_000;

/** How long a relying party may keep a list: our promise is five seconds to everyone. */
const TTL_SECONDS = 5;

/** How long a list counts when we can't be reached. */
const LIFETIME_SECONDS = 3_600;

/** Lists held in memory, about 50 KiB each. */
const CACHE_SIZE = 1_000;

/** 0 valid, 1 invalid, 2 suspended, 3 superseded (application-specific: a newer version exists). */
export type StatusValue = 0 | 1 | 2 | 3;

export interface AllocatedStatus extends StatusReference {
  listId: string;
}

interface HeldList {
  uri: string;
  list: Buffer;
  encoded: string;
  horizon: Horizon;
  checkedAt: number;
  token: string;
  signedAt: number;
}

export interface StatusListsDeps {
  database: Database;
  clock: Clock;
  ids: Ids;
  keystore: Keystore;
  publicUrl: string;
  logger: Logger;
}

export function createStatusLists(deps: StatusListsDeps) {
  const { database, clock, ids, keystore, publicUrl, logger } = deps;
  const held = new Map<number, HeldList>();
  const refreshing = new Map<number, Promise<HeldList | null>>();

  async function ensureList(tx: Tx, id: number): Promise<void> {
    if (await hasList(tx, id)) return;
    // Of many that need a new list at once, one makes it and the others wait for its commit.
    await lockNewLists(tx);
    if (await hasList(tx, id)) return;
    const list = {
      id,
      uri: `${publicUrl}/status-lists/${id}`,
      size: LIST_SIZE,
      shuffled: shuffledIndexes(LIST_SIZE, ids),
      createdAt: clock.now(),
    };
    await insertList(tx, list);
    logger.info({ statusList: id }, 'A status list was added');
  }

  async function allocateStatuses(tx: Tx, count: number): Promise<AllocatedStatus[]> {
    if (!Number.isSafeInteger(count) || count < 1) throw new TypeError('Ask for one or more.');
    const spans = await drawPlaces(tx, count, LIST_SIZE);
    const allocated: AllocatedStatus[] = [];
    for (const { listId, offsets, found } of spans) {
      if (!found) await ensureList(tx, listId);
      if (offsets.includes(PREPARE_AT)) await ensureList(tx, listId + 1);
      const { uri, indexes } = found ?? (await getIndexes(tx, listId, offsets));
      for (const idx of indexes) allocated.push({ listId: String(listId), uri, idx });
    }
    return allocated;
  }

  /** Brings what we hold of a list up to date; null when there is no such list. */
  async function refresh(id: number): Promise<HeldList | null> {
    const now = clock.now().getTime();
    const before = held.get(id);
    const known = before ?? (await findEmptyList(id));
    if (!known) return null;
    const { horizon, changes } = await statusesSince(database.db, id, before?.horizon ?? null);
    // On a copy: what is held must stay whole if a later step fails.
    const list = Buffer.from(known.list);
    for (const { idx, status } of changes) writeStatus(list, BITS, idx, status);

    const isSame = before !== undefined && list.equals(before.list);
    const encoded = isSame ? before.encoded : await encodeStatusList(list);
    const isFresh = isSame && now - before.signedAt < SIGN_EVERY_MS;
    const signed = isFresh
      ? { token: before.token, signedAt: before.signedAt }
      : { token: await signList(known.uri, encoded, now), signedAt: now };
    const after = { uri: known.uri, list, encoded, horizon, checkedAt: now, ...signed };
    if (before === undefined && held.size >= CACHE_SIZE) {
      const oldest = held.keys().next();
      if (!oldest.done) held.delete(oldest.value);
    }
    held.set(id, after);
    return after;
  }

  async function findEmptyList(id: number): Promise<{ uri: string; list: Buffer } | null> {
    const found = await findList(database.db, id);
    return found && { uri: found.uri, list: Buffer.alloc((found.size * BITS) / 8) };
  }

  function signList(uri: string, encoded: string, now: number): Promise<string> {
    const iat = Math.floor(now / 1000);
    return signCompact(keystore.statusKey, 'statuslist+jwt', {
      sub: uri,
      iat,
      exp: iat + LIFETIME_SECONDS,
      ttl: TTL_SECONDS,
      status_list: { bits: BITS, lst: encoded },
    });
  }

  return {
    /** An index for one licence, random within its list and never given out again. */
    async allocateStatus(tx: Tx): Promise<AllocatedStatus> {
      const [allocated] = await allocateStatuses(tx, 1);
      if (!allocated) throw new TypeError('The database drew no position.');
      return allocated;
    },

    /**
     * Several indexes at once. Takes no lock, so that transactions that issue don't wait for each
     * other; of a transaction that is rolled back the indexes stay unused, as decoys.
     * 2,000/s one by one and 150,000/s by hundreds, on 2 busy cores with PostgreSQL beside.
     */
    allocateStatuses,

    /** Sets a status in the caller's transaction: one row. Anyone sees it within 5 s of the commit. */
    async setStatus(tx: Tx, reference: StatusReference, status: StatusValue): Promise<void> {
      if (!isIndex(reference.idx) || !(await upsertStatus(tx, reference, status))) {
        throw unknownReference();
      }
    },

    /** The status as the caller's transaction sees it. */
    async getStatus(tx: Tx, reference: StatusReference): Promise<StatusValue> {
      const status = isIndex(reference.idx) ? await findStatus(tx, reference) : null;
      if (status === 0 || status === 1 || status === 2 || status === 3) return status;
      throw unknownReference();
    },

    /**
     * The signed list (`application/statuslist+jwt`), or null when there is none with this id.
     * Signed at most once a second, whoever asks; each process that serves lists looks by itself.
     */
    async statusListToken(listId: string): Promise<string | null> {
      if (!isListId(listId)) return null;
      const id = Number(listId);
      const known = held.get(id);
      if (known && clock.now().getTime() - known.checkedAt < CHECK_EVERY_MS) return known.token;
      const running = refreshing.get(id) ?? refresh(id).finally(() => refreshing.delete(id));
      refreshing.set(id, running);
      return (await running)?.token ?? null;
    },
  };
}

/** The form of a list's id in its URL. */
export function isListId(text: string): boolean {
  return /^(0|[1-9]\d{0,8})$/.test(text);
}

const isIndex = (idx: number): boolean => Number.isSafeInteger(idx) && idx >= 0 && idx < LIST_SIZE;

function unknownReference() {
  return signingErrors.status_unknown('No status list of this registry has this place.');
}
