// The proof that a subject's list is whole (docs/adr/0021), as she saves it and the offline verifier reads
// it. Its form depends on what is disclosed alone: what isn't is in another map.
import { type Database, encodeBase64url } from '../../platform/index.ts';
import { createEntries } from '../entries.ts';
import { auditErrors } from '../errors.ts';
import { type MapStatement, parseLeaf } from '../leaf.ts';
import { scopeOfTag } from '../row-scope.ts';
import { labelOf, loadPages, type MapKey } from './extend.ts';
import { emptyList, encodeIndex, extendList, listCommitment } from './list.ts';
import {
  findList,
  findPublishedEdition,
  type MappedList,
  type PublishedEdition,
} from './map-read-store.ts';
import { disclosedMap, findPages } from './map-store.ts';
import { checkLabel, type MapProof, proveLabel } from './trie.ts';

/** Binary members are base64url, the leaf base64 as in receipts. */
export type CompletenessProof = {
  kind: 'yihao-completeness/1';
  tag: string;
  vrf: string;
  siblings: string[];
  end: { label: string; value: string } | null;
  list: { salt: string; indexes: number[] } | null;
  root: { index: number; leaf: string; proof: string };
};

/** A proof with what it says, so that nobody needs to take it apart to show it. */
export type ProvenList = {
  proof: CompletenessProof;
  indexes: number[];
  /** As the entry with the root says it. */
  statement: MapStatement;
};

export interface ProveDeps {
  database: Database;
  key: MapKey;
  /** How many entries the shown checkpoint covers. */
  shownSize(): Promise<number>;
  receipt(index: number): Promise<string>;
}

/** A map is published within seconds of the log's growth. */
const retryAfterSeconds = 5;

export type Prove = ReturnType<typeof createProve>;

export function createProve({ database, key, shownSize, receipt }: ProveDeps) {
  /** The newest edition whose root is in the shown tree; audit.not_yet_checkpointed before the first. */
  async function published(): Promise<PublishedEdition> {
    const edition = await findPublishedEdition(database.db, await shownSize());
    if (edition) return edition;
    throw auditErrors.not_yet_checkpointed('The map of looks is not published yet.', {
      retryAfterSeconds,
    });
  }

  /** The entry that holds an edition's root, with what it says. */
  async function rootOf({ index }: PublishedEdition) {
    const { leaf } = await createEntries(database).getEntry(index);
    const statement = parseLeaf(leaf)?.map;
    if (!statement) throw new Error(`Entry ${index} does not hold the root of the map.`);
    const proof = await receipt(index);
    return { root: { index, leaf: leaf.toString('base64'), proof }, statement };
  }

  async function proveIn(edition: PublishedEdition, subjectTag: Buffer): Promise<ProvenList> {
    const { list, way, label } = await database
      .as(scopeOfTag(subjectTag))
      .transaction(async (tx) => {
        const found = await findList(tx, subjectTag, edition.edition);
        const own = found?.label ?? labelOf(key, subjectTag);
        const pages = await loadPages([own], (paths) =>
          findPages(tx, disclosedMap, paths, edition.edition),
        );
        return { list: found, way: proveLabel(pages, own), label: own };
      });
    const held = list && list.indexes.length > 0 ? list : null;
    refuseFalse(edition.root, label, way, held);
    const { root, statement } = await rootOf(edition);
    const proof: CompletenessProof = {
      kind: 'yihao-completeness/1',
      tag: encodeBase64url(subjectTag),
      vrf: encodeBase64url(key.prove(subjectTag)),
      ...wayAsText(way),
      list: held && { salt: encodeBase64url(held.salt), indexes: held.indexes },
      root,
    };
    return { proof, indexes: held?.indexes ?? [], statement };
  }

  return {
    published,
    rootOf,
    proveIn,
    /** For the subject's own eyes. Checked before it leaves. */
    completeness: async (subjectTag: Buffer): Promise<ProvenList> =>
      proveIn(await published(), subjectTag),
  };
}

/** The way through the map in the form of the proof. */
export function wayAsText({
  siblings,
  end,
}: MapProof): Pick<CompletenessProof, 'siblings' | 'end'> {
  return {
    siblings: siblings.map(encodeBase64url),
    end: end && { label: encodeBase64url(end.label), value: encodeBase64url(end.value) },
  };
}

/** A proof that wouldn't hold is never handed out: something in the map was changed by hand. */
function refuseFalse(root: Buffer, label: Buffer, way: MapProof, list: MappedList | null): void {
  const value =
    list && listCommitment(list.salt, extendList(emptyList, list.indexes.map(encodeIndex)).state);
  const shown = checkLabel(root, label, way);
  const isTrue = value === null ? shown === null : shown?.equals(value);
  if (!isTrue) throw new Error('The map can’t prove a list; run the audit verification.');
}
