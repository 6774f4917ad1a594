// An entry on its way into the tree: its leaf, and the columns that find it.
import type { Clock, Ids } from '../platform/index.ts';
import { type LeafDraft, makeLeaf } from './leaf.ts';
import type { StagedRow } from './store.ts';

/** The stage's row of a draft; its leaf is made here and never again. */
export function stagedRow(draft: LeafDraft, { clock, ids }: { clock: Clock; ids: Ids }): StagedRow {
  const id = ids.uuid();
  const at = clock.now();
  return {
    id,
    leaf: makeLeaf(draft, id, at, ids),
    at,
    type: draft.type,
    outcome: draft.outcome,
    department: draft.department,
    actor: draft.actor,
    service: draft.service ?? null,
    subjectTag: draft.tags?.subject ?? null,
    caseTag: draft.tags?.case ?? null,
    sealed: draft.sealed ?? null,
    discloseAt: draft.discloseAt ?? null,
  };
}
