// OpenSSL as an independent reader of what we sign.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of files for a program that reads files; remove it when done. */
export function scratch() {
  const dir = mkdtempSync(join(tmpdir(), 'yihao-foreign-'));
  return {
    dir,
    file(name: string, content: string | Uint8Array): string {
      const path = join(dir, name);
      writeFileSync(path, content);
      return path;
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Runs a program; what it printed, and whether it ended well. */
export function run(program: string, args: string[], input?: Uint8Array) {
  try {
    const output = execFileSync(program, args, { input, stdio: ['pipe', 'pipe', 'pipe'] });
    return { isOk: true, bytes: output, text: output.toString('utf8') };
  } catch (error) {
    const parts = error as { stdout?: Buffer; stderr?: Buffer; code?: string }; // of execFileSync
    if (parts.code === 'ENOENT') throw error;
    const text = Buffer.concat([parts.stdout ?? Buffer.alloc(0), parts.stderr ?? Buffer.alloc(0)]);
    return { isOk: false, bytes: text, text: text.toString('utf8') };
  }
}

export const pemOf = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;
