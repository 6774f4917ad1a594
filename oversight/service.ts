// What a log entry means to a person: to the one it is about, and to those who audit.
import type { LogEpoch } from '../audit/index.ts';
import { createAccessLog } from './access-log.ts';
import { createAuditors } from './auditors.ts';
import type { OversightDeps } from './deps.ts';
import { createExportBuild } from './export-build.ts';
import { createExports } from './exports.ts';
import { createIntegrityRuns } from './integrity-runs.ts';
import { createMapSamples } from './map-samples.ts';
import { createOwnExport } from './own-export.ts';
import { createSavedSearches } from './saved-searches.ts';
import { createSearching } from './search-conditions.ts';
import { createTickets } from './tickets.ts';
import { createUnmaskings } from './unmaskings.ts';
import { createWatch } from './watched.ts';

export type Oversight = ReturnType<typeof createOversight>;

/** How the log stands: what is shown of it, and who outside has signed that. */
export type LogState = Awaited<ReturnType<Oversight['logState']>>;

export function createOversight(deps: OversightDeps) {
  const { audit } = deps;
  const watch = createWatch(deps);
  const searching = createSearching(deps);
  const auditors = createAuditors(deps, watch, searching);
  const tickets = createTickets(deps, watch, searching);
  const integrityRuns = createIntegrityRuns(deps, watch);
  const exportBuild = createExportBuild(deps, searching);
  return {
    ...createAccessLog(deps),
    ...auditors,
    ...createMapSamples(deps, watch),
    ...createUnmaskings(deps, watch, searching),
    ...createSavedSearches(deps, watch, searching, auditors.search),
    ...createExports(deps, watch, searching),
    ...exportBuild,
    ...createOwnExport(deps, searching),
    ...integrityRuns,
    ...tickets,

    /** How the log stands, for anyone: its checkpoint, its key, and who outside has signed it. */
    logState: async () => {
      const [checkpoint, state] = await Promise.all([audit.checkpoint(), audit.witnessState()]);
      const { epochs } = await audit.life();
      return { ...state, checkpoint, vkey: audit.vkey, losses: epochs.flatMap(lossOf) };
    },

    jobs: [
      { name: 'oversight.tickets', everyMs: 10_000, run: () => tickets.moveLateTickets() },
      {
        name: 'oversight.integrity',
        everyMs: 1_000,
        run: (signal: AbortSignal) => integrityRuns.checkIntegrity(signal),
      },
      {
        name: 'oversight.exports',
        everyMs: 1_000,
        run: (signal: AbortSignal) => exportBuild.writeExports(signal),
      },
    ],
  };
}

/** What an epoch had to state when it began. */
function lossOf({ number, statement }: LogEpoch) {
  if (!statement) return [];
  const { at, lost, reason, lastKnown, restored } = statement;
  return [{ number, at, lost, reason, signed: lastKnown.size, kept: restored.size }];
}
