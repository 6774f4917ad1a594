// `audit new-epoch`: the way on when the newest backup is older than what was signed. States the loss for ever.
import { createInterface } from 'node:readline/promises';
import type { Loss } from '../audit/index.ts';
import { containsCitizenId } from '../identity/index.ts';
import { type Command, readArgs, UsageError } from './command.ts';
import { withHouse } from './house.ts';

export const auditNewEpochCommand: Command = {
  name: 'audit new-epoch',
  summary: 'State what a restore has lost, and let the log go on under another name',
  help: `audit new-epoch --reason TEXT --operator USERNAME --operator USERNAME [--confirm NAME]

For a house that does not start because its database is older than what the log has signed, and no
newer copy exists. Stop every process first. Shows what is lost, as far as the head file and the
witnesses of LOG_POLICY know, and the name the log would have from then on; what is done is done once
that name is typed, or given as --confirm. It can't be undone: the statement is the first entry of the
new epoch, is published at /log/epochs/N and shown on the pages, and every monitor reports it.

TEXT is public: name nobody in it. The operators are two accounts with that role; the statement holds
their pseudonyms. Witnesses watch the new name only when they are told to: give them the key that is
printed. Receipts of the old epoch keep verifying with its key, and the kept part of its tree stays
at /log/epochs/N/checkpoint and /log/epochs/N/tile/.

Nothing is lost: refused. Killed on the way: nothing has happened, or all of it; run it again to see.
Exit code: 0 when stated, 1 when refused or not confirmed.`,
  async run(args) {
    const { values } = readArgs(args, {
      reason: { type: 'string' },
      operator: { type: 'string', multiple: true },
      confirm: { type: 'string' },
    });
    const { reason } = values;
    if (!reason) throw new UsageError('Say why: --reason "…", without naming anybody.');
    if (reason.length > 1000 || containsCitizenId(reason)) {
      throw new UsageError('The reason has at most 1,000 characters and names nobody.');
    }
    const [first, second, ...more] = values.operator ?? [];
    if (first === undefined || second === undefined || more.length > 0) {
      throw new UsageError('Say --operator USERNAME twice, for two people.');
    }
    return withHouse(async ({ services: { audit, identity } }) => {
      const operators = await identity.pseudonymsOfOperators([first, second]);
      const epochs = audit.newEpoch();
      const loss = await epochs.examine();
      for (const line of describe(loss)) console.log(line);
      const confirm = values.confirm ?? (await ask(`Type ${loss.origin} to state this for ever: `));
      if (confirm !== loss.origin) {
        console.log('Not confirmed: nothing was changed.');
        return 1;
      }
      const statement = await epochs.begin({ reason, operators, confirm });
      console.log(`Stated: the log is ${loss.origin} from now on. Start the house.`);
      console.log(`Its key, for witnesses, monitors and gazettes: ${statement.after}`);
      return 0;
    });
  },
};

function describe({ lastKnown, restored, lost, witnesses, origin }: Loss): string[] {
  return [
    `Signed: a tree of ${lastKnown.size} entries (${lastKnown.where} has it), root ${lastKnown.root}`,
    `Left:   a tree of ${restored.size} entries, root ${restored.root}`,
    lost
      ? `Lost:   entries ${lost.from} to ${lost.to}, and any that were written after the last checkpoint that is known`
      : 'Lost:   the two trees differ, and it can not be told where',
    ...witnesses.map(({ name, size }) =>
      size === null
        ? `The witness ${name} did not answer or has signed nothing: it may know of a larger tree.`
        : `The witness ${name} has signed ${size} entries.`,
    ),
    `The log would be called ${origin} from now on.`,
  ];
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  process.stderr.write(question);
  for await (const line of lines) {
    lines.close();
    return line.trim();
  }
  return '';
}
