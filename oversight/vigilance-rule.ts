// A rule of vigilance as data: a CEL expression over the view of one look, its thresholds, and what it
// says. Every version is kept, and its hash is in the log.
import { hash } from 'node:crypto';
import { z } from 'zod';
import {
  canonicalJson,
  compileExpression,
  createRuleEnvironment,
  encodeBase64url,
  type JsonObject,
  RuleFault,
} from '../platform/index.ts';
import { VIEW_SHAPE, variablesOf } from './vigilance-view.ts';

export const SEVERITIES = ['low', 'medium', 'high'] as const;
export type Severity = (typeof SEVERITIES)[number];

const Words = z.string().trim().min(1).max(400);
const Param = z.union([z.number(), z.string().max(100), z.boolean()]);

/** What two auditors publish, and what is hashed. */
export const VigilanceRule = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,39}$/),
  version: z.int().min(1),
  expression: z.string().trim().min(1).max(4000),
  params: z.record(z.string().regex(/^[a-z][A-Za-z0-9]{0,29}$/), Param).default({}),
  /** One alarm a day of the city for each: look, actor or subject. */
  group: z.enum(['look', 'actor', 'subject']),
  severity: z.enum(SEVERITIES),
  /** Days until an alarm must be closed. */
  deadlineDays: z.int().min(1).max(60),
  /** A version that is off ends the rule. */
  isOn: z.boolean().default(true),
  titleZh: Words,
  titleEn: Words,
  textZh: Words,
  textEn: Words,
});
export type VigilanceRule = z.infer<typeof VigilanceRule>;

/** base64url(SHA-256(RFC 8785 form)): what the log's entry of a publication commits to. */
export function ruleHash(rule: VigilanceRule): string {
  return encodeBase64url(hash('sha256', Buffer.from(canonicalJson(rule)), 'buffer'));
}

/** Whether a rule holds of a look; throws where the expression fails. */
export type CompiledVigilance = (packedView: JsonObject) => boolean;

/** Compiles a rule behind the fences of platform/fenced-cel.ts; RuleFault says why not. */
export function compileVigilance({
  expression,
  params,
}: Pick<VigilanceRule, 'expression' | 'params'>): CompiledVigilance {
  const environment = createRuleEnvironment();
  for (const [name, shape] of Object.entries(VIEW_SHAPE)) {
    environment.registerVariable(name, { schema: { ...shape } });
  }
  environment.registerVariable('params', {
    schema: Object.fromEntries(
      Object.entries(params).map(([name, value]) => [name, paramType(value)]),
    ),
  });
  const { type, run } = compileExpression(environment, 'expression', expression);
  if (type !== 'bool') throw new RuleFault(`expression: gives ${type}, not yes or no.`);
  const values = Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      paramType(value) === 'int' ? BigInt(Number(value)) : value,
    ]),
  );
  return (packed) => run({ ...variablesOf(packed), params: values }) === true;
}

function paramType(value: z.infer<typeof Param>): string {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  return Number.isInteger(value) ? 'int' : 'double';
}
