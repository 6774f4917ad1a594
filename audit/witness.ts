// C2SP tlog-witness: signs a log's checkpoint if it grows out of the one signed before, and never
// anything else. It belongs to whoever runs it, with a key and a disk of its own; it knows no entry.
import { hash } from 'node:crypto';
import type { Clock } from '../platform/index.ts';
import { readCheckpoint, type TreeHead } from './checkpoint.ts';
import { cosign, openCosignatures } from './cosignature.ts';
import { emptyRoot, verifyConsistency } from './merkle-tree.ts';
import {
  formatSignatureLine,
  formatVkey,
  isOf,
  isSignature,
  keyTypes,
  type NoteSigner,
  type NoteVerifier,
  parseVkey,
  type SignatureLine,
  splitNote,
} from './signed-note.ts';
import { parseWitnessRequest } from './witness-request.ts';

/** Where a witness keeps the last note it signed of each log. */
export interface WitnessRecords {
  find(originHash: string): Promise<string | undefined>;
  /** The note is on the disk, and replaces the older one, when this resolves. */
  keep(originHash: string, note: string): Promise<void>;
}

/** An HTTP answer. */
export interface WitnessReply {
  status: 200 | 400 | 403 | 404 | 409 | 422;
  contentType: 'text/plain; charset=utf-8' | 'text/x.tlog.size';
  body: string;
}

export interface WitnessDeps {
  /** Its key's name; usually its address without the scheme. */
  name: string;
  signer: NoteSigner;
  /** The keys of the logs it watches, now. */
  logs(): readonly NoteVerifier[];
  records: WitnessRecords;
  clock: Clock;
}

/** SHA-256 of a log's origin in lower-case hex: its place under a witness's monitoring prefix. */
export function originHash(origin: string): string {
  return hash('sha256', origin, 'hex');
}

/** A witness over one key and its own records. One process at a time may hold them. */
export function createWitness({ name, signer, logs, records, clock }: WitnessDeps) {
  const own = parseVkey(formatVkey(name, signer.publicKey, keyTypes.cosigner), keyTypes.cosigner);
  let turn: Promise<unknown> = Promise.resolve();

  /** One at a time: of two requests for one log the second must see what the first recorded. */
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const next = turn.then(act, act);
    turn = next;
    return next;
  }

  async function judge(body: string): Promise<WitnessReply> {
    const request = parseWitnessRequest(body);
    const note = request && splitOrNothing(request.note);
    const head = note && readCheckpoint(note.text);
    if (!request || !note || !head) return refused(400, 'This is no add-checkpoint request.');

    // 1. Is it of a log we watch, signed by its key?
    const keys = logs().filter((log) => log.name === head.origin);
    if (keys.length === 0) return refused(404, 'This witness does not watch that log.');
    if (!isSignedBy(note.text, note.lines, keys)) {
      return refused(403, "The log's signature is missing or does not hold.");
    }

    // 2. Does it go on from what was signed before?
    if (request.oldSize > head.size) return refused(400, 'The old size is above the new one.');
    const recorded = await findRecorded(head.origin);
    if (request.oldSize !== recorded.size) {
      return { status: 409, contentType: 'text/x.tlog.size', body: `${recorded.size}\n` };
    }
    const fault = consistencyFault(recorded, head, request.proof);
    if (fault) return refused(422, fault);

    // 3. On the disk, then out. A clock that went back must not make the new note look older.
    const at = new Date(Math.max(clock.now().getTime(), recorded.at.getTime()));
    const line = cosign(note.text, name, signer, at);
    // The log's own lines alone: what others signed is not ours to vouch for.
    const lines = note.lines.filter((one) => keys.some((key) => isOf(one, key)));
    const kept = `${note.text}\n${lines.map(formatSignatureLine).join('')}${line}`;
    await records.keep(originHash(head.origin), kept);
    return { status: 200, contentType: 'text/plain; charset=utf-8', body: line };
  }

  async function findRecorded(origin: string): Promise<TreeHead & { at: Date }> {
    const note = await records.find(originHash(origin));
    if (note === undefined) return { size: 0, root: emptyRoot, at: new Date(0) };
    const { text, lines } = splitNote(note);
    const head = readCheckpoint(text);
    const [cosignature] = openCosignatures(text, lines, [own]);
    // A record that was tampered with is no ground to sign anything on.
    if (head?.origin !== origin || !cosignature) {
      throw new Error(
        `The record of ${origin} is damaged. Nothing is signed until it is restored.`,
      );
    }
    return { size: head.size, root: head.root, at: cosignature.at };
  }

  return {
    /** To be told to logs and to everyone who relies on this witness. */
    vkey: formatVkey(name, signer.publicKey, keyTypes.cosigner),

    /** POST <prefix>/add-checkpoint. Checks, keeps and signs as one step; see the standard for codes. */
    addCheckpoint: (body: string): Promise<WitnessReply> => inTurn(() => judge(body)),

    /** GET <prefix>/<origin hash>/checkpoint: the last note signed, with our cosignature. */
    async checkpoint(hashOfOrigin: string): Promise<WitnessReply> {
      const isWatched = logs().some((log) => originHash(log.name) === hashOfOrigin);
      const note = isWatched ? await records.find(hashOfOrigin) : undefined;
      return note === undefined
        ? refused(404, 'Nothing was signed for that log.')
        : { status: 200, contentType: 'text/plain; charset=utf-8', body: note };
    },
  };
}

function refused(status: WitnessReply['status'], why: string): WitnessReply {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${why}\n` };
}

function splitOrNothing(note: string): ReturnType<typeof splitNote> | undefined {
  try {
    return splitNote(note);
  } catch {
    return undefined;
  }
}

/** At least one known key has signed, and none of them wrongly. */
function isSignedBy(
  text: string,
  lines: readonly SignatureLine[],
  keys: readonly NoteVerifier[],
): boolean {
  const signatures = lines.flatMap((line) =>
    keys.filter((key) => isOf(line, key)).map((key) => ({ line, key })),
  );
  return (
    signatures.length > 0 &&
    signatures.every(({ line, key }) =>
      isSignature(Buffer.from(text), line.signature, key.publicKey),
    )
  );
}

/** Why `head` does not grow out of what was recorded; undefined when it does. */
function consistencyFault(recorded: TreeHead, head: TreeHead, proof: Buffer[]): string | undefined {
  if (head.size === 0 && !head.root.equals(emptyRoot)) return 'An empty tree has another root.';
  if (recorded.size === head.size && !recorded.root.equals(head.root)) {
    return 'Another root was signed for this size.';
  }
  if (recorded.size === 0 || recorded.size === head.size) {
    return proof.length === 0 ? undefined : 'No proof is needed here.';
  }
  const sizes = { from: recorded.size, to: head.size };
  return verifyConsistency({ ...sizes, fromRoot: recorded.root, toRoot: head.root }, proof)
    ? undefined
    : `The tree does not grow out of the one of ${recorded.size} entries signed before.`;
}
