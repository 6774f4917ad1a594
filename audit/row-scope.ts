// What of the look-ups a reader may see (docs/adr/0011-row-level-security.md).
import type { RowScope } from '../platform/index.ts';

/** The entries with this subject's tag, each from when it may be disclosed to her. */
export function scopeOfTag(subjectTag: Buffer): RowScope {
  return { tag: subjectTag.toString('hex') };
}

/** All entries: for whoever was found to be an auditor. */
export const scopeOfLog: RowScope = Object.freeze({ log: 'on' });
