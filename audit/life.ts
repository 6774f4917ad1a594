// The life of a log, read from its statements: which names and keys it had, which are in use, and what was
// lost. Whoever trusts one of the keys can follow the whole chain.
import { z } from 'zod';
import { openCheckpoint, type TreeHead } from './checkpoint.ts';
import { auditErrors } from './errors.ts';
import { type NoteVerifier, parseVkey } from './signed-note.ts';
import {
  type EpochStatement,
  openStatement,
  type Statement,
  statementDigest,
} from './statement.ts';

export interface LogKey {
  vkey: string;
  verifier: NoteVerifier;
  /** Signs no tree of more entries than this; undefined while it is in use. */
  retiredAt?: number;
}

/** A time under one name: from the beginning, or from one restore to the next. */
export interface LogEpoch {
  number: number;
  /** Its name in checkpoints. */
  origin: string;
  /** In the order they came; the last one is the newest. */
  keys: LogKey[];
  /** What it began with; absent for the first. */
  statement?: EpochStatement;
}

export interface LogLife {
  epochs: LogEpoch[];
  /** The one that grows now. */
  current: LogEpoch;
  /** Verbatim, in their order. */
  notes: string[];
}

/** Follows the statements of a log from its first key; refuses a chain with a fault in it. */
export function readLife(firstVkey: string, notes: readonly string[]): LogLife {
  let current: LogEpoch = epochOf(1, firstVkey);
  const epochs = [current];
  let previous: string | null = null;
  for (const [at, note] of notes.entries()) {
    const statement = openStatement(note);
    if (statement.number !== at + 1 || statement.previous !== previous) {
      throw broken(at + 1, 'it does not follow the one before');
    }
    current = after(current, statement);
    if (!epochs.includes(current)) epochs.push(current);
    previous = statementDigest(note);
  }
  return { epochs, current, notes: [...notes] };
}

function after(current: LogEpoch, statement: Statement): LogEpoch {
  const before = current.keys.find(({ vkey }) => vkey === statement.before);
  const next = parseVkey(statement.after);
  if (!before || before.retiredAt !== undefined) {
    throw broken(statement.number, 'the key before is not in use');
  }
  if (statement.kind === 'key') {
    if (next.name !== current.origin || before !== newestKey(current)) {
      throw broken(statement.number, 'it is not the next key of this log');
    }
    current.keys.push({ vkey: statement.after, verifier: next });
    return current;
  }
  if (statement.kind === 'retirement') {
    if (before === newestKey(current) || statement.after !== newestKey(current).vkey) {
      throw broken(statement.number, 'no newer key goes on');
    }
    before.retiredAt = statement.size;
    return current;
  }
  if (
    before !== newestKey(current) ||
    statement.epoch !== current.number + 1 ||
    next.name !== originOfEpoch(current, statement.epoch)
  ) {
    throw broken(statement.number, 'it is not the next epoch of this log');
  }
  return { ...epochOf(statement.epoch, statement.after), statement };
}

function epochOf(number: number, vkey: string): LogEpoch {
  const verifier = parseVkey(vkey);
  return { number, origin: verifier.name, keys: [{ vkey, verifier }] };
}

function broken(number: number, why: string) {
  return auditErrors.note_invalid(`Statement ${number} of the log does not hold: ${why}.`);
}

/** The key that is told to those who ask. */
export function newestKey({ keys }: LogEpoch): LogKey {
  const newest = keys.at(-1);
  if (!newest) throw new TypeError('An epoch has a key.');
  return newest;
}

/** Keys that sign now. */
export function keysInUse({ keys }: LogEpoch): LogKey[] {
  return keys.filter(({ retiredAt }) => retiredAt === undefined);
}

/** Keys that a checkpoint of an epoch may be signed with, in use or not. */
export function verifiersOf({ keys }: LogEpoch): NoteVerifier[] {
  return keys.map(({ verifier }) => verifier);
}

/** The name of a later epoch: the first one's with the number behind it. */
export function originOfEpoch({ number, origin }: LogEpoch, next: number): string {
  return `${number === 1 ? origin : origin.replace(/\/\d+$/, '')}/${next}`;
}

/** Entries the current epoch took over: what it signs has more. -1 in the first, which may be empty. */
export function takenOver({ statement }: LogEpoch): number {
  return statement?.restored.size ?? -1;
}

/** What a later statement says of an earlier epoch: how far its tree is kept, and how far its loss is stated. */
export function endOf(
  life: LogLife,
  epoch: LogEpoch,
): { kept: number; stated: number } | undefined {
  const later = life.epochs.flatMap(({ number, statement }) =>
    statement && number > epoch.number ? [statement] : [],
  );
  if (later.length === 0) return undefined;
  return {
    kept: Math.min(...later.map(({ restored }) => restored.size)),
    stated: Math.max(
      ...later.flatMap(({ lastKnown }) =>
        originOf(lastKnown.note) === epoch.origin ? [lastKnown.size] : [],
      ),
      0,
    ),
  };
}

/** The name a checkpoint bears. */
export function originOf(note: string): string {
  return note.slice(0, note.indexOf('\n'));
}

/** The life that a published list of keys tells (GET /log/vkeys), as far as it holds together with a trusted key. */
export function followKeys(trustedVkey: string, text: string): LogLife {
  const parsed = KeyList.safeParse(readJson(text));
  if (!parsed.success) throw auditErrors.note_invalid('This is not a list of the keys of a log.');
  const { statements } = parsed.data;
  const [first] = statements;
  const life = readLife(
    first === undefined ? trustedVkey : openStatement(first).before,
    statements,
  );
  const known = life.epochs.some(({ keys }) => keys.some(({ vkey }) => vkey === trustedVkey));
  if (!known) throw auditErrors.note_invalid('This list of keys does not lead to the trusted key.');
  return life;
}

/** What is published about a log's keys; only the statements are believed. */
const KeyList = z.looseObject({ statements: z.array(z.string()) });

/** The list as it is published. */
export function keyListOf({ epochs, current, notes }: LogLife) {
  return {
    current: newestKey(current).vkey,
    epochs: epochs.map(({ number, origin, keys, statement }) => ({
      number,
      origin,
      keys: keys.map(({ vkey, retiredAt }) => ({
        vkey,
        state: retiredAt === undefined ? ('in use' as const) : ('retired' as const),
        ...(retiredAt !== undefined && { retiredAt }),
      })),
      ...(statement && { restored: statement.restored, lost: statement.lost }),
    })),
    statements: notes,
  };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A checkpoint that one of the log's keys has signed, of whichever epoch. */
export function openOfLife(note: string, { epochs }: LogLife): TreeHead & { epoch: LogEpoch } {
  const epoch = epochs.find(({ origin }) => origin === originOf(note));
  if (!epoch) throw auditErrors.note_invalid('This note is not a checkpoint of this log.');
  return { ...openOfEpoch(note, epoch), epoch };
}

/** The same of one epoch: by a key that was in use for a tree of that size. */
export function openOfEpoch(note: string, epoch: LogEpoch): TreeHead {
  const head = openCheckpoint(note, verifiersOf(epoch));
  const ofThatTime = epoch.keys.filter(({ retiredAt = head.size }) => retiredAt >= head.size);
  openCheckpoint(
    note,
    ofThatTime.map(({ verifier }) => verifier),
  );
  return head;
}
