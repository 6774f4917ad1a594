// What a log signs about itself: that another key follows, that a key is retired, that a new epoch has begun
// because the database was put back. A signed note of one line of canonical JSON, signed by the key before
// and the key after, so that whoever trusts either can trust the other.
import { hash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson, encodeBase64url } from '../platform/index.ts';
import { auditErrors } from './errors.ts';
import {
  decodeBase64,
  formatSignatureLine,
  isOf,
  isSignature,
  type NoteSigner,
  type NoteVerifier,
  noteKeyId,
  parseVkey,
  splitNote,
} from './signed-note.ts';

const header = 'yihao log statement v1';
const size = z.number().int().nonnegative();
const Root = z.string().refine((text) => decodeBase64(text)?.length === 32);
const Head = z.strictObject({ size, root: Root });

const common = {
  /** From 1, without gaps. */
  number: z.number().int().positive(),
  /** base64url(SHA-256(text of the statement before)); null for the first. */
  previous: z.string().nullable(),
  at: z.iso.datetime({ precision: 3 }),
  /** Verifier keys; both sign. */
  before: z.string(),
  after: z.string(),
};

export const Statement = z.discriminatedUnion('kind', [
  /** `after` signs beside `before` from here on. */
  z.strictObject({ kind: z.literal('key'), ...common }),
  /** `before` signs no tree of more than `size` entries; `after` goes on. */
  z.strictObject({ kind: z.literal('retirement'), ...common, size }),
  /** The database was put back: `after` is the log's name from here on, over the entries that are left. */
  z.strictObject({
    kind: z.literal('epoch'),
    ...common,
    epoch: z.number().int().min(2),
    /** The largest tree that is known to have been signed, verbatim, and who had it. */
    lastKnown: z.strictObject({ ...Head.shape, note: z.string(), where: z.string() }),
    /** What is left, and what the new epoch goes on from. */
    restored: Head,
    /** Indexes that are certainly lost; null when the two trees differ and it can't be told where. */
    lost: z.strictObject({ from: size, to: size }).nullable(),
    /** Witnesses that were asked, with the size each had signed; null for none or no answer. */
    witnesses: z.array(z.strictObject({ name: z.string(), size: size.nullable() })),
    reason: z.string(),
    /** Pseudonyms of the two who took it upon themselves. */
    operators: z.array(z.string()).length(2),
  }),
]);
export type Statement = z.infer<typeof Statement>;
export type EpochStatement = Extract<Statement, { kind: 'epoch' }>;

/** A key's private half with its public name. */
export interface NamedSigner {
  vkey: string;
  signer: NoteSigner;
}

/** Signs a statement with the keys it names, before and after. */
export function signStatement(statement: Statement, by: readonly NamedSigner[]): string {
  const text = `${header}\n${canonicalJson(Statement.parse(statement))}\n`;
  const lines = [statement.before, statement.after].map((vkey) => {
    const named = by.find((one) => one.vkey === vkey);
    if (!named) throw new TypeError('A statement is signed by both keys it names.');
    const { name } = parseVkey(vkey);
    const keyId = noteKeyId(name, named.signer.publicKey);
    return formatSignatureLine({ name, keyId, signature: named.signer.sign(Buffer.from(text)) });
  });
  return `${text}\n${lines.join('')}`;
}

/** Reads a statement that both its keys have signed; refuses any other note. */
export function openStatement(note: string): Statement {
  const { text, lines } = splitNote(note);
  const [first, json = '', end, ...more] = text.split('\n');
  const parsed = Statement.safeParse(readJson(json));
  if (first !== header || end !== '' || more.length > 0 || !parsed.success) {
    throw auditErrors.note_invalid('This note is not a statement of a log.');
  }
  const isSigned = (key: NoteVerifier): boolean =>
    lines.some(
      (line) => isOf(line, key) && isSignature(Buffer.from(text), line.signature, key.publicKey),
    );
  if (![parsed.data.before, parsed.data.after].every((vkey) => isSigned(parseVkey(vkey)))) {
    throw auditErrors.note_invalid('This statement is not signed by both keys it names.');
  }
  return parsed.data;
}

/** base64url(SHA-256(the statement's text)): what its leaf and the next statement hold. */
export function statementDigest(note: string): string {
  return encodeBase64url(hash('sha256', splitNote(note).text, 'buffer'));
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
