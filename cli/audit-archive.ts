// `audit archive`: old entries leave the database as files that prove themselves.
import { createArchiver, parseVkey, verifyArchive } from '../audit/index.ts';
import { connectDatabase, loadConfig } from '../platform/index.ts';
import { type Command, type ExitCode, readArgs, UsageError } from './command.ts';
import { attachHouse, ownerOf, ownerUrlOf } from './house.ts';
import { readVkey } from './vkey-argument.ts';

export const auditArchiveCommand: Command = {
  name: 'audit archive',
  summary: 'Move old entries of the log into files that prove themselves',
  help: `audit archive --before DATE
audit archive list
audit archive verify FILE --vkey K

With --before (an RFC 3339 time or a day, YYYY-MM-DD): every range of the log whose entries are all
older is written to a file in LOG_ARCHIVE_DIR, the file is checked by itself, and the range leaves the
database; its hashes stay, so that all proofs hold. The words sealed beside its entries go with it.
Refused while LOG_RETENTION_DAYS runs. May be cut off and started again at any time.
"verify" needs the log's key K (from /log/vkey, or a file of it) and no instance.
Exit code: 0 when done, 1 when a file does not hold.`,
  async run(args) {
    const { values, positionals } = readArgs(args, {
      before: { type: 'string' },
      vkey: { type: 'string' },
    });
    const [word, file] = positionals;
    if (word === 'verify' && file && values.vkey) return verifyFile(file, values.vkey);
    if (word === 'list' && positionals.length === 1) return list();
    if (word === undefined && values.before !== undefined) return archive(timeOf(values.before));
    throw new UsageError('Say --before DATE, or list, or verify FILE --vkey K.');
  },
};

function timeOf(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new UsageError(`${text} is no time.`);
  return time;
}

async function archive(before: Date): Promise<ExitCode> {
  const config = loadConfig();
  const house = await attachHouse(config, (line) => console.error(line));
  const { database, audit, identity, ids } = house.services;
  const owner = connectDatabase({
    url: await ownerUrlOf(config),
    max: 2,
    applicationName: 'yihao-archive',
    statementTimeoutSeconds: 0,
  });
  try {
    const archiver = createArchiver({
      owner,
      verifier: parseVkey(audit.vkey),
      folder: config.logArchiveDir,
      retentionDays: config.logRetentionDays,
      record: async (range) => {
        const question = Object.entries(range).map(([name, value]) => `${name}=${value}`);
        await database.transaction((tx) =>
          identity.recordAccess(tx, ownerOf(ids), {
            type: 'audit.archived',
            outcome: 'ok',
            question: question.join(' '),
          }),
        );
      },
    });
    const done = await archiver.archive(before, (at, of) =>
      process.stderr.write(`\rwritten ${at} of ${of}`),
    );
    process.stderr.write('\n');
    for (const { first, after, file } of done) {
      console.log(`entries ${first} to ${after - 1}: ${file}`);
    }
    console.log(`${done.length} ranges archived in ${config.logArchiveDir}`);
    return 0;
  } finally {
    await owner.close();
    await house.close();
  }
}

async function list(): Promise<ExitCode> {
  const house = await attachHouse(loadConfig(), (line) => console.error(line));
  try {
    const archives = await house.services.audit.archives();
    for (const { first, after, file, sha256, checkpointSize, newestAt, droppedAt } of archives) {
      const state = droppedAt ? `dropped ${droppedAt.toISOString()}` : 'still in the database';
      console.log(
        `entries ${first} to ${after - 1}, newest ${newestAt.toISOString()}: ${file}, sha256 ${sha256.toString('hex')}, checkpoint over ${checkpointSize}, ${state}`,
      );
    }
    console.log(`${archives.length} archived ranges`);
    return 0;
  } finally {
    await house.close();
  }
}

async function verifyFile(path: string, vkey: string): Promise<ExitCode> {
  const report = await verifyArchive(path, parseVkey(await readVkey(vkey)), (done, of) =>
    process.stderr.write(`\rchecked ${done} of ${of}`),
  );
  process.stderr.write('\n');
  for (const { index, what } of report.faults) {
    console.log(`${index === undefined ? 'archive' : `entry ${index}`}: ${what}`);
  }
  console.log(
    `${report.ok ? 'The archive holds' : 'The archive does not hold'}: entries ${report.first} to ${report.after - 1}, root ${report.root}, under the checkpoint over ${report.checkpointSize} entries, sha256 ${report.sha256}`,
  );
  return report.ok ? 0 : 1;
}
