// Refusals of the queue: to start in a world that can't work, and to try a hopeless job again.
import { errorCatalogue } from './errors.ts';

export const queueErrors = errorCatalogue('platform', { queue_unfit: 'unavailable' });

/** Thrown by a job's handler when trying again can't help; the job fails at once. */
export class PermanentFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PermanentFailure';
  }
}
