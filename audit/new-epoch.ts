// A new epoch: the way on after a restore from a backup that lost what was signed. One transaction states the
// loss for ever and stages its entry before all that wait; nothing is done before it, and what comes after it
// any start does by itself. docs/adr/0018-life-of-the-log.md.
import type { Clock, Database, Ids } from '../platform/index.ts';
import type { TreeHead } from './checkpoint.ts';
import { auditErrors } from './errors.ts';
import { takeLeaderLock } from './leader-lock.ts';
import { newestKey, originOfEpoch } from './life.ts';
import { holdHead, insertStagedFirst, insertStatement, type Lives } from './life-store.ts';
import { rootOf } from './proofs.ts';
import { findHeadFault, type KnownHeadsDeps, listKnownHeads } from './self-check.ts';
import { beginEpoch } from './sequence-store.ts';
import { formatVkey, type NoteSigner } from './signed-note.ts';
import { stagedRow } from './staged-row.ts';
import { type EpochStatement, signStatement, statementDigest } from './statement.ts';
import type { ReadTile } from './tiles.ts';

export interface NewEpochDeps extends KnownHeadsDeps {
  logDatabase: Database;
  readTile: ReadTile;
  clock: Clock;
  ids: Ids;
  lives: Lives;
  signerOf(publicKey: Buffer): NoteSigner;
  /** The names of all witnesses that are asked. */
  witnessNames: string[];
}

export interface NewEpochInput {
  reason: string;
  /** Pseudonyms of two operators. */
  operators: [string, string];
  /** The name of the log from now on, as the operator has written it. */
  confirm: string;
}

/** What would be stated, before anybody confirms it. */
export type Loss = Pick<EpochStatement, 'lastKnown' | 'restored' | 'lost' | 'witnesses'> & {
  /** The name of the log from then on. */
  origin: string;
};

export function createNewEpoch(deps: NewEpochDeps) {
  const { logDatabase, readTile, clock, ids, lives, signerOf } = deps;

  /** What is lost; audit.epoch_not_needed when nothing is. */
  async function examine({ size, root }: TreeHead): Promise<Loss> {
    if (!root.equals(await rootOf({ size, readTile }))) {
      throw auditErrors.head_mismatch(
        `The tiles of the log do not give the root of its ${size} entries. A new epoch does not mend that: restore a whole copy.`,
      );
    }
    const life = await lives.read(logDatabase.db);
    const fault = await findHeadFault({ size, root }, life, deps);
    if (!fault) {
      throw auditErrors.epoch_not_needed(
        `The database holds all that was signed, as far as this machine and its witnesses know: ${life.current.origin} goes on with ${size} entries. Nothing was changed.`,
      );
    }
    const { known, kind } = fault;
    const heads = await listKnownHeads(deps, life);
    return {
      lastKnown: {
        size: known.size,
        root: known.root.toString('base64'),
        note: known.note,
        where: known.where,
      },
      restored: { size, root: root.toString('base64') },
      lost: kind === 'older' ? { from: size, to: known.size - 1 } : null,
      witnesses: deps.witnessNames.map((name) => {
        const sizes = heads.filter(({ where }) => where === `the witness ${name}`);
        return { name, size: sizes.length > 0 ? Math.max(...sizes.map((one) => one.size)) : null };
      }),
      origin: originOfEpoch(life.current, life.current.number + 1),
    };
  }

  /** Nobody may write the tree meanwhile. */
  async function alone<T>(act: () => Promise<T>): Promise<T> {
    let lostLock: unknown;
    const lock = await takeLeaderLock(logDatabase, (error) => {
      lostLock = error;
    });
    if (!lock) {
      throw auditErrors.log_is_led('A process leads the log just now. Stop every process first.');
    }
    try {
      const result = await act();
      if (lostLock !== undefined) throw lostLock;
      return result;
    } finally {
      await lock.release();
    }
  }

  return {
    /** What `begin` would state; changes nothing but who may lead. */
    examine: (): Promise<Loss> => alone(async () => examine(await beginEpoch(logDatabase.db))),

    /** States the loss and begins the new epoch; the next start goes on under its name. */
    begin: ({ reason, operators, confirm }: NewEpochInput): Promise<EpochStatement> =>
      alone(async () => {
        const head = await beginEpoch(logDatabase.db);
        const { origin, ...loss } = await examine(head);
        if (confirm !== origin) {
          throw auditErrors.epoch_not_needed(
            `The log would be called ${origin} from now on; what was confirmed is ${confirm}. Nothing was changed.`,
          );
        }
        const life = await lives.read(logDatabase.db);
        const { vkey: before, verifier } = newestKey(life.current);
        const after = formatVkey(origin, verifier.publicKey);
        const previous = life.notes.at(-1);
        const statement: EpochStatement = {
          kind: 'epoch',
          number: life.notes.length + 1,
          previous: previous === undefined ? null : statementDigest(previous),
          at: clock.now().toISOString(),
          before,
          after,
          epoch: life.current.number + 1,
          ...loss,
          reason,
          operators,
        };
        const signer = signerOf(verifier.publicKey);
        const note = signStatement(statement, [
          { vkey: before, signer },
          { vkey: after, signer },
        ]);
        const draft = {
          type: 'log.epoch_begun',
          outcome: 'ok' as const,
          department: null,
          actor: operators[0],
          role: 'operator',
          commitments: {},
          statement: statementDigest(note),
        };
        await logDatabase.transaction(async (tx) => {
          if ((await holdHead(tx)) !== head.size) {
            throw auditErrors.log_is_led('The log has grown meanwhile. Stop every process first.');
          }
          const kept = { number: statement.number, note, at: new Date(statement.at) };
          if (!(await insertStatement(tx, kept))) {
            throw auditErrors.log_is_led('Another statement was made meanwhile. Look again.');
          }
          await insertStagedFirst(tx, stagedRow(draft, { clock, ids }));
        });
        return statement;
      }),
  };
}
