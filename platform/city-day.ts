// Calendar days in the city's time zone: what "valid until 3 March" means.

const formats = new Map<string, Intl.DateTimeFormat>();

function partsIn(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** The day `instant` falls on in `timeZone`, as YYYY-MM-DD. */
export function cityDay(instant: Date, timeZone: string): string {
  const parts = partsOf(instant, timeZone);
  return `${parts.year}-${parts.month}-${parts.day}`;
}

function partsOf(instant: Date, timeZone: string): Record<string, string> {
  return Object.fromEntries(
    partsIn(timeZone)
      .formatToParts(instant)
      .map((part) => [part.type, part.value]),
  );
}

/** Milliseconds by which the zone's wall clock is ahead of UTC at `instant`. */
function offsetMilliseconds(instant: Date, timeZone: string): number {
  const p = partsOf(instant, timeZone);
  const wall = Date.parse(`${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}:${p.second}Z`);
  return wall - Math.floor(instant.getTime() / 1000) * 1000;
}

/** The first instant of `day` in `timeZone`. */
export function startOfCityDay(day: string, timeZone: string): Date {
  const utc = Date.parse(`${day}T00:00:00Z`);
  // Twice: the first guess may lie on the other side of a change of offset.
  const guess = new Date(utc - offsetMilliseconds(new Date(utc), timeZone));
  return new Date(utc - offsetMilliseconds(guess, timeZone));
}

/** The first instant after `day` in `timeZone`: a licence valid to `day` holds before it. */
export function endOfCityDay(day: string, timeZone: string): Date {
  return startOfCityDay(addDays(day, 1), timeZone);
}

/** The calendar day `days` after `day`. */
export function addDays(day: string, days: number): string {
  const time = Date.parse(`${day}T00:00:00Z`) + days * 86_400_000;
  return new Date(time).toISOString().slice(0, 10);
}
