// A refusal as whoever called from the command line reads it: what it is, what was wrong, what to do.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Reply } from './machine-client.ts';

const Problem = z.object({
  code: z.string(),
  detail: z.string().default(''),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).default([]),
});
/** RFC 6749 section 5.2. */
const OAuthError = z.object({ error: z.string(), error_description: z.string().default('') });

const AFTER_OAUTH: Record<string, string> = {
  invalid_client:
    'Has an operator suspended or held the client, or ended its key (/ops/clients)? Is this the file of this house, and its clock right?',
  invalid_scope: 'The client lacks a scope of its file: an operator changes that at /ops/clients.',
  invalid_dpop_proof: 'The proof was too old or used before: is this machine’s clock right?',
};

/** Lines for stderr. */
export async function refusalLines({ status, json, text }: Reply): Promise<string[]> {
  const problem = Problem.safeParse(json);
  if (problem.success) {
    const { code, detail, errors } = problem.data;
    return [
      `Refused: ${code} (${status})`,
      ...(detail === '' ? [] : [detail]),
      ...errors.map((one) => `  ${one.pointer}: ${one.detail}`),
      ...(await paragraphOf(code)),
    ];
  }
  const oauth = OAuthError.safeParse(json);
  if (oauth.success) {
    const { error, error_description: detail } = oauth.data;
    const advice = AFTER_OAUTH[error];
    return [
      `Refused: ${error} (${status})`,
      ...(detail === '' ? [] : [detail]),
      ...(advice ? [advice] : []),
    ];
  }
  return [`Answered with ${status}, in words that are none of this house:`, text.slice(0, 200)];
}

/** What docs/problems.md says of a code; nothing where the document isn't beside the program. */
async function paragraphOf(code: string): Promise<string[]> {
  const path = join(import.meta.dirname, '..', 'docs', 'problems.md');
  const document = await readFile(path, 'utf8').catch(() => '');
  const [, found] = document.split(`- \`${code}\` (`);
  const words = found?.split(/\n(?=- |\n|#)/, 1)[0]?.replace(/^\d+\):\s*/, '');
  return words ? [`What it means: ${words.replace(/\s+/g, ' ').trim()}`] : [];
}
