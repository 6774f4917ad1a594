// SQL over identity.session_posts: for which organisation an officer sits there in a session.
import { sql } from 'drizzle-orm';
import { selectRows, type Tx } from '../platform/index.ts';

/** An organisation an officer may act for. */
export interface Post {
  id: string;
  nameZh: string;
  nameEn: string;
  parentId: string | null;
}

// Downward and by index; a level each, so at most four steps.
const within = (officerId: string) => sql`
  with recursive within as (
    select organisation_id as id, 1 as steps from identity.officers where id = ${officerId}
    union all
    select o.id, w.steps + 1 from within w
      join identity.organisations o on o.parent_id = w.id
    where w.steps < 4 and exists (select from identity.role_grants g
      where g.officer_id = ${officerId} and g.reach = 'below'))`;

export function listPosts(tx: Tx, officerId: string): Promise<Post[]> {
  return selectRows<Post>(
    tx,
    sql`${within(officerId)}
      select o.id, o.name_zh as "nameZh", o.name_en as "nameEn",
        o.parent_id as "parentId"
      from within w join identity.organisations o on o.id = w.id order by w.steps, o.id limit 500`,
  );
}

/** Seats a session in one of the officer's organisations; false when it is none of them. */
export async function putPost(
  tx: Tx,
  post: { officerId: string; sessionId: string; organisationId: string },
): Promise<boolean> {
  const { officerId, sessionId, organisationId } = post;
  const rows = await selectRows(
    tx,
    sql`${within(officerId)}
      insert into identity.session_posts (session_id, organisation_id)
      select s.id, w.id from within w, identity.sessions s
      where w.id = ${organisationId} and s.id = ${sessionId} and s.officer_id = ${officerId}
      on conflict (session_id) do update set organisation_id = excluded.organisation_id
      returning session_id`,
  );
  return rows.length > 0;
}
