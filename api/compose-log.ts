// What a process of the role log is made of: the log alone. It loads the log's key and the one
// that labels subjects, and can open nothing of a person.
import { join } from 'node:path';
import { createAudit } from '../audit/index.ts';
import { connectDatabase, createMetrics, systemClock, systemIds } from '../platform/index.ts';
import { openKeystore, openVrf } from '../signing/index.ts';
import type { ComposeOptions } from './compose.ts';
import { readLogPolicy } from './log-policy.ts';

export type LogServices = ReturnType<typeof composeLog>;

/** Builds the sequencer over one database and one key. Nothing runs before `start`. */
export function composeLog(options: Omit<ComposeOptions, 'citationOf'>) {
  const { config, logger, appUrl, logUrl, socketFolder } = options;
  const connect = (url: string, name: string) =>
    connectDatabase({ url, max: 3, applicationName: `yihao-log-${name}`, socketFolder });
  const database = connect(appUrl, 'app');
  const logDatabase = connect(logUrl, 'log');
  const keystore = openKeystore(config.keysDir, 'log');
  const audit = createAudit({
    database,
    logDatabase,
    clock: systemClock,
    ids: systemIds,
    logger,
    signer: keystore.logKeys.first,
    laterSigner: keystore.logKeys.find,
    origin: `${new URL(options.firstPublicUrl).host}/log`,
    headFile: join(config.dataDir, 'log-head.json'),
    policy: readLogPolicy(config.logPolicy),
    map: { key: openVrf(keystore.secret('map-labels')) },
    metrics: createMetrics({ isRuntimeIncluded: true }),
  });

  return {
    start: (): Promise<void> => audit.startSequencer(),
    async close(): Promise<void> {
      await audit.stop();
      await Promise.all([database.close(), logDatabase.close()]);
    },
  };
}
