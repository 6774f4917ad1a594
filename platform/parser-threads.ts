// Reading what strangers send in threads of its own: bounded in memory and time, without environment
// and without keys. Whatever the bytes make the reader do, this process lives on and serves others.
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
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
  /** Longest time for one input, the thread's start included. */
  seconds: number;
  /** Threads at once; further inputs wait. */
  atOnce: number;
}

/**
 * Reads bytes in a thread that lives for them alone. Rejects with the AppError the reader refused with,
 * or with ParserEnded.
 */
export type Parser<Result> = (bytes: Uint8Array) => Promise<Result>;

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

/** A reader for one kind of input. */
export function createParser<Result>(options: ParserOptions<Result>): Parser<Result> {
  const { result, seconds, atOnce } = options;
  const waiting: (() => void)[] = [];
  let running = 0;

  return async function parse(bytes) {
    while (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    const thread = startThread(options);
    try {
      const reply = Reply.parse(await ask(thread, bytes, seconds));
      if ('value' in reply) return result.parse(reply.value);
      const { kind, code, detail } = reply.refusal;
      throw new AppError(kind, code, detail);
    } finally {
      running -= 1;
      waiting.shift()?.();
      // An endless loop ends here too: V8 stops between two instructions.
      await thread.terminate();
    }
  };
}

function startThread({ module, megabytes }: Pick<ParserOptions<unknown>, 'module' | 'megabytes'>) {
  return new Worker(loadable(module), {
    env: {},
    argv: [],
    execArgv: [],
    // What a reader prints may quote its input.
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: megabytes, stackSizeMb: 4 },
  });
}

/** Sources in TypeScript need tsx in their thread too, where its --import does nothing (tsx 4.23). */
function loadable(module: URL): URL {
  if (!module.pathname.endsWith('.ts')) return module;
  const tsx = import.meta.resolve('tsx/esm/api');
  const text = `import { register } from ${JSON.stringify(tsx)}; register(); await import(${JSON.stringify(module.href)});`;
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}

/** What the thread answers first; none comes from one that dies or takes too long. */
function ask(thread: Worker, bytes: Uint8Array, seconds: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new ParserEnded('time')), seconds * 1000);
    const settled = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    thread.once('message', (reply: unknown) => settled(() => resolve(reply)));
    thread.once('error', (error: unknown) => {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      const reason = code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'broken';
      settled(() => reject(new ParserEnded(reason, error)));
    });
    thread.once('exit', () => settled(() => reject(new ParserEnded('broken'))));
    const own = bytes.slice();
    thread.postMessage(own, [own.buffer]);
  });
}
