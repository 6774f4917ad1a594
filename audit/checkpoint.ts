// C2SP tlog-checkpoint: the signed statement of a log's size and root.
import { auditErrors } from './errors.ts';
import {
  decodeBase64,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  signNote,
} from './signed-note.ts';

/** A tree at one size. */
export interface TreeHead {
  size: number;
  root: Buffer;
}

/** Signs the head of the log `origin`; its keys bear the origin as their name. */
export function signCheckpoint(
  origin: string,
  head: TreeHead,
  ...signers: [NoteSigner, ...NoteSigner[]]
): string {
  const text = `${origin}\n${head.size}\n${head.root.toString('base64')}\n`;
  return signNote(text, origin, ...signers);
}

/** What a checkpoint's text says, nothing verified; undefined when it is none. */
export function readCheckpoint(text: string): (TreeHead & { origin: string }) | undefined {
  const [origin, size, root] = text.split('\n');
  const hash = root === undefined ? undefined : decodeBase64(root);
  const isSize = size !== undefined && /^(0|[1-9]\d*)$/.test(size);
  const isHead = isSize && Number.isSafeInteger(Number(size)) && hash?.length === 32;
  return origin && isHead ? { origin, size: Number(size), root: hash } : undefined;
}

/** The head in a checkpoint of the log with this key, or one of these; refuses any other note. */
export function openCheckpoint(
  note: string,
  verifiers: NoteVerifier | readonly NoteVerifier[],
): TreeHead {
  const { text, signedBy } = openNote(note, 'name' in verifiers ? [verifiers] : verifiers);
  const head = readCheckpoint(text);
  if (head === undefined || !signedBy.includes(head.origin)) {
    throw auditErrors.note_invalid('This note is not a checkpoint of this log.');
  }
  return { size: head.size, root: head.root };
}
