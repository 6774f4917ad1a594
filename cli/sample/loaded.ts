// Waiting until the whole sample city is there: for runs that measure, dump or kill a full house.
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';

const Report = z.looseObject({
  progress: z.looseObject({ sample: z.looseObject({ isComplete: z.boolean() }) }),
});

/** Resolves when `/readyz` says that all residents have their licences; fails after 20 minutes. */
export async function sampleLoaded(baseUrl: string): Promise<void> {
  const signal = AbortSignal.timeout(20 * 60_000);
  for (;;) {
    const { progress } = Report.parse(await (await fetch(`${baseUrl}/readyz`, { signal })).json());
    if (progress.sample.isComplete) return;
    await wait(500, undefined, { signal });
  }
}
