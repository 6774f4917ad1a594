// `npm run bench:vigilance`: twenty days of ordinary work in the sample city, lived through in minutes, and how
// often the rules of vigilance raise an alarm over it. Every alarm here is a false one, but those about
// the watch list, which are raised by design. On a house of its own, or on the one DATA_DIR names.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { attachHouse, type House } from '../cli/house.ts';
import { PersonFile } from '../cli/person-client.ts';
import { type Seeded, seeded } from '../cli/sample/seeded.ts';
import type { AccessEntry, Actor } from '../identity/index.ts';
import { addDays, cityDay, loadConfig, startOfCityDay, systemClock } from '../platform/index.ts';
import { machine, withOwnHouse } from './own-house.ts';

const DAYS = 20;
const MINUTE_MS = 60_000;
const LOOKS_AT_ONCE = 200;
/** Departments on duty around the clock. */
const AROUND_THE_CLOCK = new Set(['police', 'health']);

interface Look {
  at: number;
  actor: Actor;
  entry: Partial<AccessEntry>;
}

if (process.env.DATA_DIR === undefined) await withOwnHouse(4179, ({ config }) => measure(config));
else await measure(loadConfig());

async function measure(config: ReturnType<typeof loadConfig>): Promise<void> {
  let past: Date | undefined;
  const clock = { now: () => past ?? systemClock.now() };
  const house = await attachHouse(config, console.log, clock);
  try {
    const { identity, audit, database, vigilance } = house.services;
    const before = await vigilance.figures();
    const people = await referencesOf(house, config.dataDir);
    const draw = seeded('ordinary work');
    const first = addDays(cityDay(systemClock.now(), config.cityTz), -DAYS);
    const officers = house.world.departments.flatMap(({ id }) =>
      ['desk-1', 'desk-2', 'issuer-1', 'issuer-2'].map((name) => officerOf(id, name)),
    );
    let looks = 0;
    for (let number = 0; number < DAYS; number += 1) {
      const day = addDays(first, number);
      const midnight = startOfCityDay(day, config.cityTz).getTime();
      const today = officers
        .flatMap((actor) => dayOf(draw, actor, people, day, midnight))
        .sort((a, b) => a.at - b.at);
      for (let at = 0; at < today.length; at += LOOKS_AT_ONCE) {
        const staged = await database.transaction(async (tx) => {
          const ids: string[] = [];
          for (const look of today.slice(at, at + LOOKS_AT_ONCE)) {
            past = new Date(look.at);
            const entry = { type: 'verification.asked', outcome: 'ok' as const, ...look.entry };
            ids.push((await identity.recordAccess(tx, look.actor, entry)).stageId);
          }
          return ids;
        });
        await audit.sequenced(staged, 60_000);
      }
      looks += today.length;
    }
    past = undefined;
    const begun = performance.now();
    await vigilance.watchLog();
    // A running house may judge the last of it.
    while ((await vigilance.figures()).looks < before.looks + looks) await wait(500);
    const seconds = (performance.now() - begun) / 1000;
    const after = await vigilance.figures();
    const rows = after.rules.map(({ rule, raised }) => {
      const alarms = raised - (before.rules.find((one) => one.rule === rule)?.raised ?? 0);
      return { rule, alarms, 'per 1,000 looks': ((alarms / looks) * 1000).toFixed(2) };
    });
    const all = rows.reduce((sum, { alarms }) => sum + alarms, 0);
    console.log(
      `\n${looks} looks of ${officers.length} officers in ${DAYS} days, none of them misuse; ${machine()}`,
    );
    console.table(rows.filter(({ alarms }) => alarms > 0));
    console.log(
      `${all} false alarms: ${((all / looks) * 1000).toFixed(2)} per 1,000 looks, ${(all / DAYS).toFixed(1)} a day; the last looks were judged ${seconds.toFixed(1)} s after the last was logged`,
    );
  } finally {
    await house.close();
  }
}

async function referencesOf({ services }: House, dataDir: string): Promise<string[]> {
  const { identity, database } = services;
  const file = PersonFile.parse(JSON.parse(await readFile(join(dataDir, 'people.json'), 'utf8')));
  const people = file.filter(({ scheme }) => scheme === 'cn-id');
  return database.transaction((tx) => identity.ensurePeople(tx, people));
}

function officerOf(department: string, name: string): Actor {
  return {
    kind: 'officer',
    requestId: 'bench-vigilance',
    organisationId: department,
    officerKey: `${department}-${name}`,
    roles: [name.startsWith('desk') ? 'desk' : 'issuer'],
    scopes: [],
  };
}

/** One officer's day: by day, each person with a case of hers; a few in the evening or at a weekend. */
function dayOf(
  draw: Seeded,
  actor: Actor,
  people: readonly string[],
  day: string,
  midnight: number,
): Look[] {
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
  const isWeekend = weekday === 0 || weekday === 6;
  const department = actor.organisationId ?? '';
  const isOnDuty = AROUND_THE_CLOCK.has(department);
  if (isWeekend && !draw.chance(isOnDuty ? 0.4 : 0.01)) return [];
  if (!isWeekend && draw.chance(0.08)) return [];
  const looks: Look[] = [];
  const isIssuer = actor.roles[0] === 'issuer';
  const isBusy = draw.chance(0.02);
  const usual = isWeekend ? draw.between(2, 8) : draw.between(6, 22);
  const count = isBusy ? usual * 2 : usual;
  const own = `${actor.officerKey} 窗口受理事项`;
  for (let made = 0; made < count; made += 1) {
    const at = minuteOf(draw, isOnDuty);
    const isOwnRegister = isIssuer && draw.chance(0.4);
    const family = draw.chance(0.06) ? draw.between(2, 4) : 1;
    const caseId = `${department}-${day}-${actor.officerKey}-${made}`;
    for (let member = 0; member < family; member += 1) {
      const entry: Partial<AccessEntry> = {
        subject: draw.pick(people),
        ...(isOwnRegister
          ? { type: 'licence.read' }
          : { caseId, purpose: draw.chance(0.9) ? `事项 ${draw.between(1, 6)}` : own }),
      };
      looks.push({ at: midnight + (at + member) * MINUTE_MS, actor, entry });
      // The answer is read again while the case is decided.
      if (!isOwnRegister && draw.chance(0.3)) {
        const later = { ...entry, type: 'answer.read' };
        looks.push({ at: midnight + (at + member + 20) * MINUTE_MS, actor, entry: later });
      }
    }
  }
  return looks;
}

/** Office hours; around the clock where there is duty; one in fifty in the evening. */
function minuteOf(draw: Seeded, isOnDuty: boolean): number {
  if (isOnDuty && draw.chance(0.25)) return draw.between(0, 23 * 60);
  if (draw.chance(0.02)) return draw.between(18 * 60, 21 * 60 + 30);
  return draw.between(8 * 60 + 30, 17 * 60 + 30);
}
