// An archive file: a range of entries that proves itself, without the log it came from. In order: a line
// that names the form, a line of JSON (ArchiveHeader), per 256 entries their tile of hashes and their
// entry bundle (C2SP tlog-tiles) behind its length in four bytes; last SHA-256 of all that.
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { systemIds } from '../platform/index.ts';
import { openCheckpoint } from './checkpoint.ts';
import {
  createCompactRange,
  type LeafRange,
  leafHash,
  nodeHash,
  perfectSubtrees,
} from './merkle-tree.ts';
import type { NoteVerifier } from './signed-note.ts';
import { hashBytes, splitHashes, tileWidth } from './tiles.ts';

const form = 'yihao.log-archive/v1\n';
const mostHeaderBytes = 1 << 16;
const tileBytes = tileWidth * hashBytes;
// 256 entries of 65,535 bytes and their lengths.
const mostBundleBytes = tileWidth * (65_535 + 2);

const digest = z.base64().length(44);

/** Which range it is, and what joins it to a signed root. */
export const ArchiveHeader = z.strictObject({
  first: z.number().int().min(0).multipleOf(tileWidth),
  /** Index after the last one. */
  after: z.number().int().min(1).multipleOf(tileWidth),
  /** Over the leaf hashes of the range. */
  root: digest,
  /** Roots of the perfect subtrees before and behind the range, up to the checkpoint's size. */
  before: z.array(digest).max(64),
  behind: z.array(digest).max(64),
  /** The signed note, with the lines of the witnesses. */
  checkpoint: z.string(),
});
export type ArchiveHeader = z.infer<typeof ArchiveHeader>;

export interface ArchivedBundle {
  tile: Buffer;
  bundle: Buffer;
}

/** Writes a file, whole and on disk or not at all. */
export async function writeArchive(
  path: string,
  header: ArchiveHeader,
  bundles: AsyncIterable<ArchivedBundle>,
): Promise<{ sha256: Buffer; bytes: number }> {
  const part = `${path}.${systemIds.token(6)}.part`;
  const file = await open(part, 'w', 0o600);
  try {
    const sum = createHash('sha256');
    let bytes = 0;
    const put = async (piece: Buffer) => {
      sum.update(piece);
      bytes += piece.length;
      await file.writeFile(piece);
    };
    await put(Buffer.from(`${form}${JSON.stringify(header)}\n`));
    for await (const { tile, bundle } of bundles) {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bundle.length);
      await put(Buffer.concat([tile, length, bundle]));
    }
    const sha256 = sum.digest();
    await file.writeFile(sha256);
    await file.sync();
    await file.close();
    await rename(part, path);
    const folder = await open(dirname(path), 'r');
    await folder.sync().finally(() => folder.close());
    return { sha256, bytes: bytes + sha256.length };
  } catch (error) {
    await file.close().catch(() => {});
    await rm(part, { force: true });
    throw error;
  }
}

export interface ArchiveReport {
  ok: boolean;
  first: number;
  after: number;
  root: string;
  /** Entries the signed checkpoint covers that vouches for the range. */
  checkpointSize: number;
  sha256: string;
  faults: { index?: number; what: string }[];
}

const mostFaults = 1000;

/** Checks a file with nothing but the log's key: each entry, the range's root, the signed root, the sum. */
export async function verifyArchive(
  path: string,
  verifier: NoteVerifier,
  onProgress?: (checked: number, of: number) => void,
): Promise<ArchiveReport> {
  const file = await open(path, 'r');
  const faults: ArchiveReport['faults'] = [];
  const report = (what: string, index?: number) => {
    if (faults.length < mostFaults) faults.push(index === undefined ? { what } : { index, what });
  };
  let header: ArchiveHeader | undefined;
  let checkpointSize = 0;
  let sha256 = '';
  const sum = createHash('sha256');
  try {
    const take = createReader(file, sum);
    header = await readHeader(take);
    const { first, after } = header;
    const range = createCompactRange();
    for (let at = first; at < after; at += tileWidth) {
      const tile = splitHashes(await take(tileBytes));
      const length = (await take(4)).readUInt32BE();
      if (length > mostBundleBytes)
        throw new Error(`The bundle of entry ${at} has no such length.`);
      const leaves = splitBundle(await take(length));
      if (leaves.length !== tileWidth) report(`The bundle holds ${leaves.length} entries.`, at);
      for (const [place, inTile] of tile.entries()) {
        const leaf = leaves[place];
        if (leaf && !leafHash(leaf).equals(inTile)) {
          report('The leaf does not have the hash in its tile.', at + place);
        }
        range.append(inTile);
      }
      onProgress?.(at + tileWidth - first, after - first);
    }
    if (range.root().toString('base64') !== header.root) {
      report('The tiles do not give the root of the range.', first);
    }
    const head = openCheckpoint(header.checkpoint, verifier);
    checkpointSize = head.size;
    if (!rootWith(header, head.size)?.equals(head.root)) {
      report(`The range is not under the root that was signed over ${head.size} entries.`);
    }
    const made = sum.copy().digest();
    sha256 = made.toString('hex');
    if (!made.equals(await take(hashBytes))) report('The sum at the end is not that of the file.');
    if ((await file.read(Buffer.alloc(1))).bytesRead > 0) report('Something follows the end.');
  } catch (error) {
    report(error instanceof Error ? error.message : String(error));
  } finally {
    await file.close();
  }
  const { first = 0, after = 0, root = '' } = header ?? {};
  return { ok: faults.length === 0, first, after, root, checkpointSize, sha256, faults };
}

type Take = (bytes: number) => Promise<Buffer>;

/** Reads on from where it stopped; throws where the file ends too early. */
function createReader(file: FileHandle, sum: Hash): Take {
  return async (bytes) => {
    const piece = Buffer.alloc(bytes);
    let have = 0;
    while (have < bytes) {
      const { bytesRead } = await file.read(piece, have, bytes - have);
      if (bytesRead === 0) throw new Error('The file ends too early.');
      have += bytesRead;
    }
    sum.update(piece);
    return piece;
  };
}

async function readHeader(take: Take): Promise<ArchiveHeader> {
  if ((await take(form.length)).toString() !== form)
    throw new Error('This is no archive of a log.');
  const bytes: Buffer[] = [];
  for (let length = 0; length < mostHeaderBytes; length++) {
    const byte = await take(1);
    if (byte[0] === 0x0a) return ArchiveHeader.parse(JSON.parse(Buffer.concat(bytes).toString()));
    bytes.push(byte);
  }
  throw new Error('The header of the archive has no end.');
}

/** The leaves of an entry bundle; fewer when it is cut short. */
export function splitBundle(bundle: Buffer): Buffer[] {
  const leaves: Buffer[] = [];
  for (let at = 0; at + 2 <= bundle.length; ) {
    const end = at + 2 + bundle.readUInt16BE(at);
    if (end > bundle.length) break;
    leaves.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return leaves;
}

/** The root of a tree of `size` leaves from the range's root and those of the subtrees around it. */
function rootWith(
  { first, after, root, before, behind }: ArchiveHeader,
  size: number,
): Buffer | undefined {
  if (after > size) return undefined;
  const hash = (text: string) => Buffer.from(text, 'base64');
  const parts = new Map<string, Buffer>();
  const place = (ranges: LeafRange[], roots: string[]) => {
    for (const [at, { start, end }] of ranges.entries()) {
      const given = roots[at];
      if (given) parts.set(`${start}-${end}`, hash(given));
    }
  };
  place(perfectSubtrees({ start: 0, end: first }), before);
  place(perfectSubtrees({ start: after, end: size }), behind);
  parts.set(`${first}-${after}`, hash(root));
  const over = (start: number, end: number): Buffer | undefined => {
    const known = parts.get(`${start}-${end}`);
    if (known) return known;
    if (end - start < 2) return undefined;
    let half = 1;
    while (half * 2 < end - start) half *= 2;
    const left = over(start, start + half);
    const right = left && over(start + half, end);
    return left && right && nodeHash(left, right);
  };
  return over(0, size);
}
