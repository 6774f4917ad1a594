// The thread in which documents are drawn (documents.ts): content in as JSON, PDF out.
import { answerParses } from '../platform/index.ts';
import { DocumentContent } from './document.ts';
import { drawDocument } from './draw-document.ts';

answerParses(async (bytes) => {
  const written: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  return drawDocument(DocumentContent.parse(written));
});
