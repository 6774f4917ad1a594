// `token` and `call`: what a department's system does, from the command line.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Json, loadConfig } from '../platform/index.ts';
import { type Command, readArgs, UsageError } from './command.ts';
import { createMachineClient, type MachineClient, readClientFile } from './machine-client.ts';
import { refusalLines } from './refused-call.ts';

const options = { as: { type: 'string' } } as const;

async function clientNamed(name: string | undefined): Promise<MachineClient> {
  if (!name) throw new UsageError('Say who asks: --as CLIENT, for example --as housing.');
  if (!/^[a-z0-9_-]+$/i.test(name)) throw new UsageError(`${name} is not the name of a client.`);
  const config = loadConfig();
  const file = await readClientFile(join(config.dataDir, 'clients', `${name}.json`)).catch(
    (cause) => {
      throw new UsageError(`There is no client ${name} in ${config.dataDir}/clients.`, { cause });
    },
  );
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return createMachineClient(file, { baseUrl: `http://${host}:${config.port}` });
}

export const tokenCommand: Command = {
  name: 'token',
  summary: "Print an access token of a department's system",
  help: `token --as CLIENT

Gets a token with the client's key (private_key_jwt) and prints it. The token is bound to a key
that ends with this command (DPoP), so it shows what a token holds; to make a call use "call".`,
  async run(args) {
    const { values } = readArgs(args, options);
    const client = await clientNamed(values.as);
    const { value } = await client.fetchToken();
    console.log(value);
    return 0;
  },
};

async function bodyFrom(text: string | undefined): Promise<Json | undefined> {
  if (text === undefined) return undefined;
  if (!text.startsWith('@')) return text;
  return readFile(text.slice(1), 'utf8').catch((cause) => {
    throw new UsageError(`${text.slice(1)} can not be read.`, { cause });
  });
}

export const callCommand: Command = {
  name: 'call',
  summary: "Call the API as a department's system",
  help: `call --as CLIENT METHOD PATH [JSON | @FILE]

Makes one call with a token and a proof. Prints the status line to stderr and the body to stdout, of a
refusal to stderr also what it means.
A POST waits up to 10 seconds for an answer (Prefer: wait=10).
Exit code: 0 for a 2xx reply, 1 for any other, 2 for wrong words.

  npm run yihao -- call --as housing GET /v1/verification-services/VS-MARITAL`,
  async run(args) {
    const { values, positionals } = readArgs(args, options);
    const [method, path, body] = positionals;
    if (!method || !path?.startsWith('/')) throw new UsageError('Say METHOD and PATH: GET /v1/…');
    const client = await clientNamed(values.as);
    const verb = method.toUpperCase();
    const headers: Record<string, string> = verb === 'POST' ? { Prefer: 'wait=10' } : {};
    const reply = await client.call(verb, path, await bodyFrom(body), headers);
    console.error(`${reply.status} ${reply.headers.get('content-type') ?? ''}`);
    console.log(reply.json === null ? reply.text : JSON.stringify(reply.json, null, 2));
    if (reply.status < 300) return 0;
    for (const line of await refusalLines(reply)) console.error(line);
    return 1;
  },
};
