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
  const parts: { name: string; text: string; pdf?: Uint8Array }[] = [];
  for (const [name, value] of form) {
    if (parts.length === mostParts) {
      throw apiErrors.form_unreadable(`The form has more than ${mostParts} parts.`);
    }
    parts.push({ name, ...(typeof value === 'string' ? { text: value } : await contentOf(value)) });
  }
  return parts;
});

/** A PDF as it is; any other file as its text, and what is no UTF-8 is no text. */
async function contentOf(file: Blob): Promise<{ text: string; pdf?: Uint8Array }> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (Buffer.from(bytes.subarray(0, 5)).toString('latin1') === '%PDF-')
    return { text: '', pdf: bytes };
  try {
    return { text: utf8.decode(bytes) };
  } catch {
    throw apiErrors.form_unreadable('A file in the form is not UTF-8.');
  }
}
