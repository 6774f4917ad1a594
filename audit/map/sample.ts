// What auditors check of the map: is an entry they picked in its subject's list, or among what she isn't to be
// told yet? With the proof, so that they need not believe the answer (docs/adr/0021).
import { type Database, encodeBase64url } from '../../platform/index.ts';
import { scopeOfLog } from '../row-scope.ts';
import { loadPages, type MapKey } from './extend.ts';
import { emptyList, encodePending, extendList, listCommitment } from './list.ts';
import {
  findEntrySubject,
  findList,
  findPendingRoot,
  type PublishedEdition,
} from './map-read-store.ts';
import { findPages, listPending, pendingMap } from './map-store.ts';
import { type CompletenessProof, type Prove, wayAsText } from './prove.ts';
import { checkLabel, proveLabel } from './trie.ts';

/** The proof of what a subject isn't to be told yet: as of completeness, but in the second map. */
export type PendingProof = Omit<CompletenessProof, 'kind' | 'list'> & {
  kind: 'yihao-pending/1';
  /** Opens what the root's entry commits to. */
  pending: { root: string; salt: string };
  /** Each entry's index, and from when it is disclosed (milliseconds). */
  list: { salt: string; items: [number, number][] };
};

/**
 * later: no edition has taken it in yet; nobody: it is about no subject, or she was erased; missing: it stands in
 * neither map, which must not be.
 */
export type MapSample =
  | { index: number; state: 'later' | 'nobody' | 'missing' }
  | { index: number; state: 'disclosed'; proof: CompletenessProof }
  | { index: number; state: 'pending'; proof: PendingProof };

export interface SampleDeps {
  database: Database;
  key: MapKey;
  prove: Prove;
}

export function createSample({ database, key, prove }: SampleDeps) {
  const log = database.as(scopeOfLog);

  /** Where an entry stands; for whoever was found to be an auditor. */
  async function sample(edition: PublishedEdition, index: number): Promise<MapSample> {
    if (index >= edition.size) return { index, state: 'later' };
    const found = await log.transaction(async (tx) => {
      const subjectTag = await findEntrySubject(tx, index);
      return subjectTag && { subjectTag, list: await findList(tx, subjectTag, edition.edition) };
    });
    if (!found) return { index, state: 'nobody' };
    const { subjectTag, list } = found;
    if (list?.indexes.includes(index)) {
      return { index, state: 'disclosed', proof: (await prove.proveIn(edition, subjectTag)).proof };
    }
    const proof = list && (await provePending(edition, subjectTag, list));
    return proof?.list.items.some(([each]) => each === index)
      ? { index, state: 'pending', proof }
      : { index, state: 'missing' };
  }

  async function provePending(
    edition: PublishedEdition,
    subjectTag: Buffer,
    { label, salt }: { label: Buffer; salt: Buffer },
  ): Promise<PendingProof | undefined> {
    const { entries, way, hidden } = await log.transaction(async (tx) => ({
      entries: await listPending(tx, [subjectTag], edition.size, edition.due),
      hidden: await findPendingRoot(tx, edition.edition),
      way: proveLabel(
        await loadPages([label], (paths) => findPages(tx, pendingMap, paths, edition.edition)),
        label,
      ),
    }));
    const items = entries.flatMap(({ index, discloseAt }) =>
      discloseAt ? [{ index, discloseAt }] : [],
    );
    const { state } = extendList(emptyList, items.map(encodePending));
    const shown = hidden && checkLabel(hidden.root, label, way);
    if (!hidden || !shown?.equals(listCommitment(salt, state))) return undefined;
    return {
      kind: 'yihao-pending/1',
      tag: encodeBase64url(subjectTag),
      vrf: encodeBase64url(key.prove(subjectTag)),
      ...wayAsText(way),
      pending: { root: encodeBase64url(hidden.root), salt: encodeBase64url(hidden.salt) },
      list: {
        salt: encodeBase64url(salt),
        items: items.map(({ index, discloseAt }) => [index, discloseAt.getTime()]),
      },
      root: (await prove.rootOf(edition)).root,
    };
  }

  /** All of them in the newest published edition. */
  return async function sampleMap(indexes: readonly number[]): Promise<MapSample[]> {
    const edition = await prove.published();
    const samples: MapSample[] = [];
    for (const index of indexes) samples.push(await sample(edition, index));
    return samples;
  };
}
