// When the city's offices are shut: nights, weekends, and the holidays of the State Council's notice of
// each year, with the weekends that are worked for them.
import { startOfCityDay } from '../platform/index.ts';

const OPENS_HOUR = 7;
const CLOSES_HOUR = 20;
const HOUR_MS = 3_600_000;

// 2026, as announced; a year that isn't here has its weekends alone.
const HOLIDAYS: readonly [string, string][] = [
  ['2026-01-01', '2026-01-03'],
  ['2026-02-15', '2026-02-23'],
  ['2026-04-04', '2026-04-06'],
  ['2026-05-01', '2026-05-05'],
  ['2026-06-19', '2026-06-21'],
  ['2026-09-25', '2026-09-27'],
  ['2026-10-01', '2026-10-07'],
];
const WORKED = new Set([
  '2026-01-04',
  '2026-02-14',
  '2026-02-28',
  '2026-05-09',
  '2026-09-20',
  '2026-10-10',
]);

/** Hour of the city's clock, and whether offices are shut then. */
export function cityHours(
  at: Date,
  day: string,
  cityTz: string,
): { hour: number; isHoliday: boolean; isOffHours: boolean } {
  const hour = Math.floor((at.getTime() - startOfCityDay(day, cityTz).getTime()) / HOUR_MS);
  const isHoliday = isFree(day);
  return { hour, isHoliday, isOffHours: isHoliday || hour < OPENS_HOUR || hour >= CLOSES_HOUR };
}

function isFree(day: string): boolean {
  if (WORKED.has(day)) return false;
  if (HOLIDAYS.some(([first, last]) => first <= day && day <= last)) return true;
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
  return weekday === 0 || weekday === 6;
}
