// Deadlines: seconds for a machine's answer, working days (Monday to Friday in the city) for a desk's.
import { addDays, cityDay, endOfCityDay } from '../platform/index.ts';

/** What a service promises. */
export interface Sla {
  kind: 'seconds' | 'working_days';
  value: number;
}

// A promise in seconds is kept by running machines; a request outlives a restart of database or
// queue (up to a minute, docs/runbook.md) before it expires unanswered.
const GRACE_SECONDS = 60;

/** How long the citizen has to agree before the request expires. */
export const CONSENT_DAYS = 7;

/**
 * The instant after which a question asked at `now` expires. Working days count from the day after
 * `now`; the deadline is the end of the last of them.
 */
export function deadlineOf(sla: Sla, now: Date, cityTz: string): Date {
  if (sla.kind === 'seconds') {
    return new Date(now.getTime() + (sla.value + GRACE_SECONDS) * 1000);
  }
  let day = cityDay(now, cityTz);
  for (let left = sla.value; left > 0; ) {
    day = addDays(day, 1);
    if (isWorkingDay(day)) left -= 1;
  }
  return endOfCityDay(day, cityTz);
}

/** The instant after which a consent nobody gave expires, and the request with it. */
export function consentDeadline(now: Date, cityTz: string): Date {
  return endOfCityDay(addDays(cityDay(now, cityTz), CONSENT_DAYS), cityTz);
}

function isWorkingDay(day: string): boolean {
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
  return weekday !== 0 && weekday !== 6;
}
