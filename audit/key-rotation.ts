// Another key for the log: it is announced by a note that both keys sign and an entry with the note's digest,
// signs beside the old one for as long as outsiders need to take it up, and then goes on alone.
import type { Clock, Database, Ids, Tx } from '../platform/index.ts';
import { auditErrors } from './errors.ts';
import { keysInUse, type LogKey, type LogLife, newestKey } from './life.ts';
import { holdHead, insertStatement, type Lives } from './life-store.ts';
import { formatVkey, type NoteSigner } from './signed-note.ts';
import { stagedRow } from './staged-row.ts';
import { type Statement, signStatement, statementDigest } from './statement.ts';
import { insertStaged } from './store.ts';

export interface KeyRotationDeps {
  logDatabase: Database;
  clock: Clock;
  ids: Ids;
  lives: Lives;
  signerOf(publicKey: Buffer): NoteSigner;
}

export function createKeyRotation({ logDatabase, clock, ids, lives, signerOf }: KeyRotationDeps) {
  type Body =
    | { kind: 'key'; before: string; after: string }
    | { kind: 'retirement'; before: string; after: string; size: number };

  /** Keeps a statement and stages its entry: both or neither. */
  async function state(tx: Tx, life: LogLife, body: Body, keys: LogKey[], actor: string) {
    const previous = life.notes.at(-1);
    const at = clock.now();
    const statement: Statement = {
      ...body,
      number: life.notes.length + 1,
      previous: previous === undefined ? null : statementDigest(previous),
      at: at.toISOString(),
    };
    const note = signStatement(
      statement,
      keys.map(({ vkey, verifier }) => ({ vkey, signer: signerOf(verifier.publicKey) })),
    );
    if (!(await insertStatement(tx, { number: statement.number, note, at }))) {
      throw auditErrors.rotation_state('Another statement was made meanwhile. Look again.');
    }
    const draft = {
      type: body.kind === 'key' ? 'log.key_announced' : 'log.key_retired',
      outcome: 'ok' as const,
      department: null,
      actor,
      role: 'operator',
      commitments: {},
      statement: statementDigest(note),
    };
    await insertStaged(tx, [stagedRow(draft, { clock, ids })]);
  }

  return {
    /**
     * Announces a key and lets it sign beside the one before. Of the same key twice nothing comes;
     * refused while another rotation is not finished.
     */
    announce: (publicKey: Buffer, actor: string): Promise<void> =>
      logDatabase.transaction(async (tx) => {
        const life = await lives.read(tx);
        const { current } = life;
        if (newestKey(current).verifier.publicKey.equals(publicKey)) return;
        if (keysInUse(current).length > 1) {
          throw auditErrors.rotation_state(
            'Two keys of the log are in use. Retire the older one first: keys rotate log --retire.',
          );
        }
        const after = formatVkey(current.origin, publicKey);
        const before = newestKey(current);
        const next = { vkey: after, verifier: { ...before.verifier, publicKey } };
        const body = { kind: 'key' as const, before: before.vkey, after };
        await state(tx, life, body, [before, next], actor);
      }),

    /** Ends the older key's signing; returns it, or undefined when one key alone is in use already. */
    retire: (actor: string): Promise<Buffer | undefined> =>
      logDatabase.transaction(async (tx) => {
        // What the tree holds now the old key may have signed; nothing larger needs it.
        const size = await holdHead(tx);
        const life = await lives.read(tx);
        const [oldest, ...others] = keysInUse(life.current);
        if (!oldest || others.length === 0) return undefined;
        const newest = newestKey(life.current);
        const body = {
          kind: 'retirement' as const,
          before: oldest.vkey,
          after: newest.vkey,
          size,
        };
        await state(tx, life, body, [oldest, newest], actor);
        return oldest.verifier.publicKey;
      }),
  };
}
