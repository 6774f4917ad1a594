// Multipart bodies, taken apart in a thread: whoever sends one chooses how many parts it has.
import { z } from 'zod';
import { createParser, ParserEnded } from '../platform/index.ts';
import { apiErrors } from './errors.ts';

/** 20 MiB, the largest upload, of parts as small as can be takes about a second until it is refused. */
const limits = { megabytes: 256, seconds: 15, atOnce: 2, mostWaiting: 16, isMoved: true };

/** A field's or file's text, or a PDF as its bytes. */
const Part = z.object({
  name: z.string(),
  text: z.string(),
  pdf: z.instanceof(Uint8Array).optional(),
});

const parse = createParser({
  module: new URL('./upload-thread.ts', import.meta.url),
  result: z.array(Part),
  ...limits,
});

/** The parts of a multipart body in their order. */
export async function readMultipart(request: Request): Promise<z.infer<typeof Part>[]> {
  const bytes = new Uint8Array(await request.arrayBuffer());
  try {
    return await parse(bytes, request.headers.get('content-type') ?? '');
  } catch (error) {
    if (!(error instanceof ParserEnded)) throw error;
    throw apiErrors.upload_too_costly(
      'Reading this form took more time or memory than a form does. Send fewer and plainer parts.',
      { cause: error },
    );
  }
}
