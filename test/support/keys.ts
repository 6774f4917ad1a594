// One directory of real keys for all tests of a run: making them takes seconds, reading them none.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fixedClock, systemIds } from '../../platform/index.ts';
import {
  initKeys,
  type KeyOrganisation,
  type Keystore,
  openKeystore,
} from '../../signing/index.ts';

const PREFIX = 'yihao-keys-';

/** The PUBLIC_URL that the test certificates name. */
export const TEST_PUBLIC_URL = 'http://127.0.0.1:4100';

/** The sample city's departments, as `initKeys` takes them. */
export function sampleOrganisations(): KeyOrganisation[] {
  const world: { departments: { name_zh: string; uscc: string }[] } = JSON.parse(
    readFileSync(new URL('../../data/sample-world.json', import.meta.url), 'utf8'),
  );
  return world.departments.map(({ name_zh, uscc }) => ({ name: name_zh, uscc }));
}

/**
 * Keys and certificates of the sample city, made by the first test of the run that asks. The
 * certificates are valid from 1 January 2026 for 20 years, so that tests may set their clocks.
 */
export async function testKeys(): Promise<{ keysDir: string; keystore: Keystore }> {
  // Test files run in children of one runner, whose id therefore names the run.
  const keysDir = join(tmpdir(), `${PREFIX}${process.ppid}`);
  const ready = join(keysDir, 'ready');
  if (!existsSync(ready)) {
    if (isFirst(`${keysDir}.lock`)) {
      removeKeysOfEndedRuns();
      await makeKeys(keysDir);
      writeFileSync(ready, '');
    } else {
      await eventuallyReady(ready);
    }
  }
  return { keysDir, keystore: openKeystore(keysDir) };
}

async function makeKeys(keysDir: string): Promise<void> {
  await initKeys(keysDir, {
    organisations: sampleOrganisations(),
    publicUrl: TEST_PUBLIC_URL,
    clock: fixedClock('2026-01-01T00:00:00Z'),
    ids: systemIds,
    years: { root: 20, issuing: 20, leaf: 20 },
  });
}

function isFirst(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    return false;
  }
}

async function eventuallyReady(ready: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (existsSync(ready)) return;
    await pause(100);
  }
  throw new Error(`The test that began to make ${ready} did not finish; remove the folder.`);
}

function removeKeysOfEndedRuns(): void {
  for (const entry of readdirSync(tmpdir())) {
    const run = Number(entry.match(/^yihao-keys-(\d+)(\.lock)?$/)?.[1] ?? process.ppid);
    if (!isRunning(run)) rmSync(join(tmpdir(), entry), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
