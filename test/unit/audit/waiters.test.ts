// Waiting for an index: told directly, found by looking, or refused in time.
import { describe, expect, test } from 'vitest';
import { createWaiters } from '../../../audit/waiters.ts';

const unavailable = { code: 'audit.unavailable', kind: 'unavailable', retryAfterSeconds: 1 };

/** Waiters over a tree that a test fills; counts the look-ups. */
function aTree() {
  const tree = new Map<string, number>();
  const errors: unknown[] = [];
  const looked: string[][] = [];
  let fault: Error | undefined;
  const waiters = createWaiters({
    lookUp: async (stageIds) => {
      looked.push(stageIds);
      if (fault) throw fault;
      return [...tree].filter(([id]) => stageIds.includes(id));
    },
    onError: (error) => errors.push(error),
  });
  return { waiters, tree, errors, looked, setFault: (error?: Error) => (fault = error) };
}

test('a waiter is told at once when its last entry is settled, in the order it asked', async () => {
  const { waiters, looked } = aTree();
  const indexes = waiters.wait(['b', 'a', 'b'], 1000);
  waiters.settle([['a', 4]]);
  waiters.settle([['b', 7]]);
  expect(await indexes).toEqual([7, 4, 7]);
  expect(looked).toEqual([]);
});

test('what was settled before is known, for a while', async () => {
  const { waiters } = aTree();
  waiters.settle([['a', 4]]);
  expect(await waiters.wait(['a'], 10)).toEqual([4]);
  waiters.settle(Array.from({ length: 20_000 }, (_, at) => [`x${at}`, at]));
  await expect(waiters.wait(['a'], 10)).rejects.toMatchObject(unavailable);
});

test('several may wait for one entry', async () => {
  const { waiters } = aTree();
  const all = [1, 2, 3].map(() => waiters.wait(['a'], 1000));
  waiters.settle([['a', 9]]);
  expect(await Promise.all(all)).toEqual([[9], [9], [9]]);
});

describe('without a sequencer in this process', () => {
  test('a notification makes one look-up for all', async () => {
    const { waiters, tree, looked } = aTree();
    const all = ['a', 'b', 'c'].map((id) => waiters.wait([id], 1000));
    for (const [at, id] of ['a', 'b', 'c'].entries()) tree.set(id, at);
    await waiters.check();
    expect(await Promise.all(all)).toEqual([[0], [1], [2]]);
    expect(looked).toEqual([['a', 'b', 'c']]);
  });

  test('one that comes while looking is not lost', async () => {
    const { waiters, tree, looked } = aTree();
    const index = waiters.wait(['a'], 1000);
    const first = waiters.check();
    tree.set('a', 5);
    const second = waiters.check();
    await Promise.all([first, second]);
    expect(await index).toEqual([5]);
    expect(looked.length).toBeLessThanOrEqual(2);
  });

  test('a lost notification only delays', async () => {
    const { waiters, tree } = aTree();
    const index = waiters.wait(['a'], 2000);
    tree.set('a', 3);
    expect(await index).toEqual([3]);
  });

  test('a look-up that fails is reported and tried again', async () => {
    const { waiters, tree, errors, setFault } = aTree();
    const index = waiters.wait(['a'], 2000);
    tree.set('a', 3);
    setFault(new Error('connection lost'));
    await waiters.check();
    setFault();
    expect(await index).toEqual([3]);
    expect(errors).toEqual([new Error('connection lost')]);
  });
});

test('in time every waiter is refused, and forgotten', async () => {
  const { waiters, looked } = aTree();
  await expect(waiters.wait(['a', 'b'], 20)).rejects.toMatchObject(unavailable);
  looked.length = 0;
  await waiters.check();
  expect(looked).toEqual([]);
});

test('who waits for nothing has it', async () => {
  expect(await aTree().waiters.wait([], 1)).toEqual([]);
});

test('who waits when the house closes is turned away at once, and nothing is looked up again', async () => {
  const { waiters, looked } = aTree();
  const early = waiters.wait(['a', 'b'], 60_000);
  waiters.close();
  await expect(early).rejects.toMatchObject(unavailable);
  await expect(waiters.wait(['a'], 60_000)).rejects.toMatchObject(unavailable);
  await waiters.check();
  expect(looked).toEqual([]);
});
