// A search never walks the log: each condition of auditors is met by an index in every partition, in the
// order of the page, so that a page costs its own length however long the log is.
import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { scopeOfLog } from '../../../audit/index.ts';
import { selectRows } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';

const { database, ownerSql } = withDatabase();
const span = 4_194_304;

const conditions: [string, string][] = [
  ['subject', `subject_tag = '\\x${'11'.repeat(32)}'`],
  ['case', `case_tag = '\\x${'22'.repeat(32)}'`],
  ['department', `department = 'housing'`],
  ['actor', `actor = 'a-pseudonym'`],
  ['service', `service = 'VS-MARITAL'`],
  ['type', `type = 'person.erased'`],
  ['outcome', `outcome = 'failed'`],
  ['at', `at >= '2026-01-01' and at <= '2026-01-02'`],
];

test('each condition is met by an index of every partition, a page after another', async () => {
  await ownerSql`select audit.ensure_partitions(${span})`;
  for (const [name, condition] of conditions) {
    for (const page of ['true', `(at, idx) < ('2026-02-01', ${2 * span})`]) {
      const plan = await database.as(scopeOfLog).transaction(async (tx) => {
        // The tables are empty here: the planner would not care.
        await tx.execute(sql`set local enable_seqscan = off`);
        await tx.execute(sql`set local enable_sort = off`);
        await tx.execute(sql`set local enable_bitmapscan = off`);
        const rows = await selectRows<{ 'QUERY PLAN': string }>(
          tx,
          sql.raw(`explain select idx from audit.lookups where ${condition} and ${page}
            order by at desc, idx desc limit 51`),
        );
        return rows.map((row) => row['QUERY PLAN']).join('\n');
      });
      expect(plan, name).not.toMatch(/Seq Scan|Sort {2}/);
      const scans = plan.match(/Scan Backward using lookups_\d+_\w+/g) ?? [];
      expect(new Set(scans.map((scan) => /lookups_\d+/.exec(scan)?.[0])).size, name).toBe(3);
      // Not the time alone, with the condition as a filter over all there is; the outcome is the index.
      const column = { subject: 'subject_tag', case: 'case_tag' }[name] ?? name;
      const isMet =
        name === 'outcome'
          ? scans.every((scan) => scan.includes('outcome'))
          : new RegExp(`Index Cond: .*\\b${column}\\b`).test(plan);
      expect([name, isMet]).toEqual([name, true]);
    }
  }
});
