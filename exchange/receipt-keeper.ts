// Storing receipts: those that are signed while one statement runs share the next one, so that many
// answers at once cost few commits.
import { type Database, systemScope } from '../platform/index.ts';
import { keepReceipts } from './request-store.ts';

interface Waiting {
  id: string;
  receipt: string;
  resolve: (kept: string) => void;
  reject: (error: unknown) => void;
}

// A statement of 500 receipts of 2.4 kB each stays far under PostgreSQL's limits.
const AT_ONCE = 500;

/** Keeps receipts, in groups. */
export function createReceiptKeeper({ database }: { database: Database }) {
  let waiting: Waiting[] = [];
  let isStoring = false;

  async function store(): Promise<void> {
    isStoring = true;
    while (waiting.length > 0) {
      const group = waiting.slice(0, AT_ONCE);
      waiting = waiting.slice(AT_ONCE);
      try {
        // Of many departments in one statement: each had its answer shown before it was signed.
        const kept = await database.as(systemScope).transaction((tx) => keepReceipts(tx, group));
        for (const { id, receipt, resolve } of group) resolve(kept.get(id) ?? receipt);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    isStoring = false;
  }

  return {
    /** Stores the receipt of an answer; resolves with the one that stands, which may be an earlier one. */
    keep: (id: string, receipt: string): Promise<string> =>
      new Promise((resolve, reject) => {
        waiting.push({ id, receipt, resolve, reject });
        if (!isStoring) void store();
      }),
  };
}

export type ReceiptKeeper = ReturnType<typeof createReceiptKeeper>;
