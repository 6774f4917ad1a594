// A house that a load run has for itself: in a temporary folder, without limits, the whole city loaded.
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { findOrStart } from '../cli/instance.ts';
import { type Config, loadConfig } from '../platform/index.ts';

export interface OwnHouse {
  config: Config;
  dataDir: string;
  baseUrl: string;
}

/** Starts a house on PORT, else on `port`; runs `act`; ends the house and removes its folder. */
export async function withOwnHouse(
  port: number,
  act: (house: OwnHouse) => Promise<void>,
): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'yihao-bench-'));
  Object.assign(process.env, {
    DATA_DIR: dataDir,
    PORT: process.env.PORT ?? String(port),
    RATE_LIMIT: '0',
    RATE_PUBLIC: '0',
    LOG_LEVEL: 'warn',
  });
  const config = loadConfig();
  const instance = await findOrStart(config, console.log);
  if (!instance.isOurs) throw new Error(`Something else listens at ${instance.baseUrl}; set PORT.`);
  try {
    await sampleLoaded(instance.baseUrl);
    await act({ config, dataDir, baseUrl: instance.baseUrl });
  } finally {
    await instance.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

const Report = z.looseObject({
  progress: z.looseObject({ sample: z.looseObject({ isComplete: z.boolean() }) }),
});

/** Waits for the sample city to be whole, so that loading it does not run beside the measurement. */
async function sampleLoaded(baseUrl: string): Promise<void> {
  for (;;) {
    const { progress } = Report.parse(await (await fetch(`${baseUrl}/readyz`)).json());
    if (progress.sample.isComplete) return;
    await wait(500);
  }
}

/** What the figures were measured on. */
export const machine = (): string =>
  `${cpus().length} cores (${cpus()[0]?.model ?? ''}), Node ${process.version}, load generator on the same machine`;
