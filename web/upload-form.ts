// The one form that sends a file. It is taken apart by the edge, in a thread: whoever sends one chooses
// how many parts it has.

/** Where it is posted to. */
export const UPLOAD_PATH = '/verify/document';

/** A part of a form: a text, or a PDF as its bytes. */
export interface UploadPart {
  name: string;
  text: string;
  pdf?: Uint8Array | undefined;
}

export type ReadUpload = (request: Request) => Promise<UploadPart[]>;

export function isUpload(path: string, type: string | undefined): boolean {
  return path === UPLOAD_PATH && /^multipart\/form-data\b/i.test((type ?? '').trim());
}
