// Finding entries: by tag, case, department, actor, service, time; newest first, always by an index.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EntryQuery } from '../../../audit/index.ts';
import { fixedClock, systemScope } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { aDraft, aLog, write } from './a-log.ts';

const { database, logDatabase, ownerSql } = withDatabase();
const clock = fixedClock('2026-03-04T05:00:00Z');
const audit = aLog({ database, logDatabase, clock });
const anna = Buffer.alloc(32, 1);
const bela = Buffer.alloc(32, 2);
const aCase = Buffer.alloc(32, 3);
const minute = 60_000;

beforeAll(async () => {
  await audit.startSequencer();
  const drafts = [
    aDraft({ tags: { subject: anna, case: aCase } }),
    aDraft({ tags: { subject: bela, case: aCase }, department: 'civil', service: undefined }),
    aDraft({ tags: { subject: anna }, actor: 'pseudonym-2', outcome: 'refused', code: 'x.y' }),
    aDraft({ tags: { subject: anna }, discloseAt: new Date('2026-03-05T00:00:00Z') }),
    aDraft({ tags: {}, type: 'audit.searched', department: null, sealed: undefined }),
  ];
  for (const draft of drafts) {
    await write(audit, database, [draft]);
    clock.advance(minute);
  }
});
afterAll(() => audit.stop());

const indexes = async (query: Partial<EntryQuery>) =>
  (await audit.as(systemScope).findEntries({ limit: 100, ...query })).map(({ index }) => index);

describe('each condition', () => {
  const at = (index: number) =>
    new Date(new Date('2026-03-04T05:00:00Z').getTime() + index * minute);
  const cases: [string, Partial<EntryQuery>, number[]][] = [
    ['none', {}, [4, 3, 2, 1, 0]],
    ['subject', { subjectTag: anna }, [3, 2, 0]],
    ['case', { caseTag: aCase }, [1, 0]],
    ['subject and case', { subjectTag: bela, caseTag: aCase }, [1]],
    ['department', { department: 'housing' }, [3, 2, 0]],
    ['service', { service: 'VS-MARITAL' }, [4, 3, 2, 0]],
    ['actor', { actor: 'pseudonym-2' }, [2]],
    ['type', { type: 'audit.searched' }, [4]],
    ['outcome', { outcome: 'refused', subjectTag: anna }, [2]],
    ['from', { from: at(2) }, [4, 3, 2]],
    ['to', { to: at(2) }, [2, 1, 0]],
    ['from and to, department', { from: at(1), to: at(2), department: 'housing' }, [2]],
    ['disclosed', { subjectTag: anna, onlyDisclosedBefore: at(4) }, [2, 0]],
    ['disclosed when due', { subjectTag: anna, onlyDisclosedBefore: at(5000) }, [3, 2, 0]],
    ['nobody', { subjectTag: Buffer.alloc(32, 9) }, []],
  ];
  for (const [name, query, expected] of cases) {
    test(name, async () => expect(await indexes(query)).toEqual(expected));
  }
});

test('pages follow each other without gap or overlap, also among entries of one moment', async () => {
  const many = await write(
    audit,
    database,
    Array.from({ length: 25 }, () => aDraft({ department: 'fund' })),
  );
  const seen: number[] = [];
  for (let before: number | undefined; ; ) {
    const page = await indexes({ department: 'fund', limit: 7, beforeIndex: before });
    seen.push(...page);
    before = page.at(-1);
    if (page.length < 7) break;
  }
  expect(seen).toEqual(many.reverse());
});

test('an erased entry is in the tree, but not found, and has nothing left to open', async () => {
  const tag = Buffer.alloc(32, 7);
  const [index = -1] = await write(audit, database, [aDraft({ tags: { subject: tag } })]);
  await ownerSql`delete from audit.lookups where idx = ${index}`;
  expect(await indexes({ subjectTag: tag })).toEqual([]);
  expect(await audit.as(systemScope).getEntry(index)).toMatchObject({
    sealed: null,
    subjectTag: null,
    caseTag: null,
    discloseAt: null,
  });
  expect(await audit.verify()).toMatchObject({ ok: true });
  // A page may still begin after it.
  expect((await indexes({ beforeIndex: index, limit: 1 })).length).toBe(1);
});

test('an entry bundle holds each leaf behind its length', async () => {
  const bundle = await audit.entryBundle(0, 3);
  const leaves = await Promise.all(
    [0, 1, 2].map(async (at) => (await audit.as(systemScope).getEntry(at)).leaf),
  );
  const expected = leaves.flatMap((leaf) => [
    Buffer.of(Math.floor(leaf.length / 256), leaf.length % 256),
    leaf,
  ]);
  expect(bundle).toEqual(Buffer.concat(expected));
  expect(await audit.entryBundle(0, 256)).toBeNull();
  expect(await audit.entryBundle(0, 0)).toBeNull();
  expect(await audit.entryBundle(9, 1)).toBeNull();
});

describe('every look-up walks an index of each partition', () => {
  const conditions = [
    `subject_tag = '\\x${'01'.repeat(32)}'`,
    `case_tag = '\\x${'01'.repeat(32)}'`,
    `department = 'housing' and at >= '2026-01-01' and at <= '2026-02-01'`,
    `actor = 'pseudonym-2'`,
    `service = 'VS-MARITAL'`,
    `at >= '2026-01-01' and at <= '2026-02-01'`,
    `department = 'housing' and (at, idx) < ('2026-02-01', 77)`,
  ];
  for (const condition of conditions) {
    test(condition, async () => {
      const plan = await ownerSql.begin(async (sql) => {
        // The tables are too small here for the planner to care.
        await sql`set local enable_seqscan = off`;
        await sql`set local enable_sort = off`;
        return sql.unsafe(
          `explain select idx from audit.lookups where ${condition} order by at desc, idx desc limit 50`,
        );
      });
      const text = plan.map((row) => row['QUERY PLAN']).join('\n');
      expect(text).toMatch(/Index (Only )?Scan Backward using lookups_0_\w*at_idx/);
      expect(text).not.toMatch(/Seq Scan|Sort {2}/);
      expect(text).toMatch(/Index Cond/);
    });
  }
});
