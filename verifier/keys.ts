// Keys, and what a log states about its own: the next key, the end of an old one, a new epoch after a loss.
import { areEqual, Refusal, readBase64, sha256, toBase64, toUrl } from './bytes.ts';

export const statementHeader = 'yihao log statement v1';
export const ed25519Type = 1;
export const cosignatureType = 4;

/** Reads a verifier key of this type. */
export async function readVkey(vkey: string, type: number) {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(
    vkey.trim(),
  ) ?? [''];
  if (name && id && encoded) {
    const key = readBase64(encoded, 'The key');
    const made = (await sha256(new TextEncoder().encode(`${name}\n`), key)).slice(0, 4);
    const written = Array.from(made, (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (written === id && key.length === 33 && key[0] === type) {
      return { name, id: made, publicKey: key.slice(1) };
    }
  }
  const whose = type === ed25519Type ? 'log' : 'witness';
  throw new Refusal(`This is not the key of a ${whose} (name+id+base64, Ed25519).`);
}

export async function isSignature(
  publicKey: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
  text: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  let key: CryptoKey;
  try {
    key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']);
  } catch {
    throw new Refusal('This program can’t check Ed25519 signatures; use a newer one.');
  }
  return crypto.subtle.verify('Ed25519', key, signature, text);
}

/** The JSON object that these bytes are. */
export function readLeaf(bytes: Uint8Array): Record<string, unknown> {
  try {
    const leaf: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof leaf === 'object' && leaf !== null) return { ...leaf };
  } catch {
    // Said below.
  }
  throw new Refusal('The entry is in the tree, but its bytes are not readable.');
}

export interface TrustedKey extends Awaited<ReturnType<typeof readVkey>> {
  vkey: string;
  /** Signs no tree of more entries than this. */
  retiredAt?: number;
  /** Entries of the tree under this name that were lost since. */
  lost?: { from: number; to: number };
}

/** The trusted key, and those it leads to by statements that both keys of each have signed. */
export async function trustedKeys(vkey: string, list?: string): Promise<TrustedKey[]> {
  const known: TrustedKey[] = [];
  const add = async (key: unknown) => {
    const text = String(key).trim();
    known.push({ vkey: text, ...(await readVkey(text, ed25519Type)) });
  };
  if (list === undefined) {
    await add(vkey);
    return known;
  }
  let previous: string | null = null;
  for (const note of readKeyList(list)) {
    const { statement, digest } = await readStatement(note);
    const { kind, before, after, size, lost } = statement;
    if (known.length === 0) await add(before);
    const key = known.find((one) => one.vkey === before);
    if (!key || statement.previous !== previous) {
      throw new Refusal('The statements about the keys do not follow one another.');
    }
    if (!known.some((one) => one.vkey === after)) await add(after);
    if (kind === 'retirement' && typeof size === 'number') key.retiredAt = size;
    const { from, to } = (lost ?? {}) as { from?: unknown; to?: unknown }; // checked on the next line
    if (kind === 'epoch' && typeof from === 'number' && typeof to === 'number') {
      for (const one of known) if (one.name === key.name) one.lost = { from, to };
    }
    previous = digest;
  }
  if (known.length === 0) await add(vkey);
  if (!known.some((one) => one.vkey === vkey.trim())) {
    throw new Refusal('This list of keys does not lead to the trusted key.');
  }
  return known;
}

function readKeyList(list: string): string[] {
  try {
    const { statements }: { statements?: unknown } = JSON.parse(list);
    if (Array.isArray(statements) && statements.every((note) => typeof note === 'string')) {
      return statements;
    }
  } catch {
    // Said below.
  }
  throw new Refusal('This is not a list of the keys of a log.');
}

/** A statement that both keys it names have signed, with the digest of its text. */
export async function readStatement(note: string) {
  const split = note.lastIndexOf('\n\n');
  const text = note.slice(0, split + 1);
  const bytes = new TextEncoder().encode(text);
  const [header, json = ''] = text.split('\n');
  if (split < 0 || header !== statementHeader) throw new Refusal('This is not a statement.');
  const statement = readLeaf(new TextEncoder().encode(json));
  for (const vkey of [statement.before, statement.after]) {
    const { name, id, publicKey } = await readVkey(String(vkey), ed25519Type);
    let isSigned = false;
    for (const line of note.slice(split + 2).split('\n')) {
      const [, by, encoded] = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? [];
      if (by !== name || encoded === undefined) continue;
      const payload = readBase64(encoded, 'A signature');
      if (!areEqual(payload.slice(0, 4), id)) continue;
      isSigned ||= await isSignature(publicKey, payload.slice(4), bytes);
    }
    if (!isSigned) throw new Refusal('A statement is not signed by both keys it names.');
  }
  return { statement, digest: toUrl(toBase64(await sha256(bytes))) };
}
