// SQL over applications for licences that need four eyes.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';
import { isoTime } from './store-pieces.ts';

export interface ApplicationRow {
  id: string;
  typeId: string;
  organisationId: string;
  holderId: string;
  requester: string;
  inputSealed: Buffer;
  state: 'awaiting_approval' | 'approved' | 'refused';
}

export async function insertApplication(
  tx: Tx,
  application: Omit<ApplicationRow, 'state'>,
  at: Date,
): Promise<void> {
  const { id, typeId, organisationId, holderId, requester, inputSealed } = application;
  await tx.execute(
    sql`insert into registry.applications (id, type_id, organisation_id, holder_id, requester,
        requested_at, input_sealed, state)
      values (${id}, ${typeId}, ${organisationId}, ${holderId}, ${requester},
        ${at.toISOString()}::timestamptz, ${inputSealed}, 'awaiting_approval')`,
  );
}

/** The application, locked until the transaction ends. */
export async function lockApplication(tx: Tx, id: string): Promise<ApplicationRow | undefined> {
  const [row] = await selectRows<ApplicationRow>(
    tx,
    sql`select id, type_id as "typeId", organisation_id as "organisationId",
        holder_id as "holderId", requester, input_sealed as "inputSealed", state
      from registry.applications where id = ${id} for update`,
  );
  return row;
}

/** Ends an application. The constraint applications_four_eyes holds whatever the caller checked. */
export async function decideApplication(
  tx: Tx,
  decision: {
    id: string;
    state: 'approved' | 'refused';
    approver: string;
    number: string | null;
  },
  at: Date,
): Promise<void> {
  const { id, state, approver, number } = decision;
  await tx.execute(
    sql`update registry.applications set state = ${state}, approver = ${approver},
        number = ${number}, decided_at = ${at.toISOString()}::timestamptz
      where id = ${id} and state = 'awaiting_approval'`,
  );
}

export function listOpenApplications(
  tx: Tx,
  organisationId: string,
): Promise<{ id: string; type: string; requester: string; requestedAt: string }[]> {
  return selectRows(
    tx,
    sql`select id, type_id as type, requester,
        ${isoTime(sql`requested_at`)} as "requestedAt"
      from registry.applications
      where organisation_id = ${organisationId} and state = 'awaiting_approval'
      order by requested_at, id limit 500`,
  );
}
