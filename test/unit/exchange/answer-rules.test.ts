// Every rule of the sample city compiles, holds its own cases, and stays inside the fences.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { AnswerRule, checkCases, compileRule } from '../../../exchange/answer-rule.ts';
import type { RuleWorld } from '../../../exchange/rule-language.ts';
import type { ObjectSchema } from '../../../exchange/schema-check.ts';
import { RuleFault } from '../../../platform/index.ts';

interface SampleType {
  id: string;
  schema: ObjectSchema;
}
interface SampleService {
  id: string;
  mode: string;
  params_schema: ObjectSchema;
  answer_schema: ObjectSchema;
  source_licence_types: string[];
}

function readJson<T>(path: string): T {
  // The files' own shapes are asserted by what the tests then do with them.
  return JSON.parse(readFileSync(new URL(`../../../data/${path}`, import.meta.url), 'utf8')) as T;
}

const world = readJson<{ licence_types: SampleType[]; verification_services: SampleService[] }>(
  'sample-world.json',
);
const rules = readJson<Record<string, unknown>>('answer-rules.json');

function worldOf(service: SampleService): RuleWorld {
  const types = world.licence_types.filter((type) =>
    service.source_licence_types.includes(type.id),
  );
  return {
    params: service.params_schema,
    answer: service.answer_schema,
    licenceFields: new Map(types.map((t) => [t.id, Object.keys(t.schema.properties)])),
  };
}

describe('the rules of the sample city', () => {
  test('there is one for each service that is answered by rule, and for no other', () => {
    const answered = world.verification_services.filter((service) => service.mode !== 'manual');
    expect(Object.keys(rules).sort()).toEqual(answered.map((service) => service.id).sort());
  });

  for (const service of world.verification_services.filter((s) => s.mode !== 'manual')) {
    test(`${service.id} holds every one of its cases`, () => {
      const rule = AnswerRule.parse(rules[service.id]);
      const ruleWorld = worldOf(service);
      expect(() => checkCases(rule, compileRule(rule, ruleWorld), ruleWorld)).not.toThrow();
    });
  }
});

describe('a rule may not be published when', () => {
  const params: ObjectSchema = {
    type: 'object',
    properties: { at_least: { type: 'integer' }, name: { type: 'string' } },
  };
  const answer: ObjectSchema = {
    type: 'object',
    properties: { meets: { type: 'boolean' }, as_of: { type: 'string', format: 'date' } },
    required: ['meets'],
  };
  const ruleWorld: RuleWorld = { params, answer, licenceFields: new Map([['LT-A', ['months']]]) };
  const cases = [
    { name: 'one', params: { at_least: 1 }, answer: null },
    { name: 'two', params: { at_least: 2 }, answer: null },
  ];
  const deep = 'licences.exists(a, licences.exists(b, licences.exists(c, a.type == c.type)))';
  const refusals: [string, string][] = [
    ['it does not parse', 'licences.exists('],
    ['its type is not the answer’s', 'params.at_least'],
    ['it names a parameter there is not', 'params.months > 3'],
    ['it names a property a licence has not', 'licences.exists(l, l.colour == "red")'],
    ['it names a field no licence type has', 'licences.exists(l, l.fields.colour == "red")'],
    ['it names a licence type outside the service', 'licences.exists(l, l.type == "LT-B")'],
    ['it matches patterns', 'params.name.matches("(a+)+$")'],
    ['it nests comprehensions three deep', deep],
    ['it lengthens a list', 'size(licences + licences) > 3'],
    [
      'it adds what may be lists',
      'licences.exists(l, size(l.fields.months + l.fields.months) > 3)',
    ],
    ['it is too long', `${'1 == 1 && '.repeat(120)}true`],
    [
      'it reads the clock',
      'timestamp("2026-01-01T00:00:00Z") == timestamp("2026-01-01T00:00:00Z")',
    ],
    ['a case does not hold', 'true'],
    ['an expression fails on a case', 'licences[0].status == "valid"'],
  ];
  for (const [why, expression] of refusals) {
    test(why, () => {
      const rule = AnswerRule.parse({ answer: { meets: expression }, cases });
      expect(() => checkCases(rule, compileRule(rule, ruleWorld), ruleWorld)).toThrow(RuleFault);
    });
  }

  test('a required field has no expression', () => {
    const rule = AnswerRule.parse({ answer: { as_of: 'today' }, cases });
    expect(() => compileRule(rule, ruleWorld)).toThrow(RuleFault);
  });

  test('a bound name is taken', () => {
    const rule = AnswerRule.parse({ let: { params: '1' }, answer: { meets: 'unknown' }, cases });
    expect(() => compileRule(rule, ruleWorld)).toThrow(RuleFault);
  });
});

describe('a compiled rule', () => {
  const rule = AnswerRule.parse({
    answer: { meets: 'licences[0].fields.months >= params.at_least' },
    cases: [
      {
        name: 'enough',
        params: { at_least: 3 },
        licences: [{ type: 'LT-A', fields: { months: 3 } }],
        answer: { meets: true },
      },
      {
        name: 'too few',
        params: { at_least: 4 },
        licences: [{ type: 'LT-A', fields: { months: 3.5 } }],
        answer: { meets: false },
      },
    ],
  });
  const compiled = compileRule(rule, {
    params: { type: 'object', properties: { at_least: { type: 'integer' } } },
    answer: { type: 'object', properties: { meets: { type: 'boolean' } }, required: ['meets'] },
    licenceFields: new Map([['LT-A', ['months']]]),
  });

  test('can’t tell, and says where, when an expression fails on what it is given', () => {
    expect(
      compiled.evaluate({
        params: { at_least: 3n },
        licences: [],
        naming: [],
        facts: [],
        subject: 's',
        today: '2026-01-01',
      }),
    ).toMatchObject({ kind: 'cannot_tell', fault: expect.stringContaining('meets') });
  });
});
