// Reading a source apart from everything else: whoever sends it chooses its bytes.
import { z } from 'zod';
import { createParser, ParserEnded } from '../platform/index.ts';
import { DatasetContent } from './dataset.ts';
import { catalogueErrors } from './errors.ts';
import { type ReadSource, sourceFormats } from './source-record.ts';

const Identity = z.object({
  identifier: z.string(),
  url: z.string(),
  title: z.string(),
  organisation: z.string(),
});
const Placed = z.object({ position: z.number().int().nonnegative(), identity: Identity });

const Read: z.ZodType<ReadSource> = z.object({
  format: z.enum(sourceFormats),
  records: z.array(
    z.union([
      Placed.extend({
        record: z.object({
          content: DatasetContent,
          organisation: z.object({ title: z.string(), region: z.string() }).nullable(),
        }),
      }),
      Placed.extend({ faults: z.array(z.object({ field: z.string(), why: z.string() })) }),
    ]),
  ),
});

/** JSON of 64 MB takes about 0.5 GB while it is read, and its records as much again. */
const limits = { megabytes: 1536, seconds: 120, atOnce: 2, mostWaiting: 4 };

const parse = createParser({
  module: new URL('./source-thread.ts', import.meta.url),
  result: Read,
  ...limits,
});

/** The source, read in a thread with limits; one that passes them is refused as too large. */
export async function readApart(bytes: Uint8Array): Promise<ReadSource> {
  try {
    return await parse(bytes);
  } catch (error) {
    if (!(error instanceof ParserEnded)) throw error;
    throw catalogueErrors.source_too_large(
      `Reading the source took more than ${limits.seconds} s or ${limits.megabytes} MB: split it, or send it as several sources.`,
      { cause: error },
    );
  }
}
