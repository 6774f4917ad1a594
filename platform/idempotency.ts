// Idempotency-Key (contract.md 3): the first result again for the same request, within 24 hours.
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { Database } from './database.ts';
import { errorCatalogue } from './errors.ts';
import {
  claimKey,
  deleteExpiredKeys,
  findKey,
  listKept,
  releaseKey,
  renewKey,
  replaceResponse,
  storeResponse,
} from './idempotency-store.ts';
import type { Ids } from './ids.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import type { Sweeper } from './sweeper.ts';

export const idempotencyErrors = errorCatalogue('idempotency', {
  in_progress: 'conflict',
  key_invalid: 'malformed',
  mismatch: 'invalid',
});

/** What is kept of a response, and given again. */
export const StoredResponse = z.object({
  status: z.number().int(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
});
export type StoredResponse = z.infer<typeof StoredResponse>;

export interface IdempotencyDeps {
  database: Database;
  /** 32 bytes; responses hold personal data and are stored encrypted. */
  key: Buffer;
  ids: Ids;
  logger: Logger;
  metrics: Metrics;
  sweeper: Sweeper;
  /** How long a second call waits for the first before it is told that it runs. */
  waitMs?: number;
  /** After so long without a sign of life a runner is taken for dead, and the key is free. */
  leaseMs?: number;
}

/** One call's key, as the database and the cipher know it. */
interface Slot {
  keyHash: Buffer;
  fingerprint: Buffer;
  token: string;
}

const keyPattern = /^[\x21-\x7e]{1,255}$/;
const purgeEveryMs = 60_000;
const lookEveryMs = 100;
const storeAttempts = 3;
const replaceAtOnce = 1000;

/** What makes two requests the same: method, path with query, and the body's bytes. */
export function requestFingerprint(
  method: string,
  path: string,
  body: string | Uint8Array,
): string {
  return createHash('sha256').update(`${method} ${path}\n`).update(body).digest('hex');
}

/** Refusals that the same request may overcome, and faults, are not what a repeat should get. */
function isStorable(status: number): boolean {
  return status < 500 && status !== 401 && status !== 413 && status !== 429;
}

/** Runs acts at most once per key, also when calls come side by side, in one or many processes. */
export function createIdempotency({
  database,
  key,
  ids,
  logger,
  metrics,
  sweeper,
  waitMs = 5000,
  leaseMs = 20_000,
}: IdempotencyDeps) {
  if (key.length !== 32) throw new TypeError('The idempotency key must have 32 bytes.');
  const lookupKey = derive('lookup');
  const sealingKey = derive('sealing');
  const calls = metrics.counter('idempotency_calls_total', 'Calls with a key.', ['outcome']);
  /** Runs of this process, so that its own waiting calls need not ask the database. */
  const localRuns = new Map<string, Promise<unknown>>();

  sweeper.every(purgeEveryMs, 'idempotency.purge', () => deleteExpiredKeys(database.db));

  function derive(purpose: string): Buffer {
    return Buffer.from(hkdfSync('sha256', key, '', `yihao idempotency ${purpose}`, 32));
  }

  async function run(
    scope: string,
    callerKey: string,
    fingerprint: string,
    act: () => Promise<StoredResponse>,
  ): Promise<{ response: StoredResponse; isReplay: boolean }> {
    if (!keyPattern.test(callerKey)) {
      throw idempotencyErrors.key_invalid(
        'Idempotency-Key must have 1 to 255 visible ASCII characters, such as a UUID.',
      );
    }
    const slot = slotFor(scope, callerKey, fingerprint);
    const giveUpAt = performance.now() + waitMs;
    for (;;) {
      if (await claimKey(database.db, slot, leaseMs)) {
        calls.inc({ outcome: 'run' });
        return { response: await runAct(slot, act), isReplay: false };
      }
      const known = await findKey(database.db, slot.keyHash);
      if (known && !known.fingerprint.equals(slot.fingerprint)) {
        calls.inc({ outcome: 'mismatch' });
        throw idempotencyErrors.mismatch(
          'This Idempotency-Key was used with another request. Use a new key for a new request.',
        );
      }
      if (known?.response) {
        calls.inc({ outcome: 'replay' });
        return { response: open(known.response, slot.keyHash), isReplay: true };
      }
      const leftMs = giveUpAt - performance.now();
      if (leftMs <= 0) {
        calls.inc({ outcome: 'in_progress' });
        throw idempotencyErrors.in_progress(
          'The first request with this Idempotency-Key still runs. Send it again in a moment.',
          { retryAfterSeconds: 1 },
        );
      }
      await runnersEnd(slot, leftMs);
    }
  }

  function slotFor(scope: string, callerKey: string, fingerprint: string): Slot {
    const boundTo = Buffer.from(`${scope}\0${callerKey}`);
    return {
      keyHash: createHmac('sha256', lookupKey).update('key\0').update(boundTo).digest(),
      // Keyed: a plain hash of a short body could be undone by trying all citizen IDs.
      fingerprint: createHmac('sha256', lookupKey).update(`request\0${fingerprint}`).digest(),
      token: ids.uuid(),
    };
  }

  async function runnersEnd({ keyHash }: Slot, leftMs: number): Promise<void> {
    const local = localRuns.get(keyHash.toString('hex'));
    const timer = new AbortController();
    const pause = wait(local ? leftMs : Math.min(lookEveryMs, leftMs), undefined, {
      signal: timer.signal,
    }).catch(() => {});
    await Promise.race([pause, ...(local ? [local] : [])]);
    timer.abort();
  }

  async function runAct(slot: Slot, act: () => Promise<StoredResponse>): Promise<StoredResponse> {
    const name = slot.keyHash.toString('hex');
    const running = runHolding(slot, act);
    const ended = running
      .catch(() => {})
      .finally(() => {
        if (localRuns.get(name) === ended) localRuns.delete(name);
      });
    localRuns.set(name, ended);
    return running;
  }

  async function runHolding(
    slot: Slot,
    act: () => Promise<StoredResponse>,
  ): Promise<StoredResponse> {
    const renewal = setInterval(() => {
      renewKey(database.db, slot, leaseMs).catch((error: unknown) =>
        logger.warn({ err: error }, 'An idempotency key was not renewed.'),
      );
    }, leaseMs / 3);
    try {
      const response = await act();
      await keep(slot, response);
      return response;
    } catch (error) {
      await settle(() => releaseKey(database.db, slot));
      throw error;
    } finally {
      clearInterval(renewal);
    }
  }

  async function keep(slot: Slot, response: StoredResponse): Promise<void> {
    if (!isStorable(response.status)) {
      await settle(() => releaseKey(database.db, slot));
      return;
    }
    const sealed = seal(response, slot.keyHash);
    await settle(() => storeResponse(database.db, slot, sealed));
  }

  /** The act is done: the caller gets its result even when the database is away for its record. */
  async function settle(write: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await write();
        return;
      } catch (error) {
        if (attempt === storeAttempts) {
          logger.error(
            { err: error },
            'An idempotency key was not settled; it is free in a while.',
          );
          return;
        }
        await wait(100 * attempt);
      }
    }
  }

  function seal(response: StoredResponse, boundTo: Buffer): Buffer {
    const nonce = ids.bytes(12);
    const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce).setAAD(boundTo);
    const text = JSON.stringify(response);
    return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  function open(sealed: Buffer, boundTo: Buffer): StoredResponse {
    const decipher = createDecipheriv('aes-256-gcm', sealingKey, sealed.subarray(0, 12))
      .setAAD(boundTo)
      .setAuthTag(sealed.subarray(-16));
    const text = Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
    return StoredResponse.parse(JSON.parse(text.toString('utf8')));
  }

  return {
    /**
     * Runs `act` unless `scope` used `callerKey` before: then the same request gets the first
     * response, another request idempotency.mismatch, and a call that outlasts the wait for a
     * running one idempotency.in_progress. `fingerprint` is requestFingerprint's. Responses with
     * 401, 413, 429 or 5xx, and acts that throw, free the key. A process killed between the act's
     * commit and the record of its response leaves the key to run again when the lease is over.
     */
    run,

    /**
     * Puts `instead` in the place of every kept response whose body matches, and returns how many: the
     * same request then gets that. Reads all of them, a thousand at a time.
     */
    async replaceKept(
      isMeant: (body: string) => boolean,
      instead: StoredResponse,
    ): Promise<number> {
      let replaced = 0;
      for (let after: Buffer = Buffer.alloc(0); ; ) {
        const rows = await listKept(database.db, after, replaceAtOnce);
        for (const { keyHash, response } of rows) {
          if (!isMeant(open(response, keyHash).body)) continue;
          await replaceResponse(database.db, keyHash, response, seal(instead, keyHash));
          replaced += 1;
        }
        const last = rows.at(-1);
        if (!last || rows.length < replaceAtOnce) return replaced;
        after = last.keyHash;
      }
    },
  };
}

export type Idempotency = ReturnType<typeof createIdempotency>;
