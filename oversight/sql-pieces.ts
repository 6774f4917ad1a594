// Pieces of SQL that the stores share.
import { type SQL, sql } from 'drizzle-orm';

/** A moment as the API writes it. */
export const timeText = (moment: SQL): SQL =>
  sql`to_char(${moment} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
