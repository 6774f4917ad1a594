// A map over random histories, built as the log builds it: pages in memory, each subject's list beside.
import { emptyList, encodeIndex, extendList, listCommitment } from '../../../audit/map/list.ts';
import {
  changePages,
  emptyHash,
  emptyPage,
  type MapChange,
  type MapProof,
  type Page,
  pagesBelow,
  proveLabel,
} from '../../../audit/map/trie.ts';

export class AMap {
  pages = new Map<string, Page>();
  root: Buffer = emptyHash;

  /** Only the pages on the changed labels' ways are handed over: more must not be needed. */
  change(changes: MapChange[]): void {
    const labels = changes.map(({ label }) => label);
    const { root, written } = changePages(this.onTheWay(labels), changes);
    for (const [path, page] of written) {
      if (page) this.pages.set(path, page);
      else this.pages.delete(path);
    }
    this.root = root;
  }

  prove(label: Buffer): MapProof {
    return proveLabel(this.onTheWay([label]), label);
  }

  private onTheWay(labels: Buffer[]): Map<string, Page> {
    const found = new Map<string, Page>();
    const visit = (path: string) => {
      const page = this.pages.get(path) ?? (path === '' ? emptyPage : undefined);
      if (!page) throw new Error(`There is no page ${path}.`);
      found.set(path, page);
      const here = labels.filter((label) => label.toString('hex').startsWith(path));
      pagesBelow(page, path, here).forEach(visit);
    };
    visit('');
    return found;
  }
}

/** What the map holds of a subject with these entries. */
export function aValue(salt: Buffer, indexes: readonly number[]): Buffer {
  return listCommitment(salt, extendList(emptyList, indexes.map(encodeIndex)).state);
}
