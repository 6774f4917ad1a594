// Names and codes of departments, as answers and receipts carry them.
import type { Clock } from '../platform/index.ts';
import type { ExchangeDeps } from './deps.ts';

/** A department as others see it. */
export interface OrganisationName {
  id: string;
  uscc: string;
  name: string;
}

// A department that was renamed is named rightly a minute later.
const HELD_MILLISECONDS = 60_000;

/** Looks departments up, and remembers them for a moment. */
export function createOrganisationBook(deps: {
  identity: Pick<ExchangeDeps['identity'], 'getOrganisation'>;
  clock: Clock;
}) {
  const held = new Map<string, { organisation: OrganisationName; until: number }>();
  return {
    async get(id: string): Promise<OrganisationName> {
      const now = deps.clock.now().getTime();
      const known = held.get(id);
      if (known && known.until > now) return known.organisation;
      const { uscc, nameZh: name } = await deps.identity.getOrganisation(id);
      const organisation = { id, uscc, name };
      held.set(id, { organisation, until: now + HELD_MILLISECONDS });
      return organisation;
    },
  };
}

export type OrganisationBook = ReturnType<typeof createOrganisationBook>;
