// Rules over views, in threads that a time-out ends. One rule that doesn't end or fails is told of and
// stops no other.
import { z } from 'zod';
import { createParser, type JsonObject, ParserEnded } from '../platform/index.ts';
import type { VigilanceRule } from './vigilance-rule.ts';

/** Of one rule: at which views it holds, or why it could not be run over them. */
export interface Verdict {
  holds: number[];
  fault: string | null;
}

const Verdicts = z.array(
  z.object({ holds: z.array(z.int().nonnegative()), fault: z.string().nullable() }),
);

/** Views of one look each that a thread is handed at a time. */
export const VIEWS_AT_ONCE = 500;
// 500 views and 13 rules take a tenth of a second; a thread's start takes seconds on a busy machine.
const usualSeconds = 15;
const WARM_UPS = 5;

export interface JudgeOptions {
  /** Longest time for one hand-over, and for a thread's start. */
  seconds?: number;
}

type Judged = Pick<VigilanceRule, 'expression' | 'params'>;

export function createJudge({ seconds = usualSeconds }: JudgeOptions = {}) {
  const parse = createParser({
    module: new URL('./vigilance-thread.ts', import.meta.url),
    result: Verdicts,
    megabytes: 128,
    seconds,
    atOnce: 2,
    // The watch and the replays hand over one batch each at a time.
    mostWaiting: 16,
  });

  async function run(rules: readonly Judged[], views: readonly JsonObject[]): Promise<Verdict[]> {
    const task = {
      rules: rules.map(({ expression, params }) => ({ expression, params })),
      views,
    };
    return parse(Buffer.from(JSON.stringify(task)));
  }

  /** A thread that is there before a rule's time begins: its start is no fault of the rule. */
  async function warmUp(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await run([], []);
        return;
      } catch (error) {
        if (!(error instanceof ParserEnded) || tries === WARM_UPS) throw error;
      }
    }
  }

  /** The verdicts of the rules, in their order. Together first; one by one when a thread was ended. */
  return async function judge(
    rules: readonly Judged[],
    views: readonly JsonObject[],
  ): Promise<Verdict[]> {
    if (views.length === 0) return rules.map(() => ({ holds: [], fault: null }));
    await warmUp();
    try {
      return await run(rules, views);
    } catch (error) {
      if (!(error instanceof ParserEnded)) throw error;
      if (rules.length === 1) return [{ holds: [], fault: error.reason }];
    }
    const verdicts: Verdict[] = [];
    for (const rule of rules) verdicts.push(...(await judge([rule], views)));
    return verdicts;
  };
}

export type Judge = ReturnType<typeof createJudge>;
