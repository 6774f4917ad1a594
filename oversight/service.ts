// What a log entry means to a person: to the one it is about, and to those who audit.
import { createAccessLog } from './access-log.ts';
import { createAuditors } from './auditors.ts';
import type { OversightDeps } from './deps.ts';

export type Oversight = ReturnType<typeof createOversight>;

export function createOversight(deps: OversightDeps) {
  const { audit } = deps;
  return {
    ...createAccessLog(deps),
    ...createAuditors(deps),

    /** How the log stands, for anyone: its newest checkpoint, its key, and whether it is witnessed. */
    logState: async () => ({
      checkpoint: await audit.checkpoint(),
      vkey: audit.vkey,
      isWitnessed: audit.isWitnessed,
    }),
  };
}
