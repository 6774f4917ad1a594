// The verifier as a program of one file: node verifier.mjs RECEIPT --vkey KEY [--policy FILE] …
// Bundled with the rest of the room into what /verifier.mjs serves; needs Node.js and nothing else.
import { isBundle, verify, verifyBundle } from './index.ts';

// Not imports: this room imports nothing from outside, so that nothing can hide behind it.
const { createReadStream, openSync, readFileSync, readSync } = process.getBuiltinModule('node:fs');
const { createInterface } = process.getBuiltinModule('node:readline');

/** A bundle may be longer than memory: it is read line by line. */
async function verifyFile(
  path: string,
  vkey: string,
  policy?: string,
  earlier?: string,
  keys?: string,
) {
  const start = new Uint8Array(64);
  readSync(openSync(path, 'r'), start);
  if (!isBundle(new TextDecoder().decode(start))) {
    return verify(readFileSync(path, 'utf8'), vkey, policy, earlier, keys);
  }
  const lines = createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  return verifyBundle(lines, vkey, policy, keys);
}

const usage = `node verifier.mjs RECEIPT --vkey KEY [--policy FILE] [--earlier OLDER] [--keys LIST]

RECEIPT  a file: the citizen's JSON receipt, a plain tlog-proof, a bundle of entries, the proof that
         her list is whole, or what the log has stated about itself
KEY      the log's key, or a file that holds it
FILE     witnesses and a quorum (C2SP tlog-policy): then they must have signed too
OLDER    an earlier proof that the list is whole: nothing in it may be missing now
LIST     the list of the log's keys (from its /log/vkeys): earlier and later keys count then, as far as
         KEY leads to them

Exit code: 0 when the receipt holds, 1 when it does not, 2 when the words are wrong.`;

const words = process.argv.slice(2);
const option = (name: string) => {
  const at = words.indexOf(name);
  return at < 0 ? undefined : words.splice(at, 2)[1];
};
const key = option('--vkey');
const policyFile = option('--policy');
const earlierFile = option('--earlier');
const keysFile = option('--keys');
const [receipt, ...rest] = words;

if (!receipt || !key || rest.length > 0) {
  process.stderr.write(`${usage}\n`);
  process.exitCode = 2;
} else {
  const vkey = /^[^\s+]+\+[0-9a-f]{8}\+/.test(key) ? key : readFileSync(key, 'utf8');
  const policy = policyFile === undefined ? undefined : readFileSync(policyFile, 'utf8');
  const earlier = earlierFile === undefined ? undefined : readFileSync(earlierFile, 'utf8');
  const keys = keysFile === undefined ? undefined : readFileSync(keysFile, 'utf8');
  const verdict = await verifyFile(receipt, vkey, policy, earlier, keys);
  process.stdout.write(`${JSON.stringify(verdict, undefined, 2)}\n`);
  process.exitCode = verdict.valid ? 0 : 1;
}
