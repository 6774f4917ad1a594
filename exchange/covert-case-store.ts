// SQL over the cases in which a department delays disclosure.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { milliseconds } from './sql-pieces.ts';

export interface CovertCaseRow {
  id: string;
  requester: string;
  caseTag: Buffer;
  openedAt: number;
  closedAt: number | null;
  /** The latest date at which one of its looks is told without a closing. */
  discloseBy: number | null;
  looks: number;
}

/** Makes the case known and holds it in share until the transaction ends; false when it was closed. */
export async function holdOpenCase(
  tx: Tx,
  made: { id: string; requester: string; caseTag: Buffer },
): Promise<boolean> {
  const { id, requester, caseTag } = made;
  await tx.execute(sql`
    insert into exchange.covert_cases (id, requester_id, case_tag, opened_at)
    values (${id}, ${requester}, ${caseTag}, platform.now())
    on conflict (requester_id, case_tag) do nothing`);
  const [row] = await selectRows<{ isOpen: boolean }>(
    tx,
    sql`select closed_at is null as "isOpen" from exchange.covert_cases
      where requester_id = ${requester} and case_tag = ${caseTag} for share`,
  );
  return row?.isOpen ?? false;
}

/** Closes it; false when somebody had, undefined when there is none. */
export async function markClosed(
  tx: Tx,
  { requester, caseTag, by }: { requester: string; caseTag: Buffer; by: string },
): Promise<boolean | undefined> {
  const [row] = await selectRows<{ isOpen: boolean }>(
    tx,
    sql`select closed_at is null as "isOpen" from exchange.covert_cases
      where requester_id = ${requester} and case_tag = ${caseTag} for update`,
  );
  if (!row?.isOpen) return row?.isOpen;
  await tx.execute(sql`
    update exchange.covert_cases
    set closed_at = date_trunc('milliseconds', platform.now()), closed_by = ${by}
    where requester_id = ${requester} and case_tag = ${caseTag}`);
  return true;
}

/** The delayed questions of a case, with those they are about. */
export function listDelayed(
  tx: Tx,
  { requester, caseTag }: { requester: string; caseTag: Buffer },
): Promise<{ id: string; subjectId: string; isErased: boolean }[]> {
  return selectRows(
    tx,
    sql`select v.id, v.subject_id as "subjectId", v.request_sealed = '' as "isErased"
      from exchange.verifications v
      where v.requester_id = ${requester} and v.case_tag = ${caseTag}
        and v.disclose_at is not null and v.emergency_id is null
      order by v.id`,
  );
}

/** A department's cases, newest first; open ones alone when asked for. */
export function listCases(
  tx: Tx,
  requester: string,
  { beforeId, limit }: { beforeId?: string | undefined; limit: number },
): Promise<CovertCaseRow[]> {
  const before = beforeId === undefined ? sql`` : sql`and c.id < ${beforeId}`;
  return selectRows<CovertCaseRow>(
    tx,
    sql`select c.id, c.requester_id as requester, c.case_tag as "caseTag",
        ${milliseconds(sql`c.opened_at`)} as "openedAt", ${milliseconds(sql`c.closed_at`)} as "closedAt",
        ${milliseconds(sql`v.latest`)} as "discloseBy", v.looks
      from exchange.covert_cases c,
      lateral (select max(disclose_at) as latest, count(*)::int as looks
        from exchange.verifications v
        where v.requester_id = c.requester_id and v.case_tag = c.case_tag
          and v.disclose_at is not null and v.emergency_id is null) v
      where c.requester_id = ${requester} ${before}
      order by c.id desc limit ${limit}`,
  );
}

/** Closed cases of which entries may still be on their way; `isOld`: none can be staged any more. */
export function listUnsettled(
  tx: Tx,
  settleMinutes: number,
  limit: number,
): Promise<{ requester: string; caseTag: Buffer; isOld: boolean }[]> {
  return selectRows(
    tx,
    sql`select requester_id as requester, case_tag as "caseTag",
        closed_at < platform.now() - make_interval(mins => ${settleMinutes}) as "isOld"
      from exchange.covert_cases
      where closed_at is not null and settled_at is null
      order by closed_at limit ${limit}`,
  );
}

export async function markSettled(
  tx: Tx,
  { requester, caseTag }: { requester: string; caseTag: Buffer },
): Promise<void> {
  await tx.execute(sql`
    update exchange.covert_cases set settled_at = platform.now()
    where requester_id = ${requester} and case_tag = ${caseTag} and settled_at is null`);
}
