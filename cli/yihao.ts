// The operator's tool: finds the command, shows help, turns its end into an exit code.
import { AppError, ConfigError } from '../platform/index.ts';
import { auditCheckCommand, auditVerifyCommand } from './audit.ts';
import { auditArchiveCommand } from './audit-archive.ts';
import { type Command, UsageError } from './command.ts';
import {
  eraseApproveCommand,
  eraseHoldCommand,
  eraseListCommand,
  eraseRefuseCommand,
  eraseRequestCommand,
} from './erase.ts';
import { eraseScanCommand } from './erase-scan.ts';
import { harvestCommand } from './harvest.ts';
import { keysRotateCommand, keysStatusCommand } from './keys.ts';
import { CallError } from './machine-client.ts';
import { monitorCommand } from './monitor.ts';
import { auditNewEpochCommand } from './new-epoch.ts';
import {
  operatorsInitCommand,
  operatorsLinkCommand,
  operatorsResetCommand,
  operatorsRestoreCommand,
} from './operators.ts';
import { SignInRefused } from './person-client.ts';
import { keysInitCommand, migrateCommand } from './prepare.ts';
import { refusalLines } from './refused-call.ts';
import { serveCommand } from './serve.ts';
import { callCommand, tokenCommand } from './token.ts';
import { auditVigilanceCommand, sampleMisuseCommand } from './vigilance.ts';
import { witnessCommand } from './witness.ts';

const commands: Command[] = [
  serveCommand,
  migrateCommand,
  keysInitCommand,
  keysRotateCommand,
  keysStatusCommand,
  operatorsInitCommand,
  operatorsLinkCommand,
  operatorsResetCommand,
  operatorsRestoreCommand,
  tokenCommand,
  callCommand,
  harvestCommand,
  auditVerifyCommand,
  auditCheckCommand,
  auditVigilanceCommand,
  auditNewEpochCommand,
  auditArchiveCommand,
  eraseRequestCommand,
  eraseApproveCommand,
  eraseRefuseCommand,
  eraseHoldCommand,
  eraseListCommand,
  eraseScanCommand,
  witnessCommand,
  monitorCommand,
  sampleMisuseCommand,
];

function overview(): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  return [
    'npm run yihao -- COMMAND [options]',
    '',
    ...commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`),
    '',
    'COMMAND --help tells more. The instance is found by DATA_DIR, HOST and PORT; docs/config.md',
    'lists all settings.',
  ].join('\n');
}

function findCommand(words: string[]): { command: Command; rest: string[] } | undefined {
  for (const length of [2, 1]) {
    const command = commands.find(
      (candidate) => candidate.name === words.slice(0, length).join(' '),
    );
    if (command) return { command, rest: words.slice(length) };
  }
  return undefined;
}

/** Commands that begin with the given words, for help on a middle level such as `audit --help`. */
function groupHelp(word: string): string | undefined {
  const group = commands.filter((command) => command.name.startsWith(`${word} `));
  if (group.length === 0) return undefined;
  return group.map((command) => `  ${command.name}  ${command.summary}`).join('\n');
}

async function main(words: string[]): Promise<number> {
  const wantsHelp = words.some((word) => word === '--help' || word === '-h');
  const plain = words.filter((word) => word !== '--help' && word !== '-h');
  const [first] = plain;
  if (first === undefined) {
    console.log(overview());
    return wantsHelp ? 0 : 2;
  }
  const found = findCommand(plain);
  if (!found) {
    const group = groupHelp(first);
    console[wantsHelp && group ? 'log' : 'error'](
      group ?? `There is no command "${first}".\n\n${overview()}`,
    );
    return wantsHelp && group ? 0 : 2;
  }
  if (wantsHelp) {
    console.log(found.command.help);
    return 0;
  }
  try {
    return await found.command.run(found.rest);
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${found.command.help}`);
      return 2;
    }
    if (error instanceof AppError) {
      console.error(`${error.detail} (${error.code})`);
      for (const { pointer, detail } of error.fields ?? [])
        console.error(`  ${pointer}: ${detail}`);
      return 1;
    }
    if (error instanceof CallError) {
      for (const line of await refusalLines(error.reply)) console.error(line);
      return 1;
    }
    if (error instanceof ConfigError || error instanceof SignInRefused) {
      console.error(error.message);
      return 1;
    }
    if (error instanceof TypeError && error.message === 'fetch failed') {
      console.error(
        'Nothing answers at HOST and PORT: start the house with npm start, or set PORT.',
      );
      return 1;
    }
    throw error;
  }
}

process.exitCode = await main(process.argv.slice(2));
