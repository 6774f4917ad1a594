// A bound on waiting for what has none of its own.

/** The wait was given up; what was waited for may still happen. */
export class TimeoutError extends Error {
  constructor(what: string, milliseconds: number) {
    super(`Gave up waiting for ${what} after ${milliseconds} ms.`);
    this.name = 'TimeoutError';
  }
}

/** The promise's outcome, or TimeoutError after `milliseconds`; a later rejection is swallowed. */
export function within<T>(milliseconds: number, promise: Promise<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new TimeoutError(what, milliseconds)), milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
