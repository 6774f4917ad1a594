// What operators do on /ops, in the order they see it.
import type { Text } from './text/zh.ts';

interface OpsSection {
  /** Its title and lead stand under this name in text.ops.sections. */
  name: keyof Text['ops']['sections'];
  href: `/ops/${string}`;
}

/** A new section is a line here, its words in text/, and routes of its own behind requireOperator. */
export const OPS_SECTIONS: readonly OpsSection[] = [
  { name: 'clients', href: '/ops/clients' },
  { name: 'parties', href: '/ops/parties' },
  { name: 'rights', href: '/ops/rights' },
  { name: 'erasures', href: '/ops/erasures' },
];
