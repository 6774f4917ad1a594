// `serve`, which is also `npm start`: opens the house, says each step, serves until told to stop.
import type { AddressInfo } from 'node:net';
import { checkAddress, listen } from '../api/index.ts';
import type { WitnessState } from '../audit/index.ts';
import {
  type Config,
  createLogger,
  createShutdown,
  loadConfig,
  type Shutdown,
} from '../platform/index.ts';
import { type Command, readArgs, UsageError } from './command.ts';
import { type House, openHouse, openLog } from './house.ts';
import { loadSample } from './sample/load.ts';

const roles = ['all', 'api', 'worker', 'log'] as const;

export const serveCommand: Command = {
  name: 'serve',
  summary: 'Run the house (npm start does this)',
  help: `serve [--role all|api|worker|log]

Starts the house and stays until Ctrl-C. The role overrides ROLE: api answers HTTP, worker runs jobs,
log sequences the audit log, all does everything in one process. All settings: docs/config.md.`,
  async run(args) {
    const { values } = readArgs(args, { role: { type: 'string' } });
    const role = roles.find((candidate) => candidate === (values.role ?? loadConfig().role));
    if (!role) throw new UsageError(`The role is one of ${roles.join(', ')}.`);
    const config: Config = Object.freeze({ ...loadConfig(), role });
    return serve(config);
  },
};

/** Opens and serves; resolves never while all is well, the process ends by signal. */
async function serve(config: Config): Promise<number> {
  const begun = performance.now();
  const say = (line: string): void => {
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    process.stdout.write(`${seconds.padStart(6)} s  ${line}\n`);
  };
  if (config.role === 'all' || config.role === 'api') await checkAddress(config);
  const logger = createLogger({ level: config.logLevel });
  const shutdown = createShutdown({ logger });
  const onLost = (reason: string): void => {
    logger.fatal({ reason }, 'The embedded database ended.');
    process.exit(1);
  };
  const options = { config, logger, say, onLost };
  const opened =
    config.role === 'log' ? { log: await openLog(options) } : { house: await openHouse(options) };
  shutdown.onClose('house', () => (opened.house ?? opened.log).close());
  shutdown.listen();
  try {
    if (opened.house) await begin(config, opened.house, shutdown, say);
    else {
      await opened.log.start();
      say(`Running as ${config.role}`);
    }
  } catch (error) {
    await shutdown.close();
    throw error;
  }
  return new Promise<number>(() => {});
}

/** What makes an open house a running one: its jobs, the sample city, the door. */
async function begin(
  config: Config,
  house: House,
  shutdown: Shutdown,
  say: (line: string) => void,
): Promise<void> {
  const { services, world } = house;
  await services.start();
  // Not by the door alone: issuing a city takes a process that signs.
  const isLoader = config.sample === 'yunzhu' && config.role !== 'api';
  const sample = isLoader ? await loadSample(services, world, say) : null;
  if (config.role === 'all' || config.role === 'api') {
    const server = await listen(services);
    shutdown.onClose('http', () => server.close());
    await announce(config, house, server.address, say);
  } else say(`Running as ${config.role}`);
  if (sample === null) return;
  const stop = new AbortController();
  const loading = sample.finish(stop.signal).catch((error: unknown) => {
    services.logger.error(
      { err: error },
      'The sample city could not be loaded to its end; the next start goes on.',
    );
  });
  shutdown.onClose('sample', async () => {
    stop.abort();
    await loading;
  });
}

/** The last lines of a start: the one line scripts wait for, and what a person does next. */
async function announce(
  config: Config,
  house: House,
  address: AddressInfo,
  say: (line: string) => void,
): Promise<void> {
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  const url = `http://${host}:${address.port}`;
  say('Everything is up');
  const lines = [
    `Yihao is ready at ${url}`,
    `  Pages      ${url}/  (English: ${url}/?lang=en), API ${url}/docs`,
    ...(config.sample === 'yunzhu'
      ? [
          `  Sign in as a citizen of ${config.dataDir}/people.json or an officer of ${config.dataDir}/officers.json`,
        ]
      : []),
    `  ${witnessLine(await house.services.audit.witnessState())}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function witnessLine({ isWitnessed, witnesses, asked }: WitnessState): string {
  if (isWitnessed) return `The log is witnessed from outside, by ${witnesses.join(', ')}.`;
  if (asked === 0) return 'The log is unwitnessed: no outside witness signs its checkpoints yet.';
  return `The log is unwitnessed just now: ${witnesses.length} of ${asked} witnesses have signed, too few for the policy's quorum.`;
}
