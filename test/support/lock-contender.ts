// A process of its own that tries for the instance lock of the folder it is given, says how it
// went, and holds what it got until its input ends.
import { lockInstance } from '../../platform/instance-lock.ts';

lockInstance(process.argv[2] ?? '').then(
  () => {
    process.stdout.write('won\n');
    process.stdin.resume().once('end', () => process.exit(0));
  },
  (error: Error) => {
    process.stdout.write(`${error.message}\n`);
  },
);
