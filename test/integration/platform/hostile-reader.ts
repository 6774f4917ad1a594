// A reader that does what its input says; the thread of parser-threads.test.ts.
import { errorCatalogue } from '../../../platform/errors.ts';
import { answerParses } from '../../../platform/parser-thread.ts';

const errors = errorCatalogue('registry', { input_invalid: 'invalid' });

answerParses((bytes, about) => {
  const order = Buffer.from(bytes).toString('utf8');
  switch (order) {
    case 'loop':
      for (;;);
    case 'bomb': {
      const held: string[][] = [];
      for (;;) held.push(Array.from({ length: 1_000 }, (_, at) => `${at}-${held.length}`));
    }
    case 'deep': {
      const fall = (depth: number): number => 1 + fall(depth + 1);
      return fall(0);
    }
    case 'exit':
      return process.exit(0);
    case 'environment':
      return Object.keys(process.env);
    case 'about':
      return [JSON.stringify(about)];
    case 'refuse':
      throw errors.input_invalid('Not like this.');
    case 'lie':
      return { words: 'not a list' };
    default:
      return [order];
  }
});
