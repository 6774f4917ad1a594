// A house that a load run has for itself: in a temporary folder, without limits, the whole city loaded.
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOrStart } from '../cli/instance.ts';
import { sampleLoaded } from '../cli/sample/loaded.ts';
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
    // Loading the city would run beside the measurement.
    await sampleLoaded(instance.baseUrl);
    await act({ config, dataDir, baseUrl: instance.baseUrl });
  } finally {
    await instance.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** What the figures were measured on. */
export const machine = (): string =>
  `${cpus().length} cores (${cpus()[0]?.model ?? ''}), Node ${process.version}, load generator on the same machine`;
