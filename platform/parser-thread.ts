// The thread's side of parser-threads.ts.
import { parentPort } from 'node:worker_threads';
import { z } from 'zod';
import { AppError } from './errors.ts';

const Input = z.object({ bytes: z.instanceof(Uint8Array), about: z.unknown() });

/** Answers each input with what `read` makes of it, or with the refusal it throws. */
export function answerParses(read: (bytes: Uint8Array, about: unknown) => unknown): void {
  if (!parentPort) throw new TypeError('This module runs in a thread of parser-threads.ts.');
  const port = parentPort;
  port.on('message', async (message: unknown) => {
    const { bytes, about } = Input.parse(message);
    port.postMessage(await answer(read, bytes, about));
  });
  port.postMessage('started');
}

async function answer(
  read: (bytes: Uint8Array, about: unknown) => unknown,
  bytes: Uint8Array,
  about: unknown,
) {
  try {
    return { value: await read(bytes, about) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { kind, code, detail } = error;
    return { refusal: { kind, code, detail } };
  }
}
