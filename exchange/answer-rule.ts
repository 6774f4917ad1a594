// A service's answer rule: CEL expressions per answer field, three-valued, with the sample cases
// that must hold before it may be published.
import { z } from 'zod';
import {
  canonicalJson,
  type Json,
  type JsonObject,
  MAX_LIST,
  RuleFault,
} from '../platform/index.ts';
import {
  type CompiledExpression,
  createRuleCompiler,
  LicenceInRule,
  type RuleVariables,
  type RuleWorld,
} from './rule-language.ts';
import { compileSchema, hasNoFaults } from './schema-check.ts';

// Long expressions are written as lines; they are one expression.
const Expression = z
  .union([z.string(), z.array(z.string())])
  .transform((text) => (typeof text === 'string' ? text : text.join(' ')));

const CaseLicence = z.strictObject({
  number: z.string().optional(),
  type: z.string(),
  status: z.string().default('valid'),
  holder: z.string().default('subject'),
  holderUscc: z.string().default(''),
  issuer: z.string().default('issuer'),
  validFrom: z.string().default('2020-01-01'),
  validTo: z.string().default(''),
  fields: z.record(z.string(), z.json()),
});

/** A sample case: what the rule must say of these licences; `answer: null` means can't tell. */
const RuleCase = z.strictObject({
  name: z.string().min(1),
  today: z.iso.date().default('2026-03-04'),
  params: z.record(z.string(), z.json()).default({}),
  licences: z.array(CaseLicence).default([]),
  naming: z.array(CaseLicence).default([]),
  answer: z.record(z.string(), z.json()).nullable(),
});

/** A rule as it is published. People stand as references (plain ids) in its cases and its view. */
export const AnswerRule = z.strictObject({
  /** Params whose people's licences are in view beside the subject's. */
  peopleFrom: z.array(z.string()).default([]),
  /** True when the view needs licences of others that name the subject. */
  usesNaming: z.boolean().default(false),
  let: z.record(z.string().regex(/^[a-z][A-Za-z]*$/), Expression).default({}),
  answer: z.record(z.string(), Expression),
  cases: z.array(RuleCase).min(2),
});
export type AnswerRule = z.infer<typeof AnswerRule>;

/** What a rule says: an answer, or that the records can't tell. `fault` names an expression that failed. */
export type RuleOutcome =
  | { kind: 'answer'; answer: JsonObject }
  | { kind: 'cannot_tell'; fault?: string };

export interface CompiledRule {
  peopleFrom: readonly string[];
  usesNaming: boolean;
  evaluate(variables: RuleVariables): RuleOutcome;
}

/**
 * Compiles a rule; throws RuleFault when an expression or its type does not hold, or a required
 * answer field has no expression.
 */
export function compileRule(rule: AnswerRule, world: RuleWorld): CompiledRule {
  const compiler = createRuleCompiler(world);
  const bindings = Object.entries(rule.let).map(([name, source]): [string, CompiledExpression] => [
    name,
    compiler.bind(name, source),
  ]);
  const fields = Object.entries(rule.answer).map(([name, source]): [string, CompiledExpression] => [
    name,
    compiler.field(name, source),
  ]);
  const required = world.answer.required ?? [];
  for (const name of required) {
    if (!Object.hasOwn(rule.answer, name)) throw new RuleFault(`${name}: has no expression.`);
  }
  for (const name of rule.peopleFrom) {
    if (!Object.hasOwn(world.params.properties, name))
      throw new RuleFault(`${name}: is not a parameter.`);
  }
  const checkAnswer = compileSchema(world.answer);

  function evaluate(variables: RuleVariables): RuleOutcome {
    if (variables.licences.length > MAX_LIST || variables.naming.length > MAX_LIST) {
      return { kind: 'cannot_tell', fault: `more than ${MAX_LIST} licences` };
    }
    const bound: Record<string, unknown> = {};
    const answer: JsonObject = {};
    let at = '';
    try {
      for (const [name, run] of bindings) {
        at = name;
        bound[name] = run(variables, bound);
      }
      for (const [name, run] of fields) {
        at = name;
        const value = fromCel(run(variables, bound));
        if (value !== null) answer[name] = value;
        else if (required.includes(name)) return { kind: 'cannot_tell' };
      }
    } catch (error) {
      return { kind: 'cannot_tell', fault: `${at}: ${codeOf(error)}` };
    }
    if (!hasNoFaults(checkAnswer(answer, ''))) {
      return { kind: 'cannot_tell', fault: 'the answer does not hold to its schema' };
    }
    return { kind: 'answer', answer };
  }

  return { peopleFrom: rule.peopleFrom, usesNaming: rule.usesNaming, evaluate };
}

/** Runs the sample cases beside a rule; throws RuleFault naming the first that does not hold. */
export function checkCases(rule: AnswerRule, compiled: CompiledRule, world: RuleWorld): void {
  for (const example of rule.cases) checkCase(example, compiled, world);
}

function checkCase(
  example: AnswerRule['cases'][number],
  compiled: CompiledRule,
  world: RuleWorld,
): void {
  const outcome = compiled.evaluate({
    params: toCelObject(example.params, world.params),
    licences: example.licences.map(caseLicence),
    naming: example.naming.map(caseLicence),
    facts: [],
    subject: 'subject',
    today: example.today,
  });
  if (outcome.kind === 'cannot_tell' && outcome.fault !== undefined) {
    throw new RuleFault(`case "${example.name}": ${outcome.fault}`);
  }
  const said = outcome.kind === 'answer' ? outcome.answer : null;
  if (canonicalJson(said) !== canonicalJson(example.answer)) {
    throw new RuleFault(
      `case "${example.name}": says ${JSON.stringify(said)}, expected ${JSON.stringify(example.answer)}`,
    );
  }
}

function caseLicence(licence: z.infer<typeof CaseLicence>, at: number): LicenceInRule {
  const number = licence.number ?? `case-${at}`;
  return new LicenceInRule({ ...licence, number, fields: toCelValues(licence.fields) });
}

/** Parameters as CEL values by their schema: references are ids, integers are int, numbers double. */
export function toCelObject(params: JsonObject, schema: JsonObject): Record<string, unknown> {
  const properties = isObject(schema.properties) ? schema.properties : {};
  return Object.fromEntries(
    Object.entries(params)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, toCel(value, properties[name])]),
  );
}

function toCel(value: Json | undefined, schema: Json | undefined): unknown {
  const property = isObject(schema) ? schema : {};
  if (Array.isArray(value)) return value.map((item) => toCel(item, property.items));
  if (isObject(value)) {
    return typeof value.$person === 'string' ? value.$person : toCelObject(value, property);
  }
  return typeof value === 'number' && property.type === 'integer' ? BigInt(value) : value;
}

/** A licence's fields as CEL values: every number is a double, so that 90 and 90.5 compare and add. */
export function toCelValues(fields: JsonObject): Record<string, unknown> {
  return toCelObject(fields, {});
}

function fromCel(value: unknown): Json {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(fromCel);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  if (value === null || value === undefined) return null;
  throw new TypeError('An answer field holds a text, a number, a truth value or a list of them.');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'failed';
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
