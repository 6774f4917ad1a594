// What strangers send is read in threads: bounded, without environment, and nobody else notices.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createParser, ParserEnded } from '../../../platform/index.ts';

const module = new URL('./hostile-reader.ts', import.meta.url);
const parser = (
  changes: { seconds?: number; atOnce?: number; mostWaiting?: number; isMoved?: boolean } = {},
) =>
  createParser({
    module,
    result: z.array(z.string()),
    megabytes: 64,
    seconds: 20,
    atOnce: 2,
    mostWaiting: 10,
    ...changes,
  });
const input = (order: string) => Buffer.from(order);
const endOf = (parse: ReturnType<typeof parser>, order: string) =>
  parse(input(order)).then(
    () => 'read',
    (error: unknown) => (error instanceof ParserEnded ? error.reason : error),
  );

/** How often the event loop comes round while something else happens. */
async function turnsDuring(act: Promise<unknown>): Promise<number> {
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 10);
  await act;
  clearInterval(timer);
  return turns;
}

test('reads, and gives back what the reader made of it', async () => {
  expect(await parser()(input('一号'))).toEqual(['一号']);
});

test('an endless loop is ended, and others are served meanwhile', async () => {
  const parse = parser({ seconds: 4 });
  const loop = endOf(parse, 'loop');
  const [turns, other] = await Promise.all([turnsDuring(loop), parse(input('other'))]);
  expect([await loop, other]).toEqual(['time', ['other']]);
  expect(turns).toBeGreaterThan(50);
});

test('a memory bomb is ended, and the process lives on', async () => {
  const parse = parser();
  const before = process.memoryUsage().rss;
  expect(await endOf(parse, 'bomb')).toBe('memory');
  expect(process.memoryUsage().rss - before).toBeLessThan(500 * 1024 * 1024);
  expect(await parse(input('after'))).toEqual(['after']);
});

test('a reader that overflows its stack or exits ends alone', async () => {
  const parse = parser();
  for (const order of ['deep', 'exit']) expect(await endOf(parse, order)).toBe('broken');
  expect(await parse(input('after'))).toEqual(['after']);
});

test('the reader has no environment', async () => {
  process.env.YIHAO_TEST_SECRET = 'secret';
  try {
    expect(await parser()(input('environment'))).not.toContain('YIHAO_TEST_SECRET');
  } finally {
    delete process.env.YIHAO_TEST_SECRET;
  }
});

test('its refusals come through, and what it says is not believed unread', async () => {
  await expect(parser()(input('refuse'))).rejects.toMatchObject({
    kind: 'invalid',
    code: 'registry.input_invalid',
    detail: 'Not like this.',
  });
  await expect(parser()(input('lie'))).rejects.toBeInstanceOf(z.ZodError);
});

test('no more threads run at once than allowed, and every input has its turn', async () => {
  const parse = parser({ atOnce: 1 });
  const words = ['a', 'b', 'c'];
  expect(await Promise.all(words.map((word) => parse(input(word))))).toEqual([['a'], ['b'], ['c']]);
  // One that is ended makes room for the next.
  const [ended, read] = await Promise.all([
    endOf(parser({ atOnce: 1, seconds: 3 }), 'loop'),
    parse(input('d')),
  ]);
  expect([ended, read]).toEqual(['time', ['d']]);
});

test('the caller keeps its bytes', async () => {
  const bytes = input('kept');
  await parser()(bytes);
  expect(bytes.toString()).toBe('kept');
  // Unless it gives them away, which costs no copy.
  const own = new Uint8Array(input('moved'));
  expect(await parser({ isMoved: true })(own)).toEqual(['moved']);
  expect(own).toHaveLength(0);
});

test('what waits is held in memory, so only so much of it may', async () => {
  const parse = parser({ atOnce: 1, mostWaiting: 1 });
  const [read, waited, refused] = await Promise.allSettled(
    ['first', 'second', 'third'].map((word) => parse(input(word))),
  );
  expect([read?.status, waited?.status]).toEqual(['fulfilled', 'fulfilled']);
  expect(refused).toMatchObject({ reason: { kind: 'unavailable', code: 'platform.readers_busy' } });
  expect(await parse(input('later'))).toEqual(['later']);
});

test('the reader is told about the bytes what they do not say themselves', async () => {
  expect(await parser()(input('about'), { type: 'text/csv' })).toEqual(['{"type":"text/csv"}']);
});
