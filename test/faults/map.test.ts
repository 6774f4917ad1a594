// kill -9 and SIGSTOP of the process that makes the map, in the middle of its work: no look is left out or
// taken in twice, every edition has its entry in the log and no entry lacks its edition.
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mapRoot } from '../../audit/map/trie.ts';
import { systemIds } from '../../platform/index.ts';
import { openVrf } from '../../signing/index.ts';
import { verifyCompleteness } from '../../verifier/index.ts';
import { aDraft, aLog, write } from '../integration/audit/a-log.ts';
import { AMap, aValue } from '../property/audit/a-map.ts';
import { withDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

const rounds = process.env.FAULT_ROUNDS ? Number(process.env.FAULT_ROUNDS) : 6;
const { database, logDatabase, ownerSql, appUrl, logUrl } = withDatabase();
const map = { key: openVrf(Buffer.alloc(32, 8)), everyMs: null };
const audit = aLog({ database, logDatabase, map });
const subjects = Array.from({ length: 40 }, () => systemIds.bytes(32));
const looks = new Map<string, number[]>();

beforeAll(() => audit.startSequencer());
afterAll(() => audit.stop());

async function mapProcess(): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('./map-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, appUrl, logUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child;
}

/** Looks at random subjects, a handful at a time, until told to stop. */
async function lookAround(isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const chosen = Array.from({ length: 20 }, () => subjects[systemIds.int(subjects.length)]);
    const tags = chosen.filter((tag) => tag !== undefined);
    const indexes = await write(
      audit,
      database,
      tags.map((subject) => aDraft({ tags: { subject } })),
    );
    tags.forEach((tag, at) => {
      const index = indexes[at];
      const name = tag.toString('hex');
      if (index !== undefined) looks.set(name, [...(looks.get(name) ?? []), index]);
    });
  }
}

/** Every list, every edition's entry, and the root made anew from the lists. */
async function checkAll(): Promise<void> {
  let edition: number | undefined;
  // Who holds the map and is silent loses it after five seconds, in the middle of a statement after sixty.
  await eventually(
    async () => {
      try {
        edition = await audit.publishMap();
        return true;
      } catch {
        return false;
      }
    },
    { timeoutMs: 100_000 },
  );
  const editions = await ownerSql<{ edition: number; root: Buffer; stage: string }[]>`
    select edition::int as edition, root, stage_id as stage from audit.map_editions order by edition`;
  expect(editions.map((each) => each.edition)).toEqual(editions.map((_, at) => at + 1));
  const indexes = await audit.sequenced(editions.map(({ stage }) => stage));
  const said = await ownerSql<{ idx: number; map: { edition: number; root: string } }[]>`
    select e.idx::int as idx, convert_from(e.leaf, 'UTF8')::json -> 'map' as map
    from audit.lookups l join audit.entries e using (idx)
    where l.type = 'map.published' order by e.idx`;
  expect(said.map(({ idx, map: { edition: n, root } }) => ({ idx, n, root }))).toEqual(
    editions.map((each, at) => ({
      idx: indexes[at],
      n: each.edition,
      root: each.root.toString('base64url'),
    })),
  );
  const rows = await ownerSql<{ tag: Buffer; label: Buffer; salt: Buffer }[]>`
    select subject_tag as tag, label, salt from audit.map_subjects`;
  const anew = new AMap();
  anew.change(
    rows.map(({ tag, label, salt }) => ({
      label,
      value: aValue(salt, looks.get(tag.toString('hex')) ?? []),
    })),
  );
  expect(mapRoot(anew.pages.get(''))).toEqual(editions.at(-1)?.root);
  for (const tag of subjects.slice(0, 5)) {
    await eventually(async () => {
      const proven = await audit.proveCompleteness(tag).catch(() => undefined);
      return proven?.statement.edition === (edition ?? editions.length);
    });
    const { proof } = await audit.proveCompleteness(tag);
    const verdict = await verifyCompleteness(proof, audit.vkey);
    expect(verdict.reasons).toEqual([]);
    expect(verdict.facts.completeness?.indexes).toEqual(looks.get(tag.toString('hex')) ?? []);
  }
}

test(`killed at random, ${rounds} rounds: each list is whole and each edition is in the log once`, async () => {
  for (let round = 0; round < rounds; round += 1) {
    const child = await mapProcess();
    let isOver = false;
    const looking = lookAround(() => isOver);
    await wait(50 + systemIds.int(400));
    child.kill('SIGKILL');
    isOver = true;
    await looking;
    await checkAll();
  }
}, 400_000);

test('paused while it holds the map: another goes on after the server’s patience, and the sleeper writes nothing', async () => {
  for (let round = 0; round < 2; round += 1) {
    const child = await mapProcess();
    let isOver = false;
    const looking = lookAround(() => isOver);
    await wait(100 + systemIds.int(200));
    child.kill('SIGSTOP');
    isOver = true;
    await looking;
    try {
      await checkAll();
      // It wakes, and may go on for a moment.
      child.kill('SIGCONT');
      await checkAll();
    } finally {
      child.kill('SIGKILL');
    }
  }
}, 400_000);
