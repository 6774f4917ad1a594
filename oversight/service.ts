// What a log entry means to a person: to the one it is about, and to those who audit.
import { createAccessLog } from './access-log.ts';
import { createAuditors } from './auditors.ts';
import type { OversightDeps } from './deps.ts';

export type Oversight = ReturnType<typeof createOversight>;

/** How the log stands: what is shown of it, and who outside has signed that. */
export type LogState = Awaited<ReturnType<Oversight['logState']>>;

export function createOversight(deps: OversightDeps) {
  const { audit } = deps;
  return {
    ...createAccessLog(deps),
    ...createAuditors(deps),

    /** How the log stands, for anyone: its checkpoint, its key, and who outside has signed it. */
    logState: async () => {
      const [checkpoint, state] = await Promise.all([audit.checkpoint(), audit.witnessState()]);
      return { ...state, checkpoint, vkey: audit.vkey };
    },
  };
}
