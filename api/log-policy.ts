// The file that LOG_POLICY names: who watches the log from outside.
import { readFileSync } from 'node:fs';
import { auditErrors, parsePolicy, type WitnessPolicy } from '../audit/index.ts';

/** The policy in the file; undefined without one. Throws audit.policy_invalid with what is wrong. */
export function readLogPolicy(path: string | undefined): WitnessPolicy | undefined {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw auditErrors.policy_invalid(`LOG_POLICY names ${path}, which can't be read.`, { cause });
  }
  return parsePolicy(text);
}
