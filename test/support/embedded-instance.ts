// A process of its own that runs the embedded server on the folder it is given. Prints one line:
// the owner's URL, or the refusal. Closes when its input ends; ignores Ctrl-C, to be slower than it.
import { startEmbeddedPostgres } from '../../platform/embedded-postgres.ts';

process.on('SIGINT', () => {});

startEmbeddedPostgres({ dataDir: process.argv[2] ?? '' }).then(
  ({ url, close }) => {
    process.stdout.write(`${url}\n`);
    process.stdin.resume().once('end', () => {
      void close().then(() => process.exit(0));
    });
  },
  (error: Error) => {
    process.stdout.write(`${error.message}\n`);
    process.exit(1);
  },
);
