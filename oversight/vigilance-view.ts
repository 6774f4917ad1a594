// What a rule may see of a look: a typed view of the entry and of what was counted around it. No name,
// no number, no text: blind comparisons have become yes or no before.
import type { JsonObject } from '../platform/index.ts';

/** Each member with its CEL type; what is absent from a stored view is 0, false or ''. */
export const VIEW_SHAPE = {
  look: {
    index: 'int',
    type: 'string',
    outcome: 'string',
    code: 'string',
    role: 'string',
    department: 'string',
    service: 'string',
    basis: 'string',
    /** A named officer, not a system by itself. */
    isOfficer: 'bool',
    hasSubject: 'bool',
    hasCase: 'bool',
    /** Other people for whom the department used this case before, counted to 100. */
    caseOthers: 'int',
    /** No case, or one of more than ten people. */
    isCaseless: 'bool',
    /** Of the city's clock, 0 to 23. */
    hour: 'int',
    isOffHours: 'bool',
    isHoliday: 'bool',
    /** The subject is on the watch list. */
    isListed: 'bool',
    isSelf: 'bool',
    sameSurname: 'bool',
    sameHousehold: 'bool',
    /** The department never looked at this person before. */
    isFirstPair: 'bool',
    /** Looks of this actor in 24 hours with the same purpose, word for word; counted to 100. */
    purposeLooks24: 'int',
    /** Someone else of the department has used this purpose too. */
    isPurposeShared: 'bool',
  },
  actor: {
    looks1: 'int',
    looks24: 'int',
    people24: 'int',
    caseless24: 'int',
    offHours24: 'int',
    /** People whose numbers share area and birth day with this one's, in 24 hours. */
    neighbours24: 'int',
    /** Looks of this day of the city, this one included. */
    today: 'int',
    /** Of the days in the 30 before on which the actor looked at all. */
    median30: 'double',
    activeDays: 'int',
    /** 99th percentile of the days of the department's officers in the 30 days before. */
    peerP99: 'double',
  },
  subject: {
    officers24: 'int',
    departments24: 'int',
    looks24: 'int',
  },
} as const;

type CelValue<T> = T extends 'bool' ? boolean : T extends 'string' ? string : number;
type Members<Shape> = { -readonly [Name in keyof Shape]: CelValue<Shape[Name]> };

/** A whole view. */
export type LookView = {
  -readonly [Part in keyof typeof VIEW_SHAPE]: Members<(typeof VIEW_SHAPE)[Part]>;
};

/** A view as it is stored: without what is 0, false or ''. */
export function packView(view: LookView): JsonObject {
  return Object.fromEntries(
    Object.entries(view).map(([part, members]) => [
      part,
      Object.fromEntries(
        Object.entries(members).filter(
          ([, value]) => value !== 0 && value !== false && value !== '',
        ),
      ),
    ]),
  );
}

/** The values of a rule's variables from a stored view; whole numbers are CEL's int. */
export function variablesOf(packed: JsonObject): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(VIEW_SHAPE).map(([part, shape]) => {
      const members = packed[part];
      const given = isObject(members) ? members : {};
      return [
        part,
        Object.fromEntries(
          Object.entries(shape).map(([name, type]) => [name, celOf(type, given[name])]),
        ),
      ];
    }),
  );
}

function celOf(type: string, value: unknown): unknown {
  if (type === 'bool') return value === true;
  if (type === 'string') return typeof value === 'string' ? value : '';
  const number = typeof value === 'number' ? value : 0;
  return type === 'int' ? BigInt(Math.trunc(number)) : number;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
