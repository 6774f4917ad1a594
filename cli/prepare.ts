// `migrate` and `keys init`: what an operator runs once before the first start on real servers.
import {
  createLogger,
  loadConfig,
  migrate,
  migrateQueue,
  startEmbeddedPostgres,
} from '../platform/index.ts';
import { type Command, readArgs } from './command.ts';
import { makeKeys } from './house.ts';
import { readWorld } from './sample/world.ts';

export const migrateCommand: Command = {
  name: 'migrate',
  summary: 'Bring the database up to date',
  help: `migrate

Applies what is missing, as the owner named in DATABASE_URL (or to the embedded database), makes the
two roles the house runs as, and the queue's tables. Safe to run again, and beside a running house.`,
  async run(args) {
    readArgs(args, {});
    const config = loadConfig();
    const say = (line: string): void => console.log(line);
    const server =
      config.databaseUrl === undefined
        ? await startEmbeddedPostgres({ dataDir: config.dataDir, onProgress: say })
        : undefined;
    try {
      await migrate({
        ownerUrl: server?.url ?? config.databaseUrl ?? '',
        roles: { keysDir: config.keysDir },
        extra: migrateQueue,
        onProgress: say,
      });
    } finally {
      await server?.close();
    }
    console.log('The database is up to date.');
    return 0;
  },
};

export const keysInitCommand: Command = {
  name: 'keys init',
  summary: 'Make the keys and certificates that are missing',
  help: `keys init

Makes in KEYS_DIR (mode 0700) what is missing: root and issuing CA, a seal and a receipt certificate
for each department, the keys for credentials, status lists, the log, tokens, and the index and
encryption keys. What is there stays. Afterwards move root.key.pem off the machine: nothing that
runs needs it. Back KEYS_DIR up: without it the database tells nobody anything, you included.`,
  async run(args) {
    readArgs(args, {});
    const config = loadConfig();
    createLogger({ level: config.logLevel });
    const made = await makeKeys(config, readWorld());
    console.log(
      made.length === 0
        ? `Nothing was missing in ${config.keysDir}.`
        : `Made ${made.length} files in ${config.keysDir}. Move root.key.pem off this machine, and back the folder up.`,
    );
    return 0;
  },
};
