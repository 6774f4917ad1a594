// The thread in which a multipart body is taken apart (upload.ts).
import { answerParses } from '../platform/index.ts';
import { apiErrors } from './errors.ts';

/** More than any form of ours or of a CKAN client has. */
const mostParts = 1_000;

const utf8 = new TextDecoder('utf-8', { fatal: true });

answerParses(async (bytes, contentType) => {
  const form = await new Response(Buffer.from(bytes), {
    headers: { 'Content-Type': String(contentType) },
  })
    .formData()
    .catch(() => {
      throw apiErrors.form_unreadable('The form could not be read.');
    });
  const parts: { name: string; text: string }[] = [];
  for (const [name, value] of form) {
    if (parts.length === mostParts) {
      throw apiErrors.form_unreadable(`The form has more than ${mostParts} parts.`);
    }
    parts.push({ name, text: typeof value === 'string' ? value : await textOf(value) });
  }
  return parts;
});

/** A file's text; what is no UTF-8 is no text. */
async function textOf(file: Blob): Promise<string> {
  try {
    return utf8.decode(await file.arrayBuffer());
  } catch {
    throw apiErrors.form_unreadable('A file in the form is not UTF-8.');
  }
}
