// How long a licence holds: the validity rule of its type gives validTo, an inclusive day of the city.
// Periods are counted as the Civil Code does (articles 201, 202): the first day does not count; months
// and years end on the corresponding day, or on the month's last one where that day is missing.
import { z } from 'zod';
import { addDays } from '../platform/index.ts';

const count = z.int().min(1).max(1200);

/** When a licence of a type ends. */
export const ValidityRule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('permanent') }),
  z.strictObject({ kind: z.literal('years'), value: count }),
  z.strictObject({ kind: z.literal('days'), value: z.int().min(1).max(36_500) }),
  // Lapses unless it is endorsed (renewed) in time.
  z.strictObject({ kind: z.literal('endorsed'), months: count }),
  z.strictObject({
    kind: z.literal('by_age'),
    rules: z
      .array(
        z.union([
          z.strictObject({ under: count, years: count }),
          z.strictObject({ else: z.literal('permanent') }),
          z.strictObject({ else: z.strictObject({ years: count }) }),
        ]),
      )
      .min(1)
      .max(20),
  }),
  // The issuer chooses: the first value when it names no end, null for the 'else'.
  z.strictObject({
    kind: z.literal('choice_years'),
    values: z.array(count).min(1).max(20),
    else: z.literal('permanent').optional(),
  }),
  z.strictObject({ kind: z.literal('term_or_permanent') }),
  // For as long as a project runs: the issuer names the end where it is known.
  z.strictObject({ kind: z.literal('project') }),
]);
export type ValidityRule = z.infer<typeof ValidityRule>;

/** What the rule decides over. */
export interface ValidityQuestion {
  validFrom: string;
  /** The end the issuer asks for; null asks for none, undefined leaves it to the rule. */
  validTo?: string | null | undefined;
  /** The holder's day of birth, where the holder is a person. */
  birthDay?: string | undefined;
}

/** The last valid day (null: no end), or why the rule doesn't allow what was asked. */
export type ValidityDecision = { validTo: string | null } | { refusal: string };

/** Decides the last valid day of a licence. A shorter period than the rule's may always be asked for. */
export function decideValidTo(rule: ValidityRule, question: ValidityQuestion): ValidityDecision {
  const { validFrom, validTo } = question;
  if (validTo && validTo < validFrom) return { refusal: 'It ends before it begins.' };
  switch (rule.kind) {
    case 'permanent':
      return validTo ? { refusal: 'Licences of this type have no end.' } : { validTo: null };
    case 'years':
      return upTo(addMonths(validFrom, 12 * rule.value), validTo);
    case 'endorsed':
      return upTo(addMonths(validFrom, rule.months), validTo);
    case 'days':
      return upTo(addDays(validFrom, rule.value), validTo);
    case 'by_age':
      return byAge(rule, question);
    case 'choice_years':
      return byChoice(rule, question);
    case 'term_or_permanent':
    case 'project':
      return { validTo: validTo ?? null };
  }
}

function upTo(last: string, asked: string | null | undefined): ValidityDecision {
  if (asked === null) return { refusal: `This type ends on ${last} at the latest.` };
  if (asked === undefined) return { validTo: last };
  return asked <= last
    ? { validTo: asked }
    : { refusal: `This type ends on ${last} at the latest.` };
}

function byAge(
  rule: Extract<ValidityRule, { kind: 'by_age' }>,
  { validFrom, validTo, birthDay }: ValidityQuestion,
): ValidityDecision {
  if (!birthDay)
    return { refusal: 'The period follows the age of a person; this holder has none.' };
  const age = ageOn(birthDay, validFrom);
  const band = rule.rules.find((candidate) => 'else' in candidate || age < candidate.under);
  if (!band) return { refusal: 'This type is not issued to holders of this age.' };
  if ('years' in band) return upTo(addMonths(validFrom, 12 * band.years), validTo);
  if (band.else === 'permanent') return { validTo: validTo ?? null };
  return upTo(addMonths(validFrom, 12 * band.else.years), validTo);
}

function byChoice(
  rule: Extract<ValidityRule, { kind: 'choice_years' }>,
  { validFrom, validTo }: ValidityQuestion,
): ValidityDecision {
  const ends = rule.values.map((years) => addMonths(validFrom, 12 * years));
  if (validTo === undefined) return { validTo: ends[0] ?? null };
  if (validTo === null) {
    return rule.else ? { validTo: null } : { refusal: `Choose an end: ${ends.join(', ')}.` };
  }
  return ends.includes(validTo)
    ? { validTo }
    : { refusal: `Choose one of these ends: ${ends.join(', ')}${rule.else ? ', or null' : ''}.` };
}

/** The day `months` later, the month's last one where the corresponding day is missing. */
export function addMonths(day: string, months: number): string {
  const [year = 0, month = 1, dayOfMonth = 1] = day.split('-').map(Number);
  const at = year * 12 + (month - 1) + months;
  const [laterYear, laterMonth] = [Math.floor(at / 12), at % 12];
  const lastOfMonth = new Date(Date.UTC(laterYear, laterMonth + 1, 0)).getUTCDate();
  const two = (value: number) => String(value).padStart(2, '0');
  return `${String(laterYear).padStart(4, '0')}-${two(laterMonth + 1)}-${two(Math.min(dayOfMonth, lastOfMonth))}`;
}

/** Full years of life on a day. */
export function ageOn(birthDay: string, day: string): number {
  const years = Number(day.slice(0, 4)) - Number(birthDay.slice(0, 4));
  return day.slice(5) < birthDay.slice(5) ? years - 1 : years;
}
