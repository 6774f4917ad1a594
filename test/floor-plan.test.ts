// The walls of the house: imports go down only, through faces, and each library stays in its room.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawFloorPlan, rooms } from './support/floor-plan.ts';
import { modulesBelow } from './support/import-graph.ts';

const root = join(import.meta.dirname, '..');

test('no import crosses a wall', async () => {
  const plan = await drawFloorPlan(root, rooms);
  expect(plan.modules.length).toBeGreaterThan(200);
  expect(plan.violations).toEqual([]);
}, 30_000);

describe('a planted violation is found', () => {
  let house: string;
  const planted: Record<string, string> = {
    'platform/index.ts': "import '../registry/index.ts';\n",
    'registry/index.ts': "export { hidden } from './hidden.ts';\n",
    'registry/hidden.ts': "import 'hono/jsx';\nexport const hidden = 1;\n",
    'registry/one.ts': "import './two.ts';\n",
    'registry/two.ts': "export type * from './one.ts';\n",
    'web/page.tsx':
      "import type { Key } from '../signing/index.ts';\nexport const P = () => <p />;\n",
    'web/index.ts': "import '../signing/index.ts';\nimport '../registry/hidden.ts';\n",
    'signing/index.ts': 'export const key = 1;\n',
    'verifier/index.ts': "import 'node:crypto';\n",
  };

  beforeAll(async () => {
    house = await mkdtemp(join(tmpdir(), 'floor-plan-'));
    for (const [path, text] of Object.entries(planted)) {
      await mkdir(dirname(join(house, path)), { recursive: true });
      await writeFile(join(house, path), text);
    }
  });
  afterAll(() => rm(house, { recursive: true }));

  test('upward, behind a face, through a fence, out of the verifier', async () => {
    const plan = await drawFloorPlan(house, ['platform', 'registry', 'web', 'signing', 'verifier']);
    expect(plan.violations.map((v) => `${v.from}: ${v.rule}`).sort()).toEqual(
      expect.arrayContaining([
        'platform/index.ts: platform looks down only',
        'registry/hidden.ts: fence around hono',
        'registry/one.ts: no cycles',
        'verifier/index.ts: the verifier stands alone',
        'web/index.ts: only the face of registry',
        'web/index.ts: web looks down only',
        'web/page.tsx: web looks down only',
      ]),
    );
  }, 30_000);
});

describe('what has one home stays there', () => {
  const homes: { what: string; pattern: RegExp; allowed: RegExp }[] = [
    { what: 'process.env', pattern: /process\.env\b/, allowed: /^platform\/config\.ts$/ },
    {
      what: 'the process clock',
      pattern: /\bDate\.now\(|\bnew Date\(\)/,
      allowed: /^platform\/(clock|ids)\.ts$/,
    },
    {
      what: 'randomness',
      pattern: /\bMath\.random\(|\brandomUUID\(|\brandomBytes\(/,
      allowed: /^platform\/(clock|ids)\.ts$/,
    },
  ];

  for (const { what, pattern, allowed } of homes) {
    test(what, async () => {
      const paths = await modulesBelow(root, rooms);
      expect(paths.length).toBeGreaterThan(20);
      const strays: string[] = [];
      for (const path of paths) {
        if (!allowed.test(path) && pattern.test(await readFile(join(root, path), 'utf8')))
          strays.push(path);
      }
      expect(strays).toEqual([]);
    });
  }
});
