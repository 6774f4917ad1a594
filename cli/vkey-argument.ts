// How commands take a key: as text or as the path of a file.
import { readFile } from 'node:fs/promises';

/** A verifier key as such, or the path of a file that holds one. */
export async function readVkey(text: string): Promise<string> {
  return (/^[^\s+]+\+[0-9a-f]{8}\+/.test(text) ? text : await readFile(text, 'utf8')).trim();
}
