// CEL behind fences: rules are data that people publish, and the library's own limits act at parse time
// only. Compiled and type-checked once, when a rule is published; never eval.
import { type ASTNode, Environment } from '@marcbachmann/cel-js';

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

/** A rule that may not be published; `fault` says why, without the data of anyone. */
export class RuleFault extends Error {}

/** A node of a compiled expression, for checks of a room's own. */
export type RuleNode = ASTNode;

/** The names a rule may use. */
export type RuleEnvironment = Environment;

/** An environment with the fences that act while parsing; the caller registers what rules may name. */
export function createRuleEnvironment(): RuleEnvironment {
  return new Environment({ limits });
}

/**
 * Compiles and type-checks one expression behind the fences; RuleFault says why not. `check` sees every
 * node and may refuse too.
 */
export function compileExpression(
  environment: RuleEnvironment,
  name: string,
  source: string,
  check: (node: RuleNode) => void = () => {},
): { type: string; run: (variables: Record<string, unknown>) => unknown } {
  const expression = parse(environment, name, source);
  const { valid, type, error } = expression.check();
  if (!valid || type === undefined) throw new RuleFault(`${name}: ${firstLine(error?.message)}`);
  checkFences(name, expression.ast, check);
  return { type, run: (variables) => expression(variables) };
}

function parse(environment: Environment, name: string, source: string) {
  try {
    return environment.parse(source);
  } catch (error) {
    throw new RuleFault(`${name}: ${firstLine(error instanceof Error ? error.message : '')}`);
  }
}

/** Walks the tree once: forbidden calls, nested comprehensions, growing lists, and the room's own check. */
function checkFences(name: string, root: ASTNode, check: (node: RuleNode) => void): void {
  const visit = (node: ASTNode, depth: number): void => {
    const called = calledName(node);
    if (called !== undefined && forbiddenCalls.has(called)) {
      throw new RuleFault(`${name}: ${called}() may not be used in a rule.`);
    }
    const isComprehension = called !== undefined && comprehensions.has(called);
    if (isComprehension && depth === MAX_COMPREHENSION_DEPTH) {
      throw new RuleFault(`${name}: comprehensions may be nested ${MAX_COMPREHENSION_DEPTH} deep.`);
    }
    if (node.op === '+' && !node.args.every(isTextOrNumber)) {
      throw new RuleFault(`${name}: + joins texts or adds numbers; say string(x) or double(x).`);
    }
    check(node);
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
