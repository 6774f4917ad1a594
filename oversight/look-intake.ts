// Takes looks in: counts what is around each, and keeps what rules are shown of it. In the order of the
// log, each in the light of the looks before it alone, so that it comes out the same however the log was
// cut into batches.
import type { Identity, PersonMarks } from '../identity/index.ts';
import type { Tx } from '../platform/index.ts';
import type { Look } from './look.ts';
import {
  addCasePeople,
  addPairs,
  addPurposes,
  CASE_PEOPLE,
  type CountedLook,
  countWindows,
  findCasePeople,
  findCounts,
  findLastLooks,
  findPurposeUsers,
  insertLooks,
  insertViews,
  type LookWindows,
  MOST_COUNTED,
  openDays,
  raiseDays,
} from './look-store.ts';
import { findMarks, type MarkRow } from './mark-store.ts';
import { type LookView, packView } from './vigilance-view.ts';

const DAY_MS = 86_400_000;

export interface IntakeDeps {
  identity: Pick<Identity, 'marksOf' | 'textMark'>;
  /** The household of a person by its number in the register, where it is known. */
  householdOf: (tx: Tx, personId: string) => Promise<string | null>;
}

const key = (...parts: (Buffer | string | null)[]): string =>
  parts.map((part) => (part instanceof Buffer ? part.toString('hex') : (part ?? ''))).join('|');

/** Writes the looks of a batch and their views, in the caller's transaction. */
export async function takeIn(tx: Tx, looks: readonly Look[], deps: IntakeDeps): Promise<void> {
  for (const run of runsOfDays(looks)) await takeRun(tx, run, deps);
}

/** The looks cut where the day of the city changes: what a day is compared with must have been counted. */
function runsOfDays(looks: readonly Look[]): Look[][] {
  const runs: Look[][] = [];
  for (const look of looks) {
    const run = runs.at(-1);
    if (run?.[0]?.day === look.day) run.push(look);
    else runs.push([look]);
  }
  return runs;
}

async function takeRun(tx: Tx, looks: readonly Look[], deps: IntakeDeps): Promise<void> {
  const tags = [...new Map(looks.flatMap((one) => tagOf(one.subjectTag))).values()];
  // 1. What was known before.
  const people = await deps.identity.marksOf(tx, tags);
  const marks = await findMarks(tx, looks);
  const blind = await compareBlindly(tx, looks, { ...deps, people, marks });
  const counted = await count(tx, looks, people);
  // 2. The looks, and what is counted around them now that they are there.
  await insertLooks(tx, counted.looks);
  const first = looks[0]?.index ?? 0;
  const last = looks.at(-1)?.index ?? 0;
  const windows = new Map((await countWindows(tx, first, last)).map((row) => [row.idx, row]));
  // 3. What rules will be shown.
  const views = counted.looks.map((look) => {
    const window = windows.get(look.index);
    if (!window) throw new TypeError('A look that was written has its windows.');
    const more = counted.around.get(look.index) ?? nothingAround;
    return packView(viewOf(look, window, { ...more, ...(blind.get(look.index) ?? nothingBlind) }));
  });
  await insertViews(tx, looks, views);
}

function tagOf(tag: Buffer | null): [string, Buffer][] {
  return tag ? [[tag.toString('hex'), tag]] : [];
}

const nothingAround = { caseOthers: 0, isFirstPair: false, isPurposeShared: false };
type Around = typeof nothingAround;

/** Running counts, and what one look at a time changes in what is known. */
async function count(tx: Tx, looks: readonly Look[], people: Map<string, PersonMarks>) {
  const counts = new Map(
    (await findCounts(tx, looks)).map(({ actorTag, ...rest }) => [key(actorTag), { ...rest }]),
  );
  const days = new Map(
    (await openDays(tx, looks)).map((row) => [key(row.actorTag, row.day), { ...row }]),
  );
  const lastLooks = new Map(
    (await findLastLooks(tx, looks)).map((row) => [key(row.actorTag, row.subjectTag), row.at]),
  );
  const casePeople = new Map<string, Set<string>>();
  for (const { caseTag, department, subjectTag } of await findCasePeople(tx, looks)) {
    grow(casePeople, key(caseTag, department), key(subjectTag));
  }
  const users = new Map<string, Set<string>>();
  for (const { purposeMark, department, actorTag } of await findPurposeUsers(tx, looks)) {
    grow(users, key(purposeMark, department), key(actorTag));
  }
  const newPairs = new Set(
    (await addPairs(tx, looks)).map(({ subjectTag, department }) => key(subjectTag, department)),
  );
  await addPurposes(tx, looks);
  await addCasePeople(tx, looks);

  const around = new Map<number, Around>();
  const countedLooks = looks.map((look): CountedLook => {
    const { actorTag, subjectTag, caseTag, department, purposeMark } = look;
    const subject = key(subjectTag);
    const ofCase = caseTag && subjectTag && grow(casePeople, key(caseTag, department), subject);
    const caseOthers = ofCase ? Math.min(ofCase.size - 1, MOST_COUNTED) : 0;
    const ofPurpose = purposeMark && grow(users, key(purposeMark, department), key(actorTag));
    around.set(look.index, {
      caseOthers,
      // Only the first look of a pair in the batch is the first one ever.
      isFirstPair: newPairs.delete(key(subjectTag, department)),
      isPurposeShared: ofPurpose ? ofPurpose.size > 1 : false,
    });
    const pair = key(actorTag, subjectTag);
    const before = lastLooks.get(pair);
    const isNew =
      subjectTag !== null && (before === undefined || before <= look.at.getTime() - DAY_MS);
    if (subjectTag) lastLooks.set(pair, Math.max(before ?? 0, look.at.getTime()));
    const isCaseless = subjectTag !== null && (!caseTag || caseOthers >= CASE_PEOPLE);

    const running = counts.get(key(actorTag)) ?? { looks: 0, caseless: 0, offHours: 0, people: 0 };
    running.looks += 1;
    running.caseless += isCaseless ? 1 : 0;
    running.offHours += look.isOffHours ? 1 : 0;
    running.people += isNew ? 1 : 0;
    counts.set(key(actorTag), running);
    const day = days.get(key(actorTag, look.day));
    if (!day) throw new TypeError('The day of a look was opened.');
    day.looks += 1;
    return {
      ...look,
      stemMark: (subjectTag && people.get(subject)?.stem) || null,
      isCaseless,
      isNew,
      counts: { ...running, today: day.looks },
    };
  });
  await raiseDays(tx, [...days.values()]);
  return { looks: countedLooks, around };
}

function grow(sets: Map<string, Set<string>>, at: string, member: string): Set<string> {
  const set = sets.get(at) ?? new Set<string>();
  sets.set(at, set.add(member));
  return set;
}

const nothingBlind = { isListed: false, isSelf: false, sameSurname: false, sameHousehold: false };
type Blind = typeof nothingBlind;

/** Compares digests alone: who is on the list, and what an officer has in common with whom she looks at. */
async function compareBlindly(
  tx: Tx,
  looks: readonly Look[],
  deps: IntakeDeps & { people: Map<string, PersonMarks>; marks: MarkRow[] },
): Promise<Map<number, Blind>> {
  const { identity, householdOf, people, marks } = deps;
  const listed = new Set(
    marks.flatMap((mark) => (mark.kind === 'listed' ? [key(mark.subjectTag)] : [])),
  );
  const officers = new Map(
    marks.flatMap((mark) => (mark.kind === 'officer' ? [[key(mark.actorTag), mark] as const] : [])),
  );
  const households = new Map<string, Buffer | null>();
  const householdMark = async (personId: string): Promise<Buffer | null> => {
    const known = households.get(personId);
    if (known !== undefined) return known;
    const household = await householdOf(tx, personId);
    const mark = household === null ? null : identity.textMark('household', household);
    households.set(personId, mark);
    return mark;
  };
  const found = new Map<number, Blind>();
  for (const look of looks) {
    if (!look.subjectTag) continue;
    const person = people.get(key(look.subjectTag));
    const own = officers.get(key(look.actorTag));
    const isSelf = own?.subjectTag.equals(look.subjectTag) ?? false;
    const isOther = own !== undefined && person !== undefined && !isSelf;
    found.set(look.index, {
      isListed: listed.has(key(look.subjectTag)),
      isSelf,
      sameSurname: isOther && same(own.surnameMark, person.surname),
      sameHousehold:
        isOther &&
        own.householdMark !== null &&
        same(own.householdMark, await householdMark(person.personId)),
    });
  }
  return found;
}

function same(a: Buffer | null, b: Buffer | null): boolean {
  return a !== null && b !== null && a.equals(b);
}

function viewOf(look: CountedLook, window: LookWindows, more: Around & Blind): LookView {
  return {
    look: {
      index: look.index,
      type: look.type,
      outcome: look.outcome,
      code: look.code,
      role: look.role,
      department: look.department,
      service: look.service,
      basis: look.basis,
      isOfficer: look.isOfficer,
      hasSubject: look.subjectTag !== null,
      hasCase: look.caseTag !== null,
      isCaseless: look.isCaseless,
      hour: look.hour,
      isOffHours: look.isOffHours,
      isHoliday: look.isHoliday,
      purposeLooks24: window.purposeLooks24,
      ...more,
    },
    actor: {
      looks1: window.looks1,
      looks24: window.looks24,
      people24: window.people24,
      caseless24: window.caseless24,
      offHours24: window.offHours24,
      neighbours24: window.neighbours24,
      today: look.counts.today,
      median30: window.median30,
      activeDays: window.activeDays,
      peerP99: window.peerP99,
    },
    subject: {
      officers24: window.officers24,
      departments24: window.departments24,
      looks24: window.subjectLooks24,
    },
  };
}
