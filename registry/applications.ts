// Four eyes: where a type asks for it, issuing becomes an application that another officer approves.
// The database itself refuses an approver who is the requester.

import { z } from 'zod';
import { type Actor, accountOf, requireRole, rowScopeOf } from '../identity/index.ts';
import { dbNow, type JsonObject, type Tx } from '../platform/index.ts';
import {
  type ApplicationRow,
  decideApplication,
  insertApplication,
  listOpenApplications,
  lockApplication,
} from './application-store.ts';
import type { RegistryDeps } from './deps.ts';
import { licenceErased, parseInput, registryErrors } from './errors.ts';
import type { AwaitingApproval, Issuing, Planned } from './issue.ts';
import { Day, Fields, IssueInput } from './licence.ts';
import type { IssuedLicence, Recorder } from './record.ts';
import type { Refusals } from './refusals.ts';
import { sealContexts } from './sealed-licence.ts';

/** What is sealed of an application: names and fields, people as references. */
const SealedApplication = z.object({
  holderName: z.string(),
  fields: Fields,
  validFrom: Day.optional(),
  validTo: Day.nullable().optional(),
  purpose: z.string().optional(),
});

/** Binds the acts on applications. */
export function createApplications(
  deps: RegistryDeps,
  parts: { issuing: Pick<Issuing, 'plan' | 'draft'>; record: Recorder; refusals: Refusals },
) {
  const { database, audit, identity, ids } = deps;
  const { issuing, record, refusals } = parts;

  async function openInput(tx: Tx, row: ApplicationRow): Promise<IssueInput> {
    const [bytes] = await identity.openMany(tx, [
      {
        personId: row.holderId,
        sealed: row.inputSealed,
        context: sealContexts.application(row.id),
      },
    ]);
    if (!bytes) throw licenceErased();
    const { holderName, fields, ...rest } = SealedApplication.parse(JSON.parse(String(bytes)));
    const { scheme, value } = await identity.revealPerson(tx, row.holderId);
    return parseInput(IssueInput, {
      type: row.typeId,
      holder: { scheme, value, name: holderName },
      fields: await identity.resolveReferences(tx, fields),
      ...rest,
    });
  }

  /** The application, if the actor's department may decide it and it is still open. */
  async function lockOwn(tx: Tx, actor: Actor, id: string): Promise<ApplicationRow> {
    const isId = z.uuid().safeParse(id).success;
    const row = isId ? await lockApplication(tx, id) : undefined;
    if (!row || row.organisationId !== actor.organisationId) {
      throw registryErrors.application_not_found('There is no such application here.');
    }
    if (row.state !== 'awaiting_approval') {
      throw registryErrors.application_decided('This application was decided before.');
    }
    if (row.requester === accountOf(actor)) {
      throw registryErrors.own_application(
        'Four eyes: an officer other than the one who asked must decide.',
      );
    }
    return row;
  }

  return {
    /** Takes a checked input as an application. Called by issue. */
    async apply(actor: Actor, planned: Planned): Promise<AwaitingApproval> {
      const { input, type, authority } = planned;
      const id = ids.uuid();
      const { stageId } = await database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const now = await dbNow(tx);
        const [draft] = await issuing.draft(tx, [planned], now);
        if (!draft) throw new TypeError('One plan in, one draft out.');
        const fields: JsonObject = await identity.internReferences(tx, type.schema, input.fields);
        const { validFrom, validTo, purpose } = input;
        const plaintext = Buffer.from(
          JSON.stringify({ holderName: input.holder.name, fields, validFrom, validTo, purpose }),
        );
        const [inputSealed] = await identity.sealMany(tx, [
          { personId: draft.holderId, plaintext, context: sealContexts.application(id) },
        ]);
        if (!inputSealed) throw new TypeError('One value in, one sealed value out.');
        await insertApplication(
          tx,
          {
            id,
            typeId: type.id,
            organisationId: authority.id,
            holderId: draft.holderId,
            requester: accountOf(actor),
            inputSealed,
          },
          now,
        );
        return identity.recordAccess(tx, actor, {
          type: 'licence.applied',
          outcome: 'ok',
          subject: draft.holderId,
          ...(purpose === undefined ? {} : { purpose }),
        });
      });
      await audit.sequenced([stageId]);
      return { id, state: 'awaiting_approval' };
    },

    /** Approves another officer's application and issues the licence. */
    async approveApplication(actor: Actor, id: string): Promise<IssuedLicence> {
      requireRole(actor, 'approver');
      const attempt = () => ({ type: 'licence.approval_refused' });
      return refusals.logged(actor, attempt, async () => {
        const seen = await database
          .as(rowScopeOf(actor))
          .transaction(async (tx) => openInput(tx, await lockOwn(tx, actor, id)));
        const planned = await issuing.plan(actor, [seen]);
        const { licences, stageIds } = await database
          .as(rowScopeOf(actor))
          .transaction(async (tx) => {
            await lockOwn(tx, actor, id);
            const now = await dbNow(tx);
            const recorded = await record(tx, actor, await issuing.draft(tx, planned, now), now);
            const number = recorded.licences[0]?.number ?? null;
            await decideApplication(
              tx,
              { id, state: 'approved', approver: accountOf(actor), number },
              now,
            );
            return recorded;
          });
        await audit.sequenced(stageIds);
        const [licence] = licences;
        if (!licence) throw new TypeError('One application in, one licence out.');
        return licence;
      });
    },

    /** Refuses another officer's application; nothing is issued. */
    async refuseApplication(actor: Actor, id: string): Promise<{ id: string; state: 'refused' }> {
      requireRole(actor, 'approver');
      const { stageId } = await database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const row = await lockOwn(tx, actor, id);
        await decideApplication(
          tx,
          { id, state: 'refused', approver: accountOf(actor), number: null },
          await dbNow(tx),
        );
        return identity.recordAccess(tx, actor, {
          type: 'licence.application_refused',
          outcome: 'ok',
          subject: row.holderId,
        });
      });
      await audit.sequenced([stageId]);
      return { id, state: 'refused' };
    },

    /** What waits for approval in the actor's department, oldest first; says nothing of the people. */
    async listApplications(
      actor: Actor,
    ): Promise<{ id: string; type: string; requester: string; requestedAt: string }[]> {
      requireRole(actor, 'approver', 'issuer');
      if (actor.organisationId === null) return [];
      const { organisationId } = actor;
      return database
        .as(rowScopeOf(actor))
        .transaction((tx) => listOpenApplications(tx, organisationId));
    },
  };
}
