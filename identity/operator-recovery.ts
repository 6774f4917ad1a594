// What is left when fewer than two operators could decide: grants ran out, or passkeys are lost. Whoever
// runs the house names two accounts on its machine; the database asks whether there is need, and the log
// keeps who was named and why. And the warning before it comes to that.
import { addDays, cityDay, type Database, dbNow, type Ids, type Tx } from '../platform/index.ts';
import type { AccessEntry } from './access.ts';
import type { Actor } from './actor.ts';
import type { Enrolment, Enrolments } from './enrolments.ts';
import { identityErrors } from './errors.ts';
import { requireSystem } from './founding.ts';
import { readReason } from './officers.ts';
import { endPasskeys } from './passkey-resets.ts';
import { OfficerKey } from './role-request.ts';
import {
  deleteGrant,
  insertOfficer,
  insertRecovery,
  listOperators,
  lockOfficer,
  lockOperators,
} from './store-officers.ts';
import { findOrganisation } from './store-organisations.ts';

/** How long before it happens operators are told that there will be too few of them. */
export const WARNING_DAYS = 30;

/** How many operators can decide, today and for how long. */
export interface OperatorsInForce {
  now: number;
  /** Of those, how many still can in 30 days. */
  inThirtyDays: number;
  /** The last day on which two can decide; null: without end, or past already. */
  lastDayOfTwo: string | null;
}

/** An operator named anew, and the link to hand over if she has no way in. */
export interface RestoredOperator {
  username: string;
  enrolment: Enrolment | null;
}

export function createOperatorRecovery(deps: {
  database: Database;
  ids: Ids;
  cityTz: string;
  enrolments: Pick<Enrolments, 'makeEnrolment'>;
  recordAccess: (tx: Tx, actor: Actor, entry: AccessEntry) => Promise<unknown>;
}) {
  const { database, ids, cityTz, enrolments, recordAccess } = deps;

  const today = async (tx: Tx): Promise<string> => cityDay(await dbNow(tx), cityTz);

  function record(tx: Tx, actor: Actor, type: string, question: string, purpose: string) {
    return recordAccess(tx, actor, { type, outcome: 'ok', question, purpose, answerKind: 'none' });
  }

  /** The account of this name for operating, held; opened in an organisation where there is none yet. */
  async function take(
    tx: Tx,
    actor: Actor,
    username: string,
    organisationId: string | undefined,
  ): Promise<string> {
    const officer = await lockOfficer(tx, username);
    if (officer?.duty === 'operate' && !officer.hasLeft) return officer.id;
    const hasRoom = organisationId !== undefined && (await findOrganisation(tx, organisationId));
    if (officer) {
      throw identityErrors.officer_not_found(
        `The account ${username} has left, or is not for operating: name another.`,
      );
    }
    if (!hasRoom || !OfficerKey.safeParse(username).success) {
      throw identityErrors.officer_not_found(
        `There is no account ${username}: say in which organisation of this house to open one.`,
      );
    }
    const row = {
      id: ids.uuid(),
      key: username,
      username,
      organisationId,
      duty: 'operate' as const,
    };
    await insertOfficer(tx, row, await dbNow(tx));
    await record(tx, actor, 'officer.added', username, 'operate');
    return row.id;
  }

  return {
    /**
     * Names two operators, while fewer than two could decide; both get the role without end, since two
     * alone can't renew each other's.
     */
    async restoreOperators(
      actor: Actor,
      input: {
        operators: readonly [string, string];
        organisation?: string | undefined;
        reason: string;
      },
    ): Promise<RestoredOperator[]> {
      requireSystem(actor);
      const reason = readReason(input.reason);
      const [first, second] = input.operators;
      if (first === second) {
        throw identityErrors.founding_invalid('Two accounts have two names.');
      }
      return database.transaction(async (tx) => {
        const day = await today(tx);
        if ((await lockOperators(tx, day)).length >= 2) {
          throw identityErrors.operators_exist(
            'Two operators can decide: roles are granted by them, at /ops/rights.',
          );
        }
        const named: string[] = [];
        for (const username of input.operators) {
          named.push(await take(tx, actor, username, input.organisation));
        }
        const [firstId = '', secondId = ''] = named;
        for (const id of named) await deleteGrant(tx, id, 'operator');
        const recovery = { id: ids.uuid(), firstId, secondId, reason, day };
        await insertRecovery(tx, recovery, await dbNow(tx));
        const restored: RestoredOperator[] = [];
        for (const [at, id] of named.entries()) {
          const username = input.operators[at] ?? '';
          await record(tx, actor, 'role.restored', `grant operator ${username}`, reason);
          restored.push({ username, enrolment: await enrolments.makeEnrolment(tx, id) });
        }
        return restored;
      });
    },

    /**
     * Ends an operator's lost passkeys and sessions on the house's machine, while there are no two others
     * who could do it.
     */
    async resetOperator(
      actor: Actor,
      username: string,
      written: { reason: string },
    ): Promise<Enrolment | null> {
      requireSystem(actor);
      const reason = readReason(written.reason);
      return database.transaction(async (tx) => {
        const operators = await lockOperators(tx, await today(tx));
        const officer = await lockOfficer(tx, username);
        if (!officer || officer.hasLeft || !operators.includes(officer.id)) {
          throw identityErrors.officer_not_found('There is no such operator here.');
        }
        if (operators.length > 2) {
          throw identityErrors.operators_exist(
            'Two other operators can do this: one asks for it at /ops/rights, another decides.',
          );
        }
        await endPasskeys(tx, officer.id);
        await record(tx, actor, 'passkeys.reset', username, reason);
        return enrolments.makeEnrolment(tx, officer.id);
      });
    },

    /** How many operators can decide, and for how long: for warnings, before nobody can. */
    async operatorsInForce(): Promise<OperatorsInForce> {
      const day = await today(database.db);
      const ends = (await listOperators(database.db, day)).map(({ validTo }) => validTo ?? FOREVER);
      const lasting = ends.filter((end) => end >= addDays(day, WARNING_DAYS));
      const [, secondToGo = FOREVER] = ends.sort().reverse();
      const hasEnd = ends.length >= 2 && secondToGo !== FOREVER;
      return {
        now: ends.length,
        inThirtyDays: lasting.length,
        lastDayOfTwo: hasEnd ? secondToGo : null,
      };
    },
  };
}

/** Later than any day that is written down. */
const FOREVER = '9999-12-31';
