// SQL over oversight.rules and oversight.rule_faults.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import type { VigilanceRule } from './vigilance-rule.ts';

export interface RuleRow {
  id: string;
  version: number;
  definition: VigilanceRule;
  hash: string;
  origin: 'shipped' | 'proposed';
  state: 'proposed' | 'active' | 'refused' | 'replaced';
  proposedBy: string | null;
  proposedByKey: string | null;
  proposedAt: string;
  decidedByKey: string | null;
  decidedAt: string | null;
}

const time = (column: ReturnType<typeof sql>) =>
  sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const rules = sql`
  select r.id, r.version, r.definition, r.hash, r.origin, r.state, r.proposed_by as "proposedBy",
    p.key as "proposedByKey", ${time(sql`r.proposed_at`)} as "proposedAt",
    d.key as "decidedByKey", ${time(sql`r.decided_at`)} as "decidedAt"
  from oversight.rules r left join identity.officers p on p.id = r.proposed_by
    left join identity.officers d on d.id = r.decided_by`;

/** Adds a version that comes with the house; false when the city knows the rule already. */
export async function insertShipped(tx: Tx, rule: VigilanceRule, hash: string): Promise<boolean> {
  const rows = await selectRows(
    tx,
    sql`insert into oversight.rules (id, version, definition, hash, origin, state, proposed_at)
      select ${rule.id}, ${rule.version}::int, ${JSON.stringify(rule)}::text::jsonb, ${hash},
        'shipped', 'active', platform.now()
      where not exists (select from oversight.rules where id = ${rule.id})
      on conflict do nothing returning id`,
  );
  return rows.length === 1;
}

/** The rules in force, in the order of their ids; those that were switched off are none. */
export function listActive(tx: Tx): Promise<RuleRow[]> {
  return selectRows<RuleRow>(
    tx,
    sql`${rules} where r.state = 'active' and (r.definition->>'isOn')::boolean order by r.id`,
  );
}

/** All versions, the newest of each rule first. */
export function listRules(tx: Tx): Promise<RuleRow[]> {
  return selectRows<RuleRow>(tx, sql`${rules} order by r.id, r.version desc limit 500`);
}

export async function findRule(tx: Tx, id: string, version?: number): Promise<RuleRow | undefined> {
  const which =
    version === undefined
      ? sql`r.state in ('active', 'replaced')`
      : sql`r.version = ${version}::int`;
  const [row] = await selectRows<RuleRow>(
    tx,
    sql`${rules} where r.id = ${id} and ${which} order by r.version desc limit 1`,
  );
  return row;
}

/** The rule's versions, locked until the transaction ends: one proposal or decision at a time. */
export async function lockRule(tx: Tx, id: string): Promise<RuleRow[]> {
  await tx.execute(
    sql`select pg_advisory_xact_lock(hashtextextended(${`vigilance.rule.${id}`}, 0))`,
  );
  return selectRows<RuleRow>(tx, sql`${rules} where r.id = ${id} order by r.version desc`);
}

export async function insertProposal(
  tx: Tx,
  rule: VigilanceRule,
  hash: string,
  proposedBy: string,
): Promise<void> {
  await tx.execute(
    sql`insert into oversight.rules
        (id, version, definition, hash, origin, state, proposed_by, proposed_at)
      values (${rule.id}, ${rule.version}::int, ${JSON.stringify(rule)}::text::jsonb, ${hash},
        'proposed', 'proposed', ${proposedBy}, platform.now())`,
  );
}

/** Decides a proposal; the table refuses the officer who made it. An approved one replaces the active. */
export async function decideRule(
  tx: Tx,
  {
    id,
    version,
    state,
    decidedBy,
  }: {
    id: string;
    version: number;
    state: 'active' | 'refused';
    decidedBy: string;
  },
): Promise<void> {
  if (state === 'active') {
    await tx.execute(
      sql`update oversight.rules set state = 'replaced' where id = ${id} and state = 'active'`,
    );
  }
  await tx.execute(
    sql`update oversight.rules set state = ${state}, decided_by = ${decidedBy},
        decided_at = platform.now()
      where id = ${id} and version = ${version}::int`,
  );
}

export interface FaultRow {
  ruleId: string;
  ruleVersion: number;
  fromIdx: number;
  toIdx: number;
  reason: string;
  at: string;
}

export async function insertFault(
  tx: Tx,
  fault: Omit<FaultRow, 'at'> & { id: string },
): Promise<void> {
  await tx.execute(
    sql`insert into oversight.rule_faults (id, rule_id, rule_version, from_idx, to_idx, reason, at)
      values (${fault.id}, ${fault.ruleId}, ${fault.ruleVersion}::int, ${fault.fromIdx}::bigint,
        ${fault.toIdx}::bigint, ${fault.reason}, platform.now())`,
  );
}

/** The latest looks that a rule could not judge. */
export function listFaults(tx: Tx, limit: number): Promise<FaultRow[]> {
  return selectRows<FaultRow>(
    tx,
    sql`select rule_id as "ruleId", rule_version as "ruleVersion", from_idx::float8 as "fromIdx",
        to_idx::float8 as "toIdx", reason, ${time(sql`at`)} as at
      from oversight.rule_faults order by at desc limit ${limit}`,
  );
}
