// Agreements: a requester proposes, another department's officer decides, either side sees how it
// stands (contract section 4.2).
import { z } from 'zod';
import { type Actor, accountOf, hasScope, rowScopeOf } from '../identity/index.ts';
import { cityDay, dbNow, type Tx } from '../platform/index.ts';
import {
  type AgreementAct,
  type AgreementState,
  mayAct,
  type Party,
  stateAfter,
  stateOn,
} from './agreement.ts';
import { type AgreementRecords, invalidAgreement, readProposal } from './agreement-record.ts';
import {
  type AgreementRow,
  findAgreement,
  insertApproval,
  listAgreements,
  updateAgreementState,
} from './agreement-store.ts';
import type { ExchangeDeps } from './deps.ts';
import { exchangeErrors } from './errors.ts';
import { checkFreeTexts } from './free-text.ts';
import { departmentOf } from './request.ts';
import { type Page, pageLimit, pageOf } from './requests.ts';
import { readId } from './row-id.ts';
import { faultsOfIssues } from './zod-faults.ts';

/** An agreement as its two parties see it. */
export interface Agreement {
  id: string;
  state: AgreementState;
  version: number;
  requester: string;
  provider: string;
  service?: string;
  licenceType?: string;
  legalBases: string[];
  fields: string[];
  purposes: string[];
  quota: { perDay: number };
  validFrom: string;
  validTo: string;
  paramLimits?: Record<string, unknown[]>;
  cacheAnswers: boolean;
  signedRequests: boolean;
  /** Two officers of the provider must approve it. */
  fourEyes: boolean;
  hash: string;
  /** Filled once both departments sign with their own keys. */
  signatures: never[];
  createdAt: string;
}

const DecisionInput = z.strictObject({
  reason: z.string().trim().min(1).max(500),
  officer: z.string().optional(),
});

/** Binds the acts to the rooms below. */
export function createAgreements(
  { database, ids, cityTz }: Pick<ExchangeDeps, 'database' | 'ids' | 'cityTz'>,
  { providerOf, record, recordEvent }: AgreementRecords,
) {
  async function today(tx: Tx): Promise<string> {
    return cityDay(await dbNow(tx), cityTz);
  }

  /** Notes an approval; true when no further one is needed. */
  async function approve(
    tx: Tx,
    actor: Actor,
    { id, provider, fourEyes, proposedBy, approvedBy }: AgreementRow,
    officer: string | undefined,
  ): Promise<boolean> {
    const by = accountOf(actor, officer);
    if (by === proposedBy || by === approvedBy) {
      throw exchangeErrors.second_approver_needed(
        'Four eyes: another account than the one that proposed or approved this must approve it.',
      );
    }
    await insertApproval(tx, id, { by, department: provider });
    return !fourEyes || approvedBy !== null;
  }

  return {
    /** Proposes an agreement with whoever provides the service or issues the licence type. */
    async proposeAgreement(actor: Actor, written: unknown): Promise<Agreement> {
      requireManager(actor);
      const requester = departmentOf(actor);
      const proposal = readProposal(written);
      return database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const { provider, fourEyes } = await providerOf(tx, proposal);
        if (provider === requester) {
          throw invalidAgreement([
            { pointer: '/service', detail: 'is your own: it needs no agreement' },
          ]);
        }
        const id = ids.uuid();
        const terms = { ...proposal, id, version: 1, requester, provider };
        await record(tx, actor, terms, { state: 'proposed', fourEyes });
        const row = await findAgreement(tx, requester, id);
        if (!row) throw notFound();
        return viewOf(row, await today(tx));
      });
    },

    /**
     * Approves or refuses a proposal, suspends, resumes or revokes an agreement, effective at once.
     * A department's own proposal is decided by the other department.
     */
    async decideAgreement(
      actor: Actor,
      id: string,
      act: AgreementAct,
      written: unknown,
    ): Promise<Agreement> {
      requireManager(actor);
      const department = departmentOf(actor);
      const { reason, officer } = readDecision(written);
      return database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const row = await findAgreement(tx, department, readId(id, notFound), 'for update');
        if (!row) throw notFound();
        const party: Party = row.provider === department ? 'provider' : 'requester';
        if (!mayAct(party, act)) {
          throw exchangeErrors.own_proposal(
            'Only the providing department decides about this: your department is the one that asks.',
          );
        }
        const day = await today(tx);
        const next = stateAfter(stateOn(row.state, row.validTo, day), act);
        if (!next || next === 'expired' || next === 'proposed') {
          throw exchangeErrors.agreement_act_not_allowed(
            'The agreement’s state does not allow this.',
          );
        }
        const isWhole = act !== 'approve' || (await approve(tx, actor, row, officer));
        const state = isWhole ? next : row.state;
        if (isWhole) await updateAgreementState(tx, id, state);
        const event = { act, state, reason, ...(officer === undefined ? {} : { officer }) };
        await recordEvent(tx, actor, row, event, await dbNow(tx));
        return viewOf({ ...row, state }, day);
      });
    },

    /** The caller's agreements on either side, newest first. */
    async listAgreements(
      actor: Actor,
      query: { limit?: number | undefined; cursor?: string | undefined } = {},
    ): Promise<Page<Agreement>> {
      requireReader(actor);
      const limit = pageLimit(query.limit);
      const beforeId = query.cursor === undefined ? undefined : readId(query.cursor, notFound);
      const party = departmentOf(actor);
      return database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const rows = await listAgreements(tx, party, { beforeId, limit: limit + 1 });
        const day = await today(tx);
        return pageOf(rows, limit, (row) => viewOf(row, day));
      });
    },

    /** One agreement of the caller's department; to others it isn't there. */
    async getAgreement(actor: Actor, id: string): Promise<Agreement> {
      requireReader(actor);
      const party = departmentOf(actor);
      const wanted = readId(id, notFound);
      return database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const row = await findAgreement(tx, party, wanted);
        if (!row) throw notFound();
        return viewOf(row, await today(tx));
      });
    },
  };
}

function viewOf(row: AgreementRow, today: string): Agreement {
  const { quotaPerDay, cachesAnswers, service, licenceType, paramLimits, createdAt, ...rest } = row;
  const { proposedBy: _, approvedBy: __, ...same } = rest;
  return {
    ...same,
    state: stateOn(row.state, row.validTo, today),
    ...(service === null ? {} : { service }),
    ...(licenceType === null ? {} : { licenceType }),
    ...(paramLimits === null ? {} : { paramLimits }),
    quota: { perDay: quotaPerDay },
    cacheAnswers: cachesAnswers,
    signatures: [],
    createdAt: new Date(createdAt).toISOString(),
  };
}

function readDecision(written: unknown): z.infer<typeof DecisionInput> {
  const read = DecisionInput.safeParse(written);
  if (!read.success) {
    throw invalidAgreement(faultsOfIssues(read.error));
  }
  checkFreeTexts(read.data);
  return read.data;
}

function requireManager(actor: Actor): void {
  if (hasScope(actor, 'agreements:manage')) return;
  throw exchangeErrors.scope('This needs the scope agreements:manage, or the role approver.');
}

function requireReader(actor: Actor): void {
  if (hasScope(actor, 'agreements:manage') || hasScope(actor, 'verifications:ask')) return;
  throw exchangeErrors.scope('This needs the scope agreements:manage or verifications:ask.');
}

function notFound() {
  return exchangeErrors.agreement_not_found('Your department has no such agreement.');
}
