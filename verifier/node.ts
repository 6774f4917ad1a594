// The verifier as a program of one file: node verifier.mjs RECEIPT --vkey KEY [--policy FILE].
// Bundled with index.ts into what /verifier.mjs serves; needs Node.js and nothing else.
import { verify } from './index.ts';

// Not an import: nothing in this room has one, so that nothing can hide behind it.
const { readFileSync } = process.getBuiltinModule('node:fs');

const usage = `node verifier.mjs RECEIPT --vkey KEY [--policy FILE]

RECEIPT  a file: the citizen's JSON receipt, or a plain tlog-proof
KEY      the log's key, or a file that holds it
FILE     witnesses and a quorum (C2SP tlog-policy): then they must have signed too

Exit code: 0 when the receipt holds, 1 when it does not, 2 when the words are wrong.`;

const words = process.argv.slice(2);
const option = (name: string) => {
  const at = words.indexOf(name);
  return at < 0 ? undefined : words.splice(at, 2)[1];
};
const key = option('--vkey');
const policyFile = option('--policy');
const [receipt, ...rest] = words;

if (!receipt || !key || rest.length > 0) {
  process.stderr.write(`${usage}\n`);
  process.exitCode = 2;
} else {
  const vkey = /^[^\s+]+\+[0-9a-f]{8}\+/.test(key) ? key : readFileSync(key, 'utf8');
  const policy = policyFile === undefined ? undefined : readFileSync(policyFile, 'utf8');
  const verdict = await verify(readFileSync(receipt, 'utf8'), vkey, policy);
  process.stdout.write(`${JSON.stringify(verdict, undefined, 2)}\n`);
  process.exitCode = verdict.valid ? 0 : 1;
}
