// One directory of real keys for all tests: making it takes seconds, finding it complete 5 ms.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fixedClock, systemClock, systemIds } from '../../platform/index.ts';
import {
  initKeys,
  type KeyOrganisation,
  type Keystore,
  openKeystore,
} from '../../signing/index.ts';

/** The PUBLIC_URL that the test certificates name. */
export const TEST_PUBLIC_URL = 'http://127.0.0.1:4100';

const PREFIX = `yihao-keys-${userInfo().uid}-`;
const DAY_MS = 86_400_000;

/** Whoever changes what makes the keys gets new ones. */
const MAKERS = ['certificate', 'der', 'init-keys', 'key-files', 'subject-units'].map(
  (name) => `../../signing/${name}.ts`,
);
const SAMPLE = '../../data/sample-world.json';

/** The sample city's departments, as `initKeys` takes them. */
export function sampleOrganisations(): KeyOrganisation[] {
  const world: { departments: { name_zh: string; uscc: string }[] } = JSON.parse(textOf(SAMPLE));
  return world.departments.map(({ name_zh, uscc }) => ({ name: name_zh, uscc }));
}

/**
 * Keys and certificates of the sample city, kept in the temporary folder from run to run. The
 * certificates are valid from 1 January 2026 for 20 years, so that tests may set their clocks.
 * Test files that ask at once make them together: `initKeys` never overwrites.
 */
export async function testKeys(): Promise<{ keysDir: string; keystore: Keystore }> {
  const hash = createHash('sha256');
  for (const path of [...MAKERS, SAMPLE]) hash.update(textOf(path));
  const keysDir = join(tmpdir(), PREFIX + hash.digest('hex').slice(0, 16));
  const made = await initKeys(keysDir, {
    organisations: sampleOrganisations(),
    publicUrl: TEST_PUBLIC_URL,
    clock: fixedClock('2026-01-01T00:00:00Z'),
    ids: systemIds,
    years: { root: 20, issuing: 20, leaf: 20 },
  });
  if (made.length > 0) removeOldVersions();
  return { keysDir, keystore: openKeystore(keysDir, 'all') };
}

function textOf(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}

function removeOldVersions(): void {
  const now = systemClock.now().getTime();
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith(PREFIX));
  for (const folder of folders.map((name) => join(tmpdir(), name))) {
    const madeAt = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? now;
    if (now - madeAt > DAY_MS) rmSync(folder, { recursive: true, force: true });
  }
}
