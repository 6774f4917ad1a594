import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { IdempotencyDeps } from '../../../platform/idempotency.ts';
import { deleteExpiredKeys } from '../../../platform/idempotency-store.ts';
import {
  AppError,
  createIdempotency,
  createLogger,
  createMetrics,
  createSweeper,
  type Idempotency,
  requestFingerprint,
  type StoredResponse,
  type Sweeper,
  systemIds,
} from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';

const { database, ownerSql, setClockOffset } = withDatabase();
const logger = createLogger({ level: 'silent' });
const key = Buffer.alloc(32, 7);
const sweepers: Sweeper[] = [];

beforeEach(() => ownerSql`truncate platform.idempotency_keys`);
afterEach(async () => {
  await Promise.all(sweepers.splice(0).map((sweeper) => sweeper.close()));
  await setClockOffset(0);
});

/** As each process has one. */
function process(more: Partial<IdempotencyDeps> = {}): Idempotency {
  const metrics = createMetrics();
  const sweeper = createSweeper({ database, logger, metrics });
  sweepers.push(sweeper);
  return createIdempotency({ database, key, ids: systemIds, logger, metrics, sweeper, ...more });
}

const request = requestFingerprint('POST', '/v1/licences', '{"type":"LT-IDCARD"}');
const otherRequest = requestFingerprint('POST', '/v1/licences', '{"type":"LT-OTHER"}');
const created: StoredResponse = {
  status: 201,
  headers: { location: '/v1/licences/1', 'content-type': 'application/json' },
  body: '{"number":"1","holder":"张三"}',
};

const giving = (response: StoredResponse) => async () => response;
const never = async (): Promise<StoredResponse> => {
  throw new Error('The act ran again.');
};

test('the same request gets the first response again', async () => {
  const { run } = process();
  expect(await run('housing', 'k1', request, giving(created))).toEqual({
    response: created,
    isReplay: false,
  });
  expect(await process().run('housing', 'k1', request, never)).toEqual({
    response: created,
    isReplay: true,
  });
});

test('fifty calls side by side, in one process and in two, run the act once', async () => {
  for (const processes of [[process()], [process(), process()]]) {
    let runs = 0;
    const act = async () => {
      runs += 1;
      await database.db.execute('select pg_sleep(0.2)');
      return created;
    };
    const name = `k-${processes.length}`;
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        processes[n % processes.length]?.run('housing', name, request, act),
      ),
    );
    expect(runs).toBe(1);
    expect(results.filter((result) => result?.isReplay === false)).toHaveLength(1);
    for (const result of results) expect(result?.response).toEqual(created);
  }
});

test('another request under the same key is refused, while the first runs and after', async () => {
  const { run } = process();
  let finish = () => {};
  const first = run('housing', 'k1', request, async () => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return created;
  });
  await eventually(async () => (await ownerSql`select 1 from platform.idempotency_keys`)[0]);
  const mismatch = { code: 'idempotency.mismatch', kind: 'invalid' };
  await expect(run('housing', 'k1', otherRequest, never)).rejects.toMatchObject(mismatch);
  finish();
  await first;
  await expect(run('housing', 'k1', otherRequest, never)).rejects.toMatchObject(mismatch);
});

test('a key belongs to its client', async () => {
  const { run } = process();
  await run('housing', 'k1', request, giving(created));
  const other = { ...created, body: 'theirs' };
  expect(await run('police', 'k1', otherRequest, giving(other))).toEqual({
    response: other,
    isReplay: false,
  });
});

test('a call that outlasts its wait is told that the first still runs', async () => {
  for (const second of [process({ waitMs: 150 }), undefined]) {
    const first = process({ waitMs: 150 });
    let finish = () => {};
    const name = second ? 'elsewhere' : 'here';
    const running = first.run('housing', name, request, async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return created;
    });
    await eventually(
      async () =>
        (await ownerSql`select 1 from platform.idempotency_keys where response is null`)[0],
    );
    await expect((second ?? first).run('housing', name, request, never)).rejects.toMatchObject({
      code: 'idempotency.in_progress',
      kind: 'conflict',
      retryAfterSeconds: 1,
    });
    finish();
    await running;
  }
});

test('a dead runner frees its key when its lease is over, for the same request', async () => {
  const dead = process({ leaseMs: 60_000 });
  void dead.run('housing', 'k1', request, () => new Promise(() => {}));
  await eventually(async () => (await ownerSql`select 1 from platform.idempotency_keys`)[0]);
  const next = process({ waitMs: 50 });
  await expect(next.run('housing', 'k1', request, never)).rejects.toMatchObject({
    code: 'idempotency.in_progress',
  });
  await setClockOffset(61_000);
  await expect(next.run('housing', 'k1', otherRequest, never)).rejects.toMatchObject({
    code: 'idempotency.mismatch',
  });
  expect(await next.run('housing', 'k1', request, giving(created))).toEqual({
    response: created,
    isReplay: false,
  });
});

test('a runner that lives keeps its key longer than its lease', async () => {
  const { run } = process({ leaseMs: 300 });
  let finish = () => {};
  const running = run('housing', 'k1', request, async () => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return created;
  });
  const leaseOf = async () =>
    (await ownerSql`select lease_until from platform.idempotency_keys`)[0]?.lease_until?.getTime();
  const first = await eventually(leaseOf);
  await eventually(async () => ((await leaseOf()) ?? 0) > first + 600);
  await expect(process({ waitMs: 50 }).run('housing', 'k1', request, never)).rejects.toMatchObject({
    code: 'idempotency.in_progress',
  });
  finish();
  await running;
});

describe('what is kept', () => {
  test('refusals that may pass and faults are not; everything else is', async () => {
    const { run } = process();
    const cases: [boolean, number[]][] = [
      [false, [401, 413, 429, 500, 502, 503]],
      [true, [200, 201, 202, 303, 400, 403, 404, 409, 422]],
    ];
    for (const [isKept, statuses] of cases) {
      for (const status of statuses) {
        const response = { status, headers: {}, body: String(status) };
        await run('housing', `k${status}`, request, giving(response));
        const again = await run('housing', `k${status}`, request, giving(created));
        expect(again, String(status)).toEqual(
          isKept ? { response, isReplay: true } : { response: created, isReplay: false },
        );
      }
    }
  });

  test('an act that throws frees its key, and its error goes to the caller', async () => {
    const { run } = process();
    const refusal = new AppError('forbidden', 'registry.not_issuer', 'Not yours.');
    await expect(run('housing', 'k1', request, () => Promise.reject(refusal))).rejects.toBe(
      refusal,
    );
    expect(await run('housing', 'k1', otherRequest, giving(created))).toEqual({
      response: created,
      isReplay: false,
    });
  });

  test('those who wait for a run that is not kept run themselves, one after the other', async () => {
    const { run } = process();
    let atOnce = 0;
    let most = 0;
    let runs = 0;
    const failing = async () => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      runs += 1;
      await database.db.execute('select pg_sleep(0.01)');
      atOnce -= 1;
      return { status: 503, headers: {}, body: '' };
    };
    await Promise.all(Array.from({ length: 8 }, () => run('housing', 'k1', request, failing)));
    expect({ most, runs }).toEqual({ most: 1, runs: 8 });
  });

  test('a day later the key is new, and the purge forgets it', async () => {
    const { run } = process();
    await run('housing', 'k1', request, giving(created));
    await run('housing', 'k2', request, giving(created));
    await setClockOffset(23 * 3_600_000);
    await deleteExpiredKeys(database.db);
    expect((await run('housing', 'k1', request, never)).isReplay).toBe(true);
    await setClockOffset(24 * 3_600_000 + 1000);
    expect((await run('housing', 'k1', otherRequest, giving(created))).isReplay).toBe(false);
    await deleteExpiredKeys(database.db);
    const [left] = await ownerSql`select count(*)::int as keys from platform.idempotency_keys`;
    expect(left).toEqual({ keys: 1 });
  });

  test('nothing of key, client, request or response stands in the table', async () => {
    const { run } = process();
    await run('housing', 'invoice-2026-0001', request, giving(created));
    const [row] = await ownerSql`
      select idempotency_keys::text as text, response from platform.idempotency_keys`;
    const bytes = Buffer.concat([Buffer.from(row?.text), row?.response]);
    const hexOf = (text: string) => Buffer.from(text).toString('hex');
    // Nothing so short that digests could spell it by chance.
    for (const word of ['housing', 'invoice', request, '张三', 'location']) {
      expect(bytes.includes(word), word).toBe(false);
      expect(bytes.includes(hexOf(word)), word).toBe(false);
    }
  });

  test('a response moved to another key does not open', async () => {
    const { run } = process();
    await run('housing', 'k1', request, giving(created));
    await run('housing', 'k2', request, giving({ ...created, body: 'other' }));
    await ownerSql`
      update platform.idempotency_keys a set response = b.response
      from platform.idempotency_keys b where a.key_hash <> b.key_hash`;
    for (const name of ['k1', 'k2']) {
      await expect(run('housing', name, request, never), name).rejects.toThrow(
        'unable to authenticate data',
      );
    }
  });
});

test('keys that are no keys are refused', async () => {
  const { run } = process();
  for (const bad of ['', ' ', 'a b', 'ключ', 'a\nb', 'x'.repeat(256)]) {
    await expect(run('housing', bad, request, never), bad).rejects.toMatchObject({
      code: 'idempotency.key_invalid',
      kind: 'malformed',
    });
  }
});

test('a key of another size is refused at construction', () => {
  expect(() => process({ key: Buffer.alloc(31) })).toThrow('32 bytes');
});
