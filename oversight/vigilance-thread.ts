// The thread in which rules are run: a rule that doesn't end is ended with it (vigilance-judge.ts).
import { z } from 'zod';
import { answerParses, type JsonObject } from '../platform/index.ts';
import { compileVigilance } from './vigilance-rule.ts';

const Task = z.object({
  rules: z.array(
    z.object({
      expression: z.string(),
      params: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
    }),
  ),
  views: z.array(z.custom<JsonObject>()),
});

answerParses((bytes) => {
  const { rules, views } = Task.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  return rules.map((rule) => {
    const holds: number[] = [];
    let fault: string | null = null;
    try {
      const judge = compileVigilance(rule);
      for (const [at, view] of views.entries()) if (judge(view)) holds.push(at);
    } catch (error) {
      // The library's message names places in the expression, and no value of a view.
      fault =
        error instanceof Error ? (error.message.split('\n')[0] ?? '').slice(0, 200) : 'failed';
    }
    return { holds, fault };
  });
});
