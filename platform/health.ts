// Readiness (`/readyz`): named checks of what the process leans on, and how far background work is.
import type { Json } from './canonical-json.ts';
import { errorLabel } from './error-report.ts';
import { within } from './within.ts';

/** Resolves with a remark for operators, or nothing; rejects when what it looks at is not usable. */
export type HealthCheck = () => Promise<string | undefined>;

export interface CheckResult {
  ok: boolean;
  detail?: string;
}

export interface Readiness {
  ready: boolean;
  checks: Record<string, CheckResult>;
  progress: Record<string, Json>;
}

export interface HealthOptions {
  /** Longest wait for one check; a slower one counts as failed. */
  checkTimeoutMs?: number;
}

/** The process's readiness. Nothing registered and not draining: ready. */
export function createHealth({ checkTimeoutMs = 2000 }: HealthOptions = {}) {
  const checks = new Map<string, HealthCheck>();
  const progress = new Map<string, Json>();
  let isDraining = false;

  return {
    /** Adds a check; one name, one check. */
    check: (name: string, look: HealthCheck): void => {
      if (checks.has(name)) throw new TypeError(`There is a health check "${name}" already.`);
      checks.set(name, look);
    },
    /** Sets what `/readyz` shows as the progress of a background task; never affects readiness. */
    progress: (name: string, value: Json): void => {
      progress.set(name, value);
    },
    /** Not ready from now on, so that load balancers turn away before the doors close. */
    drain: (): void => {
      isDraining = true;
    },
    /** Runs all checks side by side. A failed one tells its kind, not its message. */
    readiness: async (): Promise<Readiness> => {
      const results = await Promise.all(
        [...checks].map(
          async ([name, look]): Promise<[string, CheckResult]> => [
            name,
            await runCheck(look, checkTimeoutMs),
          ],
        ),
      );
      return {
        ready: !isDraining && results.every(([, { ok }]) => ok),
        checks: Object.fromEntries(results),
        progress: Object.fromEntries(progress),
      };
    },
  };
}

export type Health = ReturnType<typeof createHealth>;

async function runCheck(look: HealthCheck, timeoutMs: number): Promise<CheckResult> {
  try {
    const detail = await within(timeoutMs, look(), 'the health check');
    return detail === undefined ? { ok: true } : { ok: true, detail };
  } catch (error) {
    return { ok: false, detail: errorLabel(error) };
  }
}
