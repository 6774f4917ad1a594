// The organisations that issue, held for a moment: every issue and every public look needs one, and
// they change a few times a year.
import type { Organisation } from '../identity/index.ts';
import type { RegistryDeps } from './deps.ts';

const HELD_MILLISECONDS = 10_000;

/** Reads organisations through a short memory. Never called inside a transaction. */
export function createAuthorities({ identity, clock }: Pick<RegistryDeps, 'identity' | 'clock'>) {
  const held = new Map<string, { organisation: Organisation; until: number }>();

  return {
    /** The organisation of this id; one that changed elsewhere is known here within ten seconds. */
    async get(id: string): Promise<Organisation> {
      const now = clock.now().getTime();
      const known = held.get(id);
      if (known && known.until > now) return known.organisation;
      const organisation = await identity.getOrganisation(id);
      held.set(id, { organisation, until: now + HELD_MILLISECONDS });
      return organisation;
    },
  };
}

export type Authorities = ReturnType<typeof createAuthorities>;
