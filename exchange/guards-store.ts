// What is counted before a question is allowed: the agreement's daily quota, and the distinct
// parameter sets by which somebody's data could be guessed (contract section 4.2).
import { sql } from 'drizzle-orm';
import type { Identity } from '../identity/index.ts';
import {
  canonicalJson,
  type Ids,
  type Json,
  type JsonObject,
  selectRows,
  type Tx,
} from '../platform/index.ts';
import { takeFromShard } from './agreement-store.ts';
import { moment } from './sql-pieces.ts';

// Small quotas are one row, exact to the last question. From here on 16 rows share the day's quota,
// so that 64 callers don't wait for each other's commit.
const SHARDED_FROM = 10_000;
const SHARDS = 16;

/** Distinct parameter sets one case may ask about one person and service in the window. */
export const MAX_PARAMETER_SETS = 2;
export const PROBING_DAYS = 30;

/** The shards of a day's quota; their limits add up to exactly the quota. */
export function shardLimits(perDay: number): number[] {
  const shards = perDay < SHARDED_FROM ? 1 : SHARDS;
  return Array.from(
    { length: shards },
    (_, at) => Math.floor(perDay / shards) + (at < perDay % shards ? 1 : 0),
  );
}

/**
 * Counts one use of the agreement on this day of the city; false when the quota is used up. The
 * count vanishes with the caller's transaction.
 */
export async function takeQuota(
  tx: Tx,
  ids: Ids,
  agreement: { id: string; quotaPerDay: number },
  day: string,
): Promise<boolean> {
  const limits = shardLimits(agreement.quotaPerDay);
  const first = ids.int(limits.length);
  for (let step = 0; step < limits.length; step += 1) {
    const shard = (first + step) % limits.length;
    const use = { agreementId: agreement.id, day, shard, limit: limits[shard] ?? 0 };
    if (await takeFromShard(tx, use)) return true;
  }
  return false;
}

/** What makes two questions the same attempt: whom, which service, for which case. */
export interface ProbeScope {
  subjectId: string;
  service: string;
  caseId: string;
  requester: string;
}

/**
 * Remembers this parameter set; true when it is one too many in the window. Two questions of one
 * scope that arrive together wait for each other.
 */
export async function isProbing(
  tx: Tx,
  identity: Pick<Identity, 'caseTag'>,
  scope: ProbeScope,
  params: JsonObject,
  now: Date,
): Promise<boolean> {
  const scopeText: Json = [scope.requester, scope.subjectId, scope.service, scope.caseId];
  // The same keyed digest as for cases: without the key the few possible parameters can't be tried.
  const scopeTag = identity.caseTag(`probe|${canonicalJson(scopeText)}`);
  const setTag = identity.caseTag(`probe|${canonicalJson([scopeText, params])}`).toString('hex');
  const mine = JSON.stringify({ [setTag]: now.getTime() });
  const [row] = await selectRows<{ sets: number }>(
    tx,
    sql`insert into exchange.probes as p (scope_tag, param_sets, changed_at)
      values (${scopeTag}, ${mine}::text::jsonb, ${moment(now)})
      on conflict (scope_tag) do update set changed_at = excluded.changed_at,
        param_sets = excluded.param_sets || (
          select coalesce(jsonb_object_agg(known.key, known.value), '{}')
          from jsonb_each(p.param_sets) as known
          where known.value::float8 >= ${windowStart(now).getTime()}::float8)
      returning (select count(*)::int from jsonb_object_keys(p.param_sets)) as sets`,
  );
  return (row?.sets ?? 0) > MAX_PARAMETER_SETS;
}

/** Forgets parameter sets that no longer count. */
export async function deleteOldProbes(tx: Tx, now: Date): Promise<void> {
  await tx.execute(sql`
    delete from exchange.probes where changed_at < ${moment(windowStart(now))}`);
}

function windowStart(now: Date): Date {
  return new Date(now.getTime() - PROBING_DAYS * 86_400_000);
}
