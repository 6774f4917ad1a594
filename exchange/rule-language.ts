// Answer rules are CEL expressions (cel-spec) over licences and facts, behind the fences of
// platform/fenced-cel.ts.
import {
  compileExpression,
  createRuleEnvironment,
  type JsonObject,
  type RuleEnvironment,
  RuleFault,
  type RuleNode,
} from '../platform/index.ts';
import { addMonths, monthsTouched } from './calendar-months.ts';
import type { ObjectSchema } from './schema-check.ts';

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

/** Compiles the expressions of one rule, in order: later ones see the names bound before them. */
export function createRuleCompiler(world: RuleWorld) {
  let environment = environmentOf(world.params);

  function compile(name: string, source: string): { type: string; run: CompiledExpression } {
    const { type, run } = compileExpression(environment, name, source, fencesOf(name, world));
    return {
      type,
      run: (variables, bindings) => run({ ...variables, ...bindings, unknown: null }),
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

function environmentOf(params: ObjectSchema): RuleEnvironment {
  const schema = Object.entries(params.properties).map(([name, value]) => [name, celType(value)]);
  return createRuleEnvironment()
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

/** Refuses licence types and fields that the service doesn't look at. */
function fencesOf(field: string, world: RuleWorld): (node: RuleNode) => void {
  const knownFields = new Set([...world.licenceFields.values()].flat());
  return (node) => {
    const licenceField = licenceFieldOf(node);
    if (licenceField !== undefined && !knownFields.has(licenceField)) {
      throw new RuleFault(`${field}: no licence type of this service has a field ${licenceField}.`);
    }
    const type = licenceTypeOf(node);
    if (type !== undefined && !world.licenceFields.has(type)) {
      throw new RuleFault(`${field}: ${type} is not among the licence types of this service.`);
    }
  };
}

/** `x.fields.name` → name. */
function licenceFieldOf(node: RuleNode): string | undefined {
  if (node.op !== '.') return undefined;
  const [receiver, name] = node.args;
  return receiver.op === '.' && receiver.args[1] === 'fields' ? name : undefined;
}

function licenceTypeOf(node: RuleNode): string | undefined {
  if (node.op !== 'value' || typeof node.args !== 'string') return undefined;
  return node.args.startsWith('LT-') ? node.args : undefined;
}
