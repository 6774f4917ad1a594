// `audit verify` and `audit check`: is the log whole, and does a receipt hold?
import { readFile } from 'node:fs/promises';
import { loadConfig } from '../platform/index.ts';
import { verify } from '../verifier/index.ts';
import { type Command, readArgs, UsageError } from './command.ts';
import { attachHouse } from './house.ts';
import { readVkey } from './vkey-argument.ts';

export const auditVerifyCommand: Command = {
  name: 'audit verify',
  summary: 'Recompute the log from its entries and name each bad index',
  help: `audit verify [--from N] [--to N]

Works on a running or a stopped instance. Recomputes leaf hashes, tree and root from the stored
entries and compares them with tiles, head and signed checkpoint.
Exit code: 0 when whole, 1 when anything is wrong.`,
  async run(args) {
    const { values } = readArgs(args, { from: { type: 'string' }, to: { type: 'string' } });
    const range = { from: indexOf(values.from), to: indexOf(values.to) };
    const house = await attachHouse(loadConfig(), (line) => console.error(line));
    try {
      const report = await house.services.audit.verify({
        ...(range.from === undefined ? {} : { from: range.from }),
        ...(range.to === undefined ? {} : { to: range.to }),
        onProgress: (checked, of) => process.stderr.write(`\rchecked ${checked} of ${of}`),
      });
      process.stderr.write('\n');
      for (const fault of report.faults) {
        console.log(`${fault.index === undefined ? 'log' : `entry ${fault.index}`}: ${fault.what}`);
      }
      console.log(
        `${report.ok ? 'The log is whole' : 'The log is damaged'}: ${report.checked} entries checked, size ${report.size}, root ${report.root}`,
      );
      return report.ok ? 0 : 1;
    } finally {
      await house.close();
    }
  },
};

function indexOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`${text} is not an index.`);
  return Number(text);
}

export const auditCheckCommand: Command = {
  name: 'audit check',
  summary: 'Check a receipt offline',
  help: `audit check PROOF --vkey K [--policy FILE] [--keys LIST]

PROOF is a file: the citizen's JSON receipt, a plain tlog-proof, a bundle of entries (an auditors'
export, a citizen's own), or what the log stated about itself (/log/epochs/N). K is the log's key (from
/log/vkey) or a file that holds it. FILE names witnesses and a quorum (C2SP tlog-policy): with it the
receipt holds only if they have signed too. LIST is a file of the log's keys (/log/vkeys): with it its
earlier and later keys count as well, as far as K leads to them. Needs no instance and no network.
Exit code: 0 when the receipt holds, 1 when it does not.`,
  async run(args) {
    const { values, positionals } = readArgs(args, {
      vkey: { type: 'string' },
      policy: { type: 'string' },
      keys: { type: 'string' },
    });
    const [path] = positionals;
    if (!path || !values.vkey) throw new UsageError('Say which PROOF file, and --vkey K.');
    const policy = values.policy === undefined ? undefined : await readFile(values.policy, 'utf8');
    const keys = values.keys === undefined ? undefined : await readFile(values.keys, 'utf8');
    const vkey = await readVkey(values.vkey);
    const result = await verify(await readFile(path, 'utf8'), vkey, policy, undefined, keys);
    for (const reason of result.reasons) console.log(`does not hold: ${reason}`);
    for (const { name, at } of result.facts.witnesses ?? [])
      console.log(`witnessed by ${name} at ${at}`);
    const { statement, isStatedLost } = result.facts;
    if (result.valid && statement) {
      console.log(JSON.stringify(statement, undefined, 2));
      console.log('The log has stated this.');
      return 0;
    }
    if (isStatedLost) {
      console.log('The log has stated since that its database lost this entry in a restore.');
    }
    if (result.valid && policy === undefined) {
      console.log('No --policy was given: whether it is witnessed was not checked.');
    }
    const { bundle } = result.facts;
    if (bundle)
      console.log(`${bundle.entries} entries checked, sealed by entry ${bundle.sealedBy}.`);
    const what = bundle ? 'bundle' : 'receipt';
    console.log(result.valid ? `The ${what} holds.` : `The ${what} does not hold.`);
    return result.valid ? 0 : 1;
  },
};
