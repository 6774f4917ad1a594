// Answer rules are CEL expressions (cel-spec), compiled and type-checked once, when a service is
// published. The library's limits act at parse time only, so the fences stand here.
import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import type { JsonObject } from '../platform/index.ts';
import { addMonths, monthsTouched } from './calendar-months.ts';
import type { ObjectSchema } from './schema-check.ts';

const MAX_NODES = 300;
const MAX_COMPREHENSION_DEPTH = 2;
/** Lists a rule may walk over; a view that is longer is not evaluated. */
export const MAX_LIST = 200;

const comprehensions = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

// Pattern matching can block for seconds on a short text (nested quantifiers, measured 2.2 s on 29
// characters), and time stamps carry zones: rules compare days as text instead.
const forbiddenCalls = new Set(['matches', 'timestamp', 'duration', 'bytes', 'type']);

const limits = {
  maxAstNodes: MAX_NODES,
  maxDepth: 32,
  maxListElements: MAX_LIST,
  maxMapEntries: 64,
  maxCallArguments: 8,
};

const licenceShape = {
  number: 'string',
  type: 'string',
  status: 'string',
  holder: 'string',
  holderUscc: 'string',
  issuer: 'string',
  validFrom: 'string',
  validTo: 'string',
  fields: 'map<string, dyn>',
};

const factShape = {
  kind: 'string',
  holder: 'string',
  from: 'string',
  to: 'string',
  values: 'map<string, dyn>',
};

/** What a rule may name besides its variables. */
export interface RuleWorld {
  params: ObjectSchema;
  answer: ObjectSchema;
  /** The licence types the service may look at: id → names of its fields. */
  licenceFields: ReadonlyMap<string, readonly string[]>;
}

/** A licence or a fact as a rule sees it; dates are days, open ends are ''. */
export class LicenceInRule {
  readonly number: string;
  readonly type: string;
  readonly status: string;
  readonly holder: string;
  /** The code of a holder that is a company; '' for a person. */
  readonly holderUscc: string;
  readonly issuer: string;
  readonly validFrom: string;
  readonly validTo: string;
  readonly fields: Record<string, unknown>;
  constructor(values: LicenceInRule) {
    this.number = values.number;
    this.type = values.type;
    this.status = values.status;
    this.holder = values.holder;
    this.holderUscc = values.holderUscc;
    this.issuer = values.issuer;
    this.validFrom = values.validFrom;
    this.validTo = values.validTo;
    this.fields = values.fields;
  }
}

/** A small typed record of a person that isn't a licence. */
export class FactInRule {
  readonly kind: string;
  readonly holder: string;
  readonly from: string;
  readonly to: string;
  readonly values: Record<string, unknown>;
  constructor(values: FactInRule) {
    this.kind = values.kind;
    this.holder = values.holder;
    this.from = values.from;
    this.to = values.to;
    this.values = values.values;
  }
}

/** The values of a rule's variables. */
export interface RuleVariables {
  params: Record<string, unknown>;
  licences: LicenceInRule[];
  /** Licences of others that name the subject, such as a company's legal representative. */
  naming: LicenceInRule[];
  facts: FactInRule[];
  subject: string;
  today: string;
}

/** Named sub-expressions of a rule and their values. */
type Bindings = Record<string, unknown>;

/** One compiled expression; `null` means that it can't be told. */
export type CompiledExpression = (variables: RuleVariables, bindings: Bindings) => unknown;

/** A rule that may not be published; `fault` says why, without the data of anyone. */
export class RuleFault extends Error {}

/** Compiles the expressions of one rule, in order: later ones see the names bound before them. */
export function createRuleCompiler(world: RuleWorld) {
  let environment = environmentOf(world.params);

  function compile(name: string, source: string): { type: string; run: CompiledExpression } {
    const expression = parse(environment, name, source);
    const { valid, type, error } = expression.check();
    if (!valid || type === undefined) throw new RuleFault(`${name}: ${firstLine(error?.message)}`);
    checkFences(name, expression.ast, world);
    return {
      type,
      run: (variables, bindings) => expression({ ...variables, ...bindings, unknown: null }),
    };
  }

  return {
    /** Compiles a named sub-expression and makes its name known to what follows. */
    bind(name: string, source: string): CompiledExpression {
      const { type, run } = compile(name, source);
      environment = environment.clone();
      try {
        environment.registerVariable(name, type);
      } catch {
        throw new RuleFault(`${name}: this name is taken.`);
      }
      return run;
    },

    /** Compiles the expression of one answer field; its type must be the answer schema's. */
    field(name: string, source: string): CompiledExpression {
      const { properties } = world.answer;
      const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (!schema) throw new RuleFault(`${name}: the answer schema has no such field.`);
      const { type, run } = compile(name, source);
      const expected = celType(schema);
      if (type !== expected && type !== 'dyn') {
        throw new RuleFault(`${name}: gives ${type}, the answer schema asks for ${expected}.`);
      }
      return run;
    },
  };
}

function parse(environment: Environment, name: string, source: string) {
  try {
    return environment.parse(source);
  } catch (error) {
    throw new RuleFault(`${name}: ${firstLine(error instanceof Error ? error.message : '')}`);
  }
}

function environmentOf(params: ObjectSchema): Environment {
  const schema = Object.entries(params.properties).map(([name, value]) => [name, celType(value)]);
  return new Environment({ limits })
    .registerType('Licence', { ctor: LicenceInRule, fields: licenceShape })
    .registerType('Fact', { ctor: FactInRule, fields: factShape })
    .registerVariable('params', { schema: Object.fromEntries(schema) })
    .registerVariable('licences', 'list<Licence>')
    .registerVariable('naming', 'list<Licence>')
    .registerVariable('facts', 'list<Fact>')
    .registerVariable('subject', 'string')
    .registerVariable('today', 'string')
    .registerVariable('unknown', 'dyn')
    .registerFunction('sum(list): double', sum)
    .registerFunction('distinct(list<string>): list<string>', distinct)
    .registerFunction('including(list<string>, string): list<string>', including)
    .registerFunction('months(string, string): int', (from: string, to: string) =>
      BigInt(monthsTouched(from, to)),
    )
    .registerFunction('addMonths(string, int): string', (day: string, months: bigint) =>
      addMonths(day, Number(months)),
    );
}

function sum(numbers: readonly (number | bigint)[]): number {
  return numbers.reduce<number>((total, value) => total + Number(value), 0);
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}

function including(values: readonly string[], one: string): string[] {
  return [...values, one];
}

/** The CEL type of a JSON Schema; a reference to a person is the text of her id. */
function celType(schema: JsonObject): string {
  switch (schema.type) {
    case 'string':
      return 'string';
    case 'integer':
      return 'int';
    case 'number':
      return 'double';
    case 'boolean':
      return 'bool';
    case 'array':
      return isSchema(schema.items) ? `list<${celType(schema.items)}>` : 'list<dyn>';
    default:
      return 'dyn';
  }
}

function isSchema(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Walks the tree once: forbidden calls, nested comprehensions, unknown licence types and fields. */
function checkFences(field: string, root: ASTNode, world: RuleWorld): void {
  const knownFields = new Set([...world.licenceFields.values()].flat());
  const visit = (node: ASTNode, depth: number): void => {
    const name = calledName(node);
    if (name !== undefined && forbiddenCalls.has(name)) {
      throw new RuleFault(`${field}: ${name}() may not be used in a rule.`);
    }
    const isComprehension = name !== undefined && comprehensions.has(name);
    if (isComprehension && depth === MAX_COMPREHENSION_DEPTH) {
      throw new RuleFault(
        `${field}: comprehensions may be nested ${MAX_COMPREHENSION_DEPTH} deep.`,
      );
    }
    if (node.op === '+' && !node.args.every(isTextOrNumber)) {
      throw new RuleFault(`${field}: + joins texts or adds numbers; say string(x) or double(x).`);
    }
    const licenceField = licenceFieldOf(node);
    if (licenceField !== undefined && !knownFields.has(licenceField)) {
      throw new RuleFault(`${field}: no licence type of this service has a field ${licenceField}.`);
    }
    const type = licenceTypeOf(node);
    if (type !== undefined && !world.licenceFields.has(type)) {
      throw new RuleFault(`${field}: ${type} is not among the licence types of this service.`);
    }
    // What a comprehension walks over is evaluated once, outside of it.
    const receiver = node.op === 'rcall' ? node.args[1] : undefined;
    for (const child of childrenOf(node)) {
      visit(child, isComprehension && child !== receiver ? depth + 1 : depth);
    }
  };
  visit(root, 0);
}

function calledName(node: ASTNode): string | undefined {
  return node.op === 'call' || node.op === 'rcall' ? node.args[0] : undefined;
}

// Lists that grew by + would grow past every limit. The checker leaves each node's type on it
// (`checkedType`, not in the library's declarations); without it nothing passes.
function isTextOrNumber(node: ASTNode): boolean {
  const type: unknown = 'checkedType' in node ? node.checkedType : undefined;
  if (typeof type !== 'object' || type === null || !('name' in type)) return false;
  return type.name === 'string' || type.name === 'int' || type.name === 'double';
}

/** `x.fields.name` → name. */
function licenceFieldOf(node: ASTNode): string | undefined {
  if (node.op !== '.') return undefined;
  const [receiver, name] = node.args;
  return receiver.op === '.' && receiver.args[1] === 'fields' ? name : undefined;
}

function licenceTypeOf(node: ASTNode): string | undefined {
  if (node.op !== 'value' || typeof node.args !== 'string') return undefined;
  return node.args.startsWith('LT-') ? node.args : undefined;
}

function childrenOf(node: ASTNode): ASTNode[] {
  const nested: unknown[] = Array.isArray(node.args) ? node.args.flat(2) : [node.args];
  return nested.filter(isNode);
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

function firstLine(message: string | undefined): string {
  return message?.split('\n')[0] ?? 'not understood';
}
