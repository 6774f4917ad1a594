// The thread in which a source is read (read-apart.ts).
import { answerParses } from '../platform/index.ts';
import { readSource } from './source-format.ts';

answerParses(readSource);
