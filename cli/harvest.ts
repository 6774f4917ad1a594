// `harvest`: loads a list of datasets from a file into the catalogue, with a report per record.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { harvestExitCode, harvestLines } from '../catalogue/index.ts';
import { loadConfig } from '../platform/index.ts';
import { type Command, readArgs, UsageError } from './command.ts';
import { attachHouse } from './house.ts';

export const harvestCommand: Command = {
  name: 'harvest',
  summary: 'Load a list of datasets into the open-data catalogue',
  help: `harvest FILE [--source NAME] [--allow-deletes]

Takes JSON and CSV lists (Chinese portals' labels are known), NDJSON and data.json, also as .gz.
A source is known by its path or by --source: a second run changes only what changed, and takes
away what is gone; more than 20 % vanishing is held back until --allow-deletes.
Prints one line per bad record (position or id, field, why), last the counts.
Exit code: 0 done or all unchanged, 1 nothing could be taken, 3 held back.`,
  async run(args) {
    const { values, positionals } = readArgs(args, {
      source: { type: 'string' },
      'allow-deletes': { type: 'boolean' },
    });
    const [path] = positionals;
    if (!path) throw new UsageError('Say which FILE to load.');
    const bytes = await readFile(path).catch((cause) => {
      throw new UsageError(`${path} cannot be read.`, { cause });
    });
    const house = await attachHouse(loadConfig(), (line) => console.error(line));
    try {
      const report = await house.services.catalogue.harvest({
        source: values.source ?? resolve(path),
        bytes,
        allowDeletes: values['allow-deletes'] ?? false,
        onProgress: ({ done, total }) => process.stderr.write(`\r${done} of ${total}`),
      });
      process.stderr.write('\n');
      for (const line of harvestLines(report)) console.log(line);
      return harvestExitCode(report);
    } finally {
      await house.close();
    }
  },
};
