// C2SP tlog-policy: which logs and witnesses are known, and which witnesses together are enough.
import { auditErrors } from './errors.ts';
import { keyTypes, type NoteVerifier, parseVkey } from './signed-note.ts';

export interface PolicyWitness {
  /** Its name in the policy alone; its key has a name of its own. */
  name: string;
  verifier: NoteVerifier;
  /** Its submission prefix; absent when it is only to be verified. */
  url?: string;
}

export interface WitnessPolicy {
  logs: { verifier: NoteVerifier; url?: string }[];
  witnesses: PolicyWitness[];
  /** False for `quorum none`: then nothing is ever witnessed. */
  needsWitnesses: boolean;
  /** Whether witnesses with these key names are enough together. */
  isQuorum(cosigners: ReadonlySet<string>): boolean;
}

type IsMet = (cosigners: ReadonlySet<string>) => boolean;

/** Reads a policy file; throws audit.policy_invalid with the line that is wrong. */
export function parsePolicy(text: string): WitnessPolicy {
  const policy: Pick<WitnessPolicy, 'logs' | 'witnesses'> = { logs: [], witnesses: [] };
  const names = new Map<string, IsMet>();
  const grouped = new Set<string>();
  let quorum: { name: string; isMet: IsMet } | undefined;

  const define = (name: string, isMet: IsMet) => {
    if (name === 'none' || names.has(name)) throw new Fault(`the name ${name} is taken`);
    names.set(name, isMet);
  };
  const named = (name: string): IsMet => {
    const isMet = names.get(name);
    if (!isMet) throw new Fault(`${name} is not defined above`);
    return isMet;
  };
  /** A member of one group only, so that no witness counts twice. */
  const grouping = (name: string): IsMet => {
    if (grouped.has(name)) throw new Fault(`${name} is in a group already`);
    grouped.add(name);
    return named(name);
  };
  const read = ([word, ...rest]: string[]): void => {
    const [first = '', second = '', ...others] = rest;
    if (word === 'log' && rest.length >= 1 && rest.length <= 2) {
      policy.logs.push({ verifier: readKey(first, keyTypes.log, policy.logs), ...urlOf(second) });
    } else if (word === 'witness' && rest.length >= 2 && rest.length <= 3) {
      const verifier = readKey(second, keyTypes.cosigner, policy.witnesses);
      define(first, (cosigners) => cosigners.has(verifier.name));
      policy.witnesses.push({ name: first, verifier, ...urlOf(others[0] ?? '') });
    } else if (word === 'group' && others.length >= 1) {
      define(first, groupOf(second, others.map(grouping)));
    } else if (word === 'quorum' && rest.length === 1 && quorum === undefined) {
      quorum = { name: first, isMet: first === 'none' ? () => false : named(first) };
    } else {
      throw new Fault('it is no line of a policy, or one too many');
    }
  };

  for (const [at, line] of text.split('\n').entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== '');
    if (words.length === 0 || words[0]?.startsWith('#')) continue;
    try {
      read(words);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      throw auditErrors.policy_invalid(`Line ${at + 1} of the witness policy: ${error.message}.`);
    }
  }
  if (!quorum) throw auditErrors.policy_invalid('The witness policy has no quorum line.');
  const { name, isMet } = quorum;
  return { ...policy, needsWitnesses: name !== 'none', isQuorum: isMet };
}

/** What is wrong with a line. */
class Fault extends Error {}

function readKey(
  vkey: string,
  type: (typeof keyTypes)[keyof typeof keyTypes],
  known: readonly { verifier: NoteVerifier }[],
): NoteVerifier {
  let verifier: NoteVerifier;
  try {
    verifier = parseVkey(vkey, type);
  } catch {
    throw new Fault(`${vkey} is not a key of a ${type === keyTypes.log ? 'log' : 'witness'}`);
  }
  // Two keys are the same when their public halves are, whatever they are called.
  if (known.some((one) => one.verifier.publicKey.equals(verifier.publicKey))) {
    throw new Fault('its key stands above already');
  }
  if (known.some((one) => one.verifier.name === verifier.name)) {
    throw new Fault(`the key name ${verifier.name} stands above already`);
  }
  return verifier;
}

function urlOf(text: string): { url?: string } {
  if (text === '') return {};
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw new Fault(`${text} is not an http(s) address`);
  }
  return { url: text.replace(/\/$/, '') };
}

function groupOf(k: string, parts: readonly IsMet[]): IsMet {
  const needed =
    k === 'all' ? parts.length : k === 'any' ? 1 : /^[1-9]\d*$/.test(k) ? Number(k) : 0;
  if (needed < 1 || needed > parts.length) {
    throw new Fault(`${k} is not all, any or a number from 1 to ${parts.length}`);
  }
  return (cosigners) => parts.filter((isMet) => isMet(cosigners)).length >= needed;
}
