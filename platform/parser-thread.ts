// The thread's side of parser-threads.ts.
import { parentPort } from 'node:worker_threads';
import { AppError } from './errors.ts';

/** Answers each input with what `read` makes of it, or with the refusal it throws. */
export function answerParses(read: (bytes: Uint8Array) => unknown): void {
  if (!parentPort) throw new TypeError('This module runs in a thread of parser-threads.ts.');
  const port = parentPort;
  port.on('message', (bytes: unknown) => {
    if (!(bytes instanceof Uint8Array)) throw new TypeError('An input comes in bytes.');
    port.postMessage(answer(read, bytes));
  });
}

function answer(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array) {
  try {
    return { value: read(bytes) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { kind, code, detail } = error;
    return { refusal: { kind, code, detail } };
  }
}
