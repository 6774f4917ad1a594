// Every accepted question ends exactly once, whoever dies on the way; nothing that ended changes.
import { describe, expect, test } from 'vitest';
import type { ExchangeDeps } from '../../../exchange/index.ts';
import { type JsonObject, systemIds, systemScope } from '../../../platform/index.ts';
import { eventually } from '../../support/eventually.ts';
import { askNow, codeOf, department, type House, maritalQuestion, withExchange } from './house.ts';

const house = withExchange({ queue: 'stopped' });
const housing = department('housing');

/** A question that nobody works on: no worker runs in this file. */
async function left(changes: JsonObject = {}): Promise<string> {
  const { id } = await house.exchange.ask(housing, maritalQuestion(changes));
  return id;
}

async function stateOf(id: string): Promise<string> {
  const { items } = await house.exchange.listVerifications(housing, { limit: 200 });
  return items.find((item) => item.id === id)?.state ?? 'missing';
}

async function endingsOf(id: string): Promise<string[]> {
  const entries = await eventually(async () => {
    const found = await house.audit.as(systemScope).findEntries({ limit: 200 });
    const own = found.filter(({ verification }) => verification === id);
    return own.length > 1 && own;
  });
  return entries.map(({ type }) => type).filter((type) => type !== 'verification.asked');
}

/** Makes what waits for somebody look as if it had waited long enough. */
async function runOutOfTime(id: string): Promise<void> {
  await house.ownerSql`
    update exchange.verifications set lease_until = platform.now() - interval '1 second'
    where id = ${id}`;
}

/** Neighbours of which one fails: the registry can't be read. */
function brokenRegistry() {
  const { getType, licencesNaming, searchOwn, getForReading, documentCut } = house.registry;
  const licencesOf = async () => {
    throw new Error('The registry can not be read.');
  };
  return {
    registry: { getType, licencesNaming, searchOwn, getForReading, documentCut, licencesOf },
  };
}

function workersOf({ another }: House, changes: Partial<ExchangeDeps> = {}) {
  const handlers: ((data: Record<string, string | number>) => Promise<void>)[] = [];
  const woken: Record<string, string | number>[] = [];
  another({
    queue: {
      handle: (name, handler) => void (name === 'exchange.answer' && handlers.push(handler)),
      add: async (_, { data }) => void woken.push(data),
    },
    ...changes,
  });
  const [handler] = handlers;
  if (!handler) throw new TypeError('The exchange handles no answers.');
  return { handler, woken };
}

describe('a question left behind between accept and answer', () => {
  test('is woken by the sweep under a new dispatch number, and ends once', async () => {
    const id = await left();
    expect(await stateOf(id)).toBe('accepted');
    await runOutOfTime(id);
    await house.sweep('exchange.wake');
    const [row] = await house.ownerSql`
      select dispatch_no, attempts from exchange.verifications where id = ${id}`;
    expect(row).toEqual({ dispatch_no: 2, attempts: [] });
    const { handler } = workersOf(house);
    await handler({ verificationId: id, dispatchNo: 1 });
    expect(await stateOf(id)).toBe('accepted');
    await handler({ verificationId: id, dispatchNo: 2 });
    await handler({ verificationId: id, dispatchNo: 2 });
    expect(await stateOf(id)).toBe('answered');
    expect(await endingsOf(id)).toEqual(['verification.answered']);
  });

  test('under a lease whose holder died is taken over when the lease runs out', async () => {
    const id = await left();
    await house.ownerSql`
      update exchange.verifications set state = 'dispatched', lease_token = ${systemIds.uuid()},
        lease_until = platform.now() + interval '1 minute' where id = ${id}`;
    const { handler } = workersOf(house);
    await handler({ verificationId: id, dispatchNo: 1 });
    expect(await stateOf(id)).toBe('dispatched');
    await runOutOfTime(id);
    await house.sweep('exchange.wake');
    await handler({ verificationId: id, dispatchNo: 2 });
    expect(await endingsOf(id)).toEqual(['verification.answered']);
    const [row] = await house.ownerSql`
      select jsonb_path_query_array(attempts, '$[*].error') as errors
      from exchange.verifications where id = ${id}`;
    expect(row).toEqual({ errors: ['lease_ran_out'] });
  });

  test('is given up after five runs that did not finish, with the attempts listed', async () => {
    const id = await left();
    for (let run = 1; run <= 5; run += 1) {
      await house.ownerSql`
        update exchange.verifications set state = 'dispatched', lease_token = ${systemIds.uuid()},
          lease_until = platform.now() - interval '1 second' where id = ${id}`;
      await house.sweep('exchange.wake');
    }
    const failed = await house.exchange.getVerification(housing, id);
    expect(failed.state).toBe('failed');
    expect(failed.failure?.attempts.map(({ error, dispatchNo }) => [dispatchNo, error])).toEqual(
      [1, 2, 3, 4, 5].map((dispatchNo) => [dispatchNo, 'lease_ran_out']),
    );
    expect(await endingsOf(id)).toEqual(['verification.failed']);
  });

  test('whose runs fail is tried again, later each time, and given up with the reasons listed', async () => {
    const id = await left();
    const { handler } = workersOf(house, brokenRegistry());
    const waits: number[] = [];
    for (let dispatchNo = 1; dispatchNo <= 5; dispatchNo += 1) {
      await handler({ verificationId: id, dispatchNo });
      const [row] = await house.ownerSql`
        select round(extract(epoch from lease_until - platform.now()))::int as seconds
        from exchange.verifications where id = ${id} and ended_at is null`;
      if (!row) continue;
      waits.push(row.seconds);
      await runOutOfTime(id);
      await house.sweep('exchange.wake');
    }
    expect(waits).toEqual([1, 2, 4, 8]);
    const failed = await house.exchange.getVerification(housing, id);
    expect(failed.failure?.attempts.map(({ dispatchNo, error }) => [dispatchNo, error])).toEqual(
      [1, 2, 3, 4, 5].map((dispatchNo) => [dispatchNo, 'internal']),
    );
    expect(await endingsOf(id)).toEqual(['verification.failed']);
  });

  test('because its rule failed at once is stored all the same, and answered by a worker', async () => {
    const woken: unknown[] = [];
    const exchange = house.another({
      ...brokenRegistry(),
      queue: { handle: () => {}, add: async (_, { data }) => void woken.push(data) },
    });
    const { id, state } = await exchange.ask(housing, maritalQuestion(), { waitSeconds: 1 });
    expect(state).toBe('accepted');
    expect(woken).toEqual([{ verificationId: id, dispatchNo: 1 }]);
    const { handler } = workersOf(house);
    await handler({ verificationId: id, dispatchNo: 1 });
    expect(await endingsOf(id)).toEqual(['verification.answered']);
  });

  test('expires after its deadline, and can’t be answered any more', async () => {
    const id = await left();
    await house.ownerSql`
      update exchange.verifications set deadline = platform.now() - interval '1 second'
      where id = ${id}`;
    const { handler } = workersOf(house);
    await handler({ verificationId: id, dispatchNo: 1 });
    expect(await stateOf(id)).toBe('accepted');
    await house.sweep('exchange.expire');
    await house.sweep('exchange.expire');
    expect(await house.exchange.getVerification(housing, id)).toMatchObject({
      state: 'expired',
      overdue: true,
    });
    expect(await endingsOf(id)).toEqual(['verification.expired']);
  });
});

describe('rivals', () => {
  test('two workers with the same dispatch give one answer and one pair of entries', async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = await left();
      const [one, two] = [workersOf(house), workersOf(house)];
      await Promise.all([
        one.handler({ verificationId: id, dispatchNo: 1 }),
        two.handler({ verificationId: id, dispatchNo: 1 }),
      ]);
      expect(await stateOf(id)).toBe('answered');
      expect(await endingsOf(id)).toEqual(['verification.answered']);
    }
  });

  test('a worker that wakes up after another took over changes nothing', async () => {
    for (let round = 0; round < 5; round += 1) {
      const id = await left();
      const { handler } = workersOf(house);
      const late = handler({ verificationId: id, dispatchNo: 1 });
      await runOutOfTime(id);
      await house.sweep('exchange.wake');
      await Promise.all([late, handler({ verificationId: id, dispatchNo: 2 })]);
      expect(await endingsOf(id)).toEqual(['verification.answered']);
    }
  });

  test('an answer and a cancellation at once leave one ending', async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = await left();
      const { handler } = workersOf(house);
      const [code] = await Promise.all([
        codeOf(house.exchange.cancel(housing, id)),
        handler({ verificationId: id, dispatchNo: 1 }),
      ]);
      const state = await stateOf(id);
      expect([code, state]).toEqual(
        code === 'not refused'
          ? ['not refused', 'cancelled']
          : ['exchange.already_ended', 'answered'],
      );
      expect(await endingsOf(id)).toEqual([`verification.${state}`]);
    }
  });
});

describe('what has ended', () => {
  test('can’t be changed or deleted by the owner of the database either', async () => {
    const { id } = await askNow(house, housing, maritalQuestion());
    const changes = [
      house.ownerSql`update exchange.verifications set state = 'failed' where id = ${id}`,
      house.ownerSql`delete from exchange.verifications where id = ${id}`,
      house.ownerSql`update exchange.answers set content_sealed = '\\x00' where verification_id = ${id}`,
      house.ownerSql`update exchange.answers set receipt = 'x' where verification_id = ${id}`,
      house.ownerSql`delete from exchange.answers where verification_id = ${id}`,
    ];
    for (const change of changes) {
      await expect(change).rejects.toMatchObject({ code: '23001' });
    }
  });

  test('can’t be taken back', async () => {
    const { id } = await askNow(house, housing, maritalQuestion());
    expect(await codeOf(house.exchange.cancel(housing, id))).toBe('exchange.already_ended');
  });

  test('loses its answer after the service’s retention, and says so', async () => {
    const { id } = await askNow(house, housing, maritalQuestion());
    const [kept] = await house.ownerSql`
      select erase_after - answered_at = interval '90 days' as is_90_days
      from exchange.answers where verification_id = ${id}`;
    expect(kept).toEqual({ is_90_days: true });
    await house.ownerSql`
      update exchange.answers set erase_after = platform.now() where verification_id = ${id}`;
    await house.sweep('exchange.erase');
    const gone = await house.exchange.getVerification(housing, id);
    expect(gone.state).toBe('answered');
    expect(gone).not.toHaveProperty('answer');
    expect(gone.answerErasedAt).toBeDefined();
    const [row] = await house.ownerSql`
      select content_sealed from exchange.answers where verification_id = ${id}`;
    expect(row).toEqual({ content_sealed: null });
  });
});

test('a question taken back is cancelled, once', async () => {
  const id = await left();
  expect((await house.exchange.cancel(housing, id)).state).toBe('cancelled');
  expect(await codeOf(house.exchange.cancel(housing, id))).toBe('exchange.already_ended');
  expect(await codeOf(house.exchange.cancel(department('fund'), id))).toBe(
    'exchange.verification_not_found',
  );
  expect(await endingsOf(id)).toEqual(['verification.cancelled']);
});

test('while the log can’t be written an asker gets no answer, and a reader nothing at all', async () => {
  const down = {
    sequenced: () => house.audit.sequenced(['00000000-0000-7000-8000-000000000000'], 50),
    discloseCase: house.audit.discloseCase,
    indexesOf: house.audit.indexesOf,
  };
  const exchange = house.another({ audit: down });
  const asked = await exchange.ask(housing, maritalQuestion(), { waitSeconds: 1 });
  expect(asked.state).toBe('dispatched');
  expect(asked).not.toHaveProperty('answer');
  expect(await codeOf(exchange.getVerification(housing, asked.id))).toBe('audit.unavailable');
  const later = await house.exchange.getVerification(housing, asked.id);
  expect(later.answer).toBeDefined();
});
