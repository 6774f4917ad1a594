// Recording agreements: what a proposal must fit, its first version, and each thing that happens to it.
import { type Actor, accountOf, requireScope } from '../identity/index.ts';
import {
  AppError,
  cityDay,
  dbNow,
  type FieldError,
  systemScope,
  type Tx,
} from '../platform/index.ts';
import {
  type AgreementInput,
  AgreementProposal,
  type AgreementState,
  type AgreementTerms,
  hashTerms,
} from './agreement.ts';
import { hasAgreement, insertAgreement, insertAgreementEvent } from './agreement-store.ts';
import type { ExchangeDeps } from './deps.ts';
import { exchangeErrors } from './errors.ts';
import { checkFreeTexts } from './free-text.ts';
import { actorKey } from './request.ts';
import type { ServiceBook } from './service-book.ts';
import { findCurrentVersions } from './service-store.ts';
import { faultsOfIssues } from './zod-faults.ts';

/** An agreement that is put in force without a proposal. */
export type InstalledAgreement = AgreementInput & { requester: string };

// The sample's services come with agreements in force, quota above 100,000 a day (contract 4.2).
const SAMPLE_QUOTA_PER_DAY = 1_000_000;
const SAMPLE_VALID_TO = '2099-12-31';

const eventNames: Record<string, string> = {
  propose: 'agreement.proposed',
  install: 'agreement.installed',
  approve: 'agreement.approved',
  refuse: 'agreement.refused',
  suspend: 'agreement.suspended',
  resume: 'agreement.resumed',
  revoke: 'agreement.revoked',
};

/** Who answers or issues, and whether it takes two of its officers to agree. */
interface Providing {
  provider: string;
  fourEyes: boolean;
}

/** Binds the recording to the rooms below. */
export function createAgreementRecords(deps: ExchangeDeps, book: ServiceBook) {
  const { database, identity, registry, ids, cityTz, outbox } = deps;

  /** Who provides what is asked for, and whether the terms fit it. */
  async function providerOf(tx: Tx, proposal: AgreementProposal): Promise<Providing> {
    const faults: FieldError[] = [];
    const check = (list: 'legalBases' | 'fields', allowed: readonly string[], detail: string) => {
      for (const [at, word] of proposal[list].entries()) {
        if (!allowed.includes(word)) faults.push({ pointer: `/${list}/${at}`, detail });
      }
    };
    let providing: Providing;
    if (proposal.service !== undefined) {
      const { definition } = await book.getCurrent(tx, proposal.service);
      // Absent in versions that were published before it was asked for.
      providing = { provider: definition.provider, fourEyes: definition.fourEyes === true };
      check('legalBases', definition.legalBasis, 'is not a legal basis of this service');
      const fields = Object.keys(definition.answerSchema.properties);
      check('fields', fields, 'is not a field of its answer');
      for (const name of Object.keys(proposal.paramLimits ?? {})) {
        if (Object.hasOwn(definition.paramsSchema.properties, name)) continue;
        faults.push({ pointer: `/paramLimits/${name}`, detail: 'is not a parameter' });
      }
    } else {
      const type = await findType(proposal.licenceType ?? '');
      providing = { provider: type.issuer, fourEyes: type.fourEyes };
      proposal.licenceType = type.id;
      check('fields', type.fields, 'is not a field of this licence type');
    }
    if (faults.length > 0) throw invalidAgreement(faults);
    return providing;
  }

  async function findType(idOrCode: string) {
    try {
      const { id, issuer, schema, fourEyes } = await registry.getType(idOrCode);
      const { properties } = schema;
      const names = typeof properties === 'object' && properties !== null ? properties : {};
      const fields = [...Object.keys(names), 'holder_name', 'holder_id'];
      return { id, issuer, fourEyes, fields };
    } catch (cause) {
      if (!(cause instanceof AppError) || cause.kind !== 'not_found') throw cause;
      throw invalidAgreement([{ pointer: '/licenceType', detail: 'is no licence type' }]);
    }
  }

  async function record(
    tx: Tx,
    actor: Actor,
    terms: AgreementTerms,
    { state, fourEyes }: { state: 'proposed' | 'active'; fourEyes: boolean },
  ): Promise<void> {
    const at = await dbNow(tx);
    const isProposed = state === 'proposed';
    const proposedBy = isProposed ? accountOf(actor) : null;
    await insertAgreement(tx, terms, { state, hash: hashTerms(terms), at, fourEyes, proposedBy });
    const act = isProposed ? 'propose' : 'install';
    await recordEvent(tx, actor, terms, { act, state, reason: null }, at);
  }

  async function recordEvent(
    tx: Tx,
    actor: Actor,
    agreement: { id: string; service?: string | null },
    event: { act: string; state: AgreementState; reason: string | null; officer?: string },
    at: Date,
  ): Promise<void> {
    const { act, state, reason, officer } = event;
    const { organisationId } = actor;
    const actedBy = actorKey(actor);
    const row = { id: ids.uuid(), act, state, organisationId, actedBy, reason };
    await insertAgreementEvent(tx, agreement.id, row, at);
    await identity.recordAccess(tx, actor, {
      type: eventNames[act] ?? 'agreement.changed',
      outcome: 'ok',
      ...(agreement.service ? { service: agreement.service } : {}),
      ...(officer === undefined ? {} : { officer }),
    });
    const payload = { agreement: agreement.id, state };
    await outbox.add(tx, { topic: 'agreement.changed', key: agreement.id, payload });
  }

  async function install(tx: Tx, actor: Actor, given: InstalledAgreement): Promise<void> {
    requireScope(actor, 'services:manage');
    const { requester, ...input } = given;
    const proposal = readProposal(input);
    const { provider, fourEyes } = await providerOf(tx, proposal);
    const terms = { ...proposal, id: ids.uuid(), version: 1, requester, provider };
    await record(tx, actor, terms, { state: 'active', fourEyes });
  }

  return {
    providerOf,
    record,
    recordEvent,

    /** Puts an agreement in force without a proposal; for the operator's loader, under systemScope. */
    installAgreement: install,

    /**
     * Puts the agreements of every published service with its `requesters` in force, on all its
     * legal bases and fields; a department that has one keeps it.
     */
    async installSampleAgreements(actor: Actor): Promise<void> {
      const known = new Set((await identity.listOrganisations()).map(({ id }) => id));
      await database.as(systemScope).transaction(async (tx) => {
        const validFrom = cityDay(await dbNow(tx), cityTz);
        for (const { code, version } of await findCurrentVersions(tx)) {
          const { definition } = await book.getVersion(tx, code, version);
          for (const requester of definition.requesters) {
            if (!known.has(requester) || requester === definition.provider) continue;
            if (await hasAgreement(tx, requester, code)) continue;
            await install(tx, actor, {
              requester,
              service: code,
              legalBases: definition.legalBasis,
              fields: Object.keys(definition.answerSchema.properties),
              quota: { perDay: SAMPLE_QUOTA_PER_DAY },
              validFrom,
              validTo: SAMPLE_VALID_TO,
            });
          }
        }
      });
    },
  };
}

export type AgreementRecords = ReturnType<typeof createAgreementRecords>;

/** Reads a proposal; exchange.agreement_invalid with a pointer to each member that is wrong. */
export function readProposal(written: unknown): AgreementProposal {
  const read = AgreementProposal.safeParse(written);
  if (!read.success) {
    throw invalidAgreement(faultsOfIssues(read.error));
  }
  for (const purpose of read.data.purposes) checkFreeTexts({ purpose });
  return read.data;
}

/** The refusal of terms that don't fit. */
export function invalidAgreement(fields: FieldError[]): AppError {
  return exchangeErrors.agreement_invalid('These terms can not be agreed on; see errors.', {
    fields,
  });
}
