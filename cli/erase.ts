// `erase`: what an operator does about erasures and legal holds, as an officer with an account, over
// the running house. A person is named on standard input, never in a command's words.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { z } from 'zod';
import { isCitizenId, isUscc, type PersonIdentifier } from '../identity/index.ts';
import { type Config, type Json, loadConfig } from '../platform/index.ts';
import { type Command, type ExitCode, readArgs, UsageError } from './command.ts';
import { baseUrlOf } from './instance.ts';
import { signIn } from './person-client.ts';

const options = {
  as: { type: 'string' },
  'password-file': { type: 'string' },
  reason: { type: 'string' },
} as const;

const asHelp = `--as OFFICER      the operator's username; her password is read from --password-file F, or
                  where the sample city is loaded from DATA_DIR/officers.json
The house is reached at HOST and PORT; PUBLIC_URL is set as it is for the house.
`;

const OfficerFile = z.array(z.object({ username: z.string(), password: z.string() }));

async function passwordOf(config: Config, username: string, file: string | undefined) {
  if (file !== undefined) return (await readFile(file, 'utf8')).trim();
  const path = join(config.dataDir, 'officers.json');
  const officers = OfficerFile.parse(
    JSON.parse(
      await readFile(path, 'utf8').catch((cause) => {
        throw new UsageError('Say where the password is: --password-file F.', { cause });
      }),
    ),
  );
  const found = officers.find((officer) => officer.username === username);
  if (!found) throw new UsageError(`${username} is not in ${path}.`);
  return found.password;
}

async function operator({ as, 'password-file': file }: { as?: string; 'password-file'?: string }) {
  if (!as) throw new UsageError('Say who acts: --as OFFICER.');
  const config = loadConfig();
  const password = await passwordOf(config, as, file);
  return signIn(baseUrlOf(config), { username: as, password }, config.publicUrl);
}

/** The person named on standard input: a citizen ID or a credit code, alone on its line. */
export async function readSubject(): Promise<PersonIdentifier> {
  const lines = createInterface({ input: process.stdin });
  if (process.stdin.isTTY) process.stderr.write('Citizen ID or credit code: ');
  for await (const line of lines) {
    const value = line.trim();
    if (value === '') continue;
    lines.close();
    if (isCitizenId(value)) return { scheme: 'cn-id', value };
    if (isUscc(value)) return { scheme: 'uscc', value };
    break;
  }
  throw new UsageError('Give a valid citizen ID or credit code on standard input.');
}

function show({ status, json }: { status: number; json: Json }): ExitCode {
  console.log(JSON.stringify(json, null, 2));
  return status < 300 ? 0 : 1;
}

const reasonOf = ({ reason }: { reason?: string }): string => {
  if (!reason) throw new UsageError('Say why: --reason "…", without naming anybody.');
  return reason;
};

const idOf = (id: string | undefined): string => {
  if (!id || !/^[0-9a-f-]{36}$/.test(id)) throw new UsageError('Give the ID of the list.');
  return id;
};

export const eraseRequestCommand: Command = {
  name: 'erase request',
  summary: "Ask for the erasure of a person's data",
  help: `erase request --as OFFICER --reason TEXT

Reads the citizen ID or credit code from standard input. Another operator must approve. Refused
while a licence is valid or a legal hold stands.

${asHelp}
Exit code: 0 when asked for, 1 when refused; the reply is printed as JSON.`,
  async run(args) {
    const { values } = readArgs(args, options);
    const reason = reasonOf(values);
    const session = await operator(values);
    return show(await session.post('/v1/erasures', { subject: await readSubject(), reason }));
  },
};

export const eraseApproveCommand: Command = {
  name: 'erase approve',
  summary: 'Approve an erasure that another operator asked for',
  help: `erase approve ID --as OFFICER

Reads the same citizen ID or credit code from standard input: two people have then read it. From
this moment nothing of the person can be read; the house removes the rest by itself within a minute.

${asHelp}
Exit code: 0 when destroyed, 1 when refused; the reply is printed as JSON.`,
  async run(args) {
    const { values, positionals } = readArgs(args, options);
    const id = idOf(positionals[0]);
    const session = await operator(values);
    return show(await session.post(`/v1/erasures/${id}/approve`, { subject: await readSubject() }));
  },
};

export const eraseRefuseCommand: Command = {
  name: 'erase refuse',
  summary: 'Refuse an erasure that another operator asked for',
  help: `erase refuse ID --as OFFICER --reason TEXT

${asHelp}
Exit code: 0 when refused as told, 1 when that could not be; the reply is printed as JSON.`,
  async run(args) {
    const { values, positionals } = readArgs(args, options);
    const id = idOf(positionals[0]);
    const session = await operator(values);
    return show(await session.post(`/v1/erasures/${id}/refuse`, { reason: reasonOf(values) }));
  },
};

export const eraseListCommand: Command = {
  name: 'erase list',
  summary: 'List erasures and legal holds, latest first',
  help: `erase list --as OFFICER

Whom they are about is told to nobody.

${asHelp}
Exit code: 0.`,
  async run(args) {
    const { values } = readArgs(args, options);
    const session = await operator(values);
    const [erasures, holds] = await Promise.all([
      session.get('/v1/erasures'),
      session.get('/v1/legal-holds'),
    ]);
    return Math.max(show(erasures), show(holds));
  },
};

const holdActs = ['place', 'confirm', 'ask_lift', 'lift'] as const;

export const eraseHoldCommand: Command = {
  name: 'erase hold',
  summary: "Keep a person's data from erasure, or lift that",
  help: `erase hold place --as OFFICER --reason TEXT
erase hold confirm|ask_lift|lift ID --as OFFICER --reason TEXT

place reads the citizen ID or credit code from standard input and works at once; another operator
confirms. One operator asks to lift, another lifts.

${asHelp}
Exit code: 0 when done, 1 when refused; the reply is printed as JSON.`,
  async run(args) {
    const { values, positionals } = readArgs(args, options);
    const act = holdActs.find((one) => one === positionals[0]);
    if (!act) throw new UsageError(`Say what: ${holdActs.join(', ')}.`);
    const reason = reasonOf(values);
    if (act === 'place') {
      const session = await operator(values);
      return show(await session.post('/v1/legal-holds', { subject: await readSubject(), reason }));
    }
    const id = idOf(positionals[1]);
    const session = await operator(values);
    return show(await session.post(`/v1/legal-holds/${id}/${act}`, { reason }));
  },
};
