// Reading what strangers send in threads of its own: bounded in memory and time, without environment
// and without keys. Whatever the bytes make the reader do, this process lives on and serves others.
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { Json } from './canonical-json.ts';
import { AppError } from './errors.ts';

/** The reader was ended: it took too long, too much memory, or broke. */
export class ParserEnded extends Error {
  readonly reason: 'time' | 'memory' | 'broken';
  constructor(reason: ParserEnded['reason'], cause?: unknown) {
    super(`The reader was ended: ${reason}.`, { cause });
    this.name = 'ParserEnded';
    this.reason = reason;
  }
}

export interface ParserOptions<Result> {
  /** The thread's module; it calls answerParses. */
  module: URL;
  /** What the thread sends, read: nothing it says is believed by its type alone. */
  result: z.ZodType<Result>;
  /** Most memory of the thread's objects. Bytes outside of them are bounded by what is handed in. */
  megabytes: number;
  /** Longest time for one input, once its thread has started. */
  seconds: number;
  /** Threads at once; further inputs wait. */
  atOnce: number;
  /** Inputs that may wait, for each of them is held in memory; more are refused. */
  mostWaiting: number;
  /** Inputs move to the thread, uncopied, and are empty here afterwards, where they own their memory. */
  isMoved?: boolean;
}

/**
 * Reads bytes in a thread, which is told `about` them besides. Rejects with the AppError the reader
 * refused with, with ParserEnded, or with 503 when too many wait. A thread that did as it should is
 * kept for the next input (starting one takes 0.7 s, several on a busy machine); any other is ended.
 */
export type Parser<Result> = (bytes: Uint8Array, about?: Json) => Promise<Result>;

const Reply = z.union([
  z.strictObject({ value: z.unknown() }),
  z.strictObject({
    refusal: z.strictObject({
      kind: z.enum(['malformed', 'invalid', 'too_large', 'unsupported_type']),
      code: z.string(),
      detail: z.string(),
    }),
  }),
]);

/** A thread loads sources: under a second alone, 12 were seen on a machine at ten times its load. */
const START_SECONDS = 60;

/** A reader for one kind of input. */
export function createParser<Result>(options: ParserOptions<Result>): Parser<Result> {
  const { result, seconds, atOnce, mostWaiting, isMoved = false } = options;
  const waiting: (() => void)[] = [];
  const resting: Worker[] = [];
  const started = new WeakSet<Worker>();
  let running = 0;

  return async function parse(bytes, about = null) {
    if (waiting.length >= mostWaiting) throw busy();
    while (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    const thread = resting.pop() ?? startThread(options, (ended) => forget(resting, ended));
    let isSound = false;
    try {
      // No input has a part in this, so a busy machine may take its time.
      if (!started.has(thread)) await heard(thread, START_SECONDS, () => {});
      started.add(thread);
      const own = isMoved && isWhole(bytes) ? bytes : bytes.slice();
      const reply = Reply.parse(await ask(thread, { bytes: own, about }, seconds));
      isSound = true;
      if ('value' in reply) return result.parse(reply.value);
      const { refusal } = reply;
      throw new AppError(refusal.kind, refusal.code, refusal.detail);
    } finally {
      // An endless loop ends here too: V8 stops between two instructions.
      if (isSound) resting.push(thread);
      else await thread.terminate();
      running -= 1;
      waiting.shift()?.();
    }
  };
}

function busy(): AppError {
  return new AppError(
    'unavailable',
    'platform.readers_busy',
    'Many uploads are being read now. Send yours again in a few seconds.',
    { retryAfterSeconds: 3 },
  );
}

function isWhole(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
}

function forget(resting: Worker[], ended: Worker): void {
  const at = resting.indexOf(ended);
  if (at >= 0) resting.splice(at, 1);
}

function startThread(
  { module, megabytes }: Pick<ParserOptions<unknown>, 'module' | 'megabytes'>,
  onEnd: (thread: Worker) => void,
): Worker {
  const thread = new Worker(loadable(module), {
    env: {},
    argv: [],
    execArgv: [],
    // What a reader prints may quote its input.
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: megabytes, stackSizeMb: 4 },
  });
  thread.once('exit', () => onEnd(thread));
  // Who asked is told of it; a thread at rest may die unheard.
  thread.on('error', () => {});
  return thread;
}

/** Sources in TypeScript need tsx in their thread too, where its --import does nothing (tsx 4.23). */
function loadable(module: URL): URL {
  if (!module.pathname.endsWith('.ts')) return module;
  const tsx = import.meta.resolve('tsx/esm/api');
  const text = `import { register } from ${JSON.stringify(tsx)}; register(); await import(${JSON.stringify(module.href)});`;
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}

/** What the thread answers to an input, whose bytes move there. */
function ask(
  thread: Worker,
  input: { bytes: Uint8Array<ArrayBuffer>; about: Json },
  seconds: number,
): Promise<unknown> {
  return heard(thread, seconds, () => thread.postMessage(input, [input.bytes.buffer]));
}

/** What the thread says next, after `act`; nothing comes from one that dies or takes too long. */
function heard(thread: Worker, seconds: number, act: () => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    // At rest a thread holds no process open.
    thread.ref();
    const settled = (end: () => void) => {
      clearTimeout(timer);
      thread.off('message', onMessage).off('error', onError).off('exit', onExit);
      thread.unref();
      end();
    };
    const onMessage = (reply: unknown) => settled(() => resolve(reply));
    const onTime = () => settled(() => reject(new ParserEnded('time')));
    const onExit = () => settled(() => reject(new ParserEnded('broken')));
    const onError = (error: unknown) => {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      const reason = code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'broken';
      settled(() => reject(new ParserEnded(reason, error)));
    };
    const timer = setTimeout(onTime, seconds * 1000);
    thread.on('message', onMessage).on('error', onError).on('exit', onExit);
    act();
  });
}
