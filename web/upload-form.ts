// The one form that sends a file. It is taken apart by the edge, in a thread: whoever sends one chooses
// how many parts it has.
import type { PageContext } from './page.tsx';

/** Where it is posted to. */
export const UPLOAD_PATH = '/verify/document';

/** A part of a form: a text, or a PDF as its bytes. */
export interface UploadPart {
  name: string;
  text: string;
  pdf?: Uint8Array | undefined;
}

export type ReadUpload = (request: Request) => Promise<UploadPart[]>;

export function isUpload(c: PageContext): boolean {
  const type = c.req.header('content-type') ?? '';
  return c.req.path === UPLOAD_PATH && /^multipart\/form-data\b/i.test(type.trim());
}
