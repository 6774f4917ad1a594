// Auditors sample the map of looks: entries they pick, or a few drawn, each to be found in its subject's list
// or among what she isn't to be told yet (docs/adr/0021). The answer brings the proofs.
import type { LogEntry, MapSample } from '../audit/index.ts';
import { scopeOfLog } from '../audit/index.ts';
import type { Actor } from '../identity/index.ts';
import type { OversightDeps } from './deps.ts';
import { inWords } from './search-conditions.ts';
import type { Watch } from './watched.ts';

/**
 * A sample, with the opening of what the entry's leaf says of its subject: the same tag as the proof's. Null where
 * nothing opens it, which must not be where there is a proof.
 */
export type AuditSample = MapSample & {
  leaf: string;
  opening: { salt: string; value: string } | null;
};

export interface SampleQuery {
  indexes?: number[] | undefined;
  /** So many drawn from the whole log instead. */
  count?: number | undefined;
}

export function createMapSamples(
  { audit, identity, ids }: Pick<OversightDeps, 'audit' | 'identity' | 'ids'>,
  watch: Watch,
) {
  const log = audit.as(scopeOfLog);

  async function draw(count: number): Promise<number[]> {
    const { size } = await audit.head();
    return Array.from({ length: size === 0 ? 0 : count }, () => ids.int(size));
  }

  /** Its words are sealed for its own tag: filed under another, they don't open. */
  async function openingOf(entry: LogEntry): Promise<AuditSample['opening']> {
    const [detail] = await identity.openAccess([entry]).catch(() => []);
    return detail?.openings.subject ?? null;
  }

  return {
    /** audit.unknown_entry for an index beyond the log; audit.not_yet_checkpointed before the first map. */
    async sampleMap(actor: Actor, { indexes, count = 5 }: SampleQuery): Promise<AuditSample[]> {
      const chosen = indexes ?? (await draw(count));
      const call = { type: 'audit.map_sampled', question: inWords({ indexes: chosen.join(' ') }) };
      return watch.look(actor, call, async () => {
        const entries: LogEntry[] = [];
        for (const index of chosen) entries.push(await log.getEntry(index));
        const samples = await audit.sampleMap(chosen);
        const openings = await Promise.all(entries.map(openingOf));
        return samples.map((sample, at) => ({
          ...sample,
          leaf: entries[at]?.leaf.toString('base64') ?? '',
          opening: openings[at] ?? null,
        }));
      });
    },
  };
}
