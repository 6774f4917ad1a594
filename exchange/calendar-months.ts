// Months between days, as insurance and tax count them. Days are YYYY-MM-DD or YYYY-MM text.

/** Calendar months touched from `from` to `to`, both included: 2024-01 to 2024-03 is 3; 0 when reversed. */
export function monthsTouched(from: string, to: string): number {
  return Math.max(0, monthNumber(to) - monthNumber(from) + 1);
}

/** The same day `months` later (earlier when negative), or that month's last day when it is shorter. */
export function addMonths(day: string, months: number): string {
  const month = monthNumber(day) + months;
  const year = Math.floor(month / 12);
  const lastDay = new Date(Date.UTC(year, (month % 12) + 1, 0)).getUTCDate();
  const date = Math.min(Number(day.slice(8, 10)), lastDay);
  return `${pad(year, 4)}-${pad((month % 12) + 1, 2)}-${pad(date, 2)}`;
}

function monthNumber(day: string): number {
  return Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
