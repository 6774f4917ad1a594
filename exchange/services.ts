// Verification services: publishing a version, and what each caller may ask.
import { type Actor, hasScope, requireScope, rowScopeOf } from '../identity/index.ts';
import {
  AppError,
  cityDay,
  dbNow,
  type FieldError,
  type JsonObject,
  RuleFault,
  type Tx,
} from '../platform/index.ts';
import { stateOn } from './agreement.ts';
import { type AgreementRow, findServiceAgreements } from './agreement-store.ts';
import { checkCases } from './answer-rule.ts';
import type { ExchangeDeps } from './deps.ts';
import { exchangeErrors } from './errors.ts';
import { actorKey } from './request.ts';
import { compileService, type Service, type ServiceBook } from './service-book.ts';
import {
  definitionFaults,
  type PublishedService,
  readServiceDefinition,
  type ServiceDefinition,
} from './service-definition.ts';
import {
  findCurrentVersions,
  insertDelayAllowance,
  insertServiceVersion,
  type LegalBasis,
  listLegalBases,
  upsertLegalBases,
} from './service-store.ts';
import { faultsOfIssues } from './zod-faults.ts';

/** A service as the outside sees it; the rule stays inside. */
export interface ServiceView extends Omit<PublishedService, 'rule' | 'licenceFields'> {
  /** The same as `code`. */
  id: string;
  callable: boolean;
  /** The code of the refusal a question of this caller would meet. */
  why?: string;
}

/** Binds the acts to the rooms below. */
export function createServices(deps: ExchangeDeps, book: ServiceBook) {
  const { database, identity, registry, cityTz } = deps;
  const { db } = database;

  async function licenceFieldsOf(types: readonly string[]): Promise<Record<string, string[]>> {
    const known: [string, string[]][] = [];
    for (const [at, id] of types.entries()) {
      try {
        const { schema } = await registry.getType(id);
        known.push([id, Object.keys(propertiesOf(schema))]);
      } catch (cause) {
        if (!(cause instanceof AppError) || cause.kind !== 'not_found') throw cause;
        throw invalid([{ pointer: `/sourceLicenceTypes/${at}`, detail: 'is no licence type' }]);
      }
    }
    return Object.fromEntries(known);
  }

  async function viewerOf(actor: Actor | null): Promise<Viewer> {
    const organisationId = actor?.organisationId;
    if (!actor || !organisationId || !hasScope(actor, 'verifications:ask')) return null;
    const today = cityDay(await dbNow(db), cityTz);
    const agreements = await database
      .as(rowScopeOf(actor))
      .transaction((tx) => findServiceAgreements(tx, organisationId));
    return { agreements: agreements.filter((agreement) => isInForce(agreement, today)) };
  }

  return {
    /**
     * Publishes a service or its next version, live at once. Its rule is compiled, type-checked and
     * run on its sample cases first; every fault is named. A definition equal to the newest version
     * changes nothing.
     */
    async publishService(actor: Actor, written: unknown): Promise<ServiceView> {
      requireScope(actor, 'services:manage');
      const definition = readDefinition(written);
      try {
        await identity.getOrganisation(definition.provider);
      } catch (cause) {
        if (!(cause instanceof AppError) || cause.kind !== 'not_found') throw cause;
        throw invalid([{ pointer: '/provider', detail: 'is no organisation' }]);
      }
      const licenceFields = await licenceFieldsOf(definition.sourceLicenceTypes);
      const viewer = await viewerOf(actor);
      const newest = await book.findCurrent(db, definition.code);
      if (newest && isSame(newest.definition, { ...definition, licenceFields })) {
        return viewOf(newest, viewer);
      }
      checkRule({ ...definition, licenceFields, version: 0 });
      const version = await database.transaction(async (tx) => {
        const made = await insertServiceVersion(
          tx,
          { ...definition, licenceFields },
          { at: await dbNow(tx), by: actorKey(actor) },
        );
        await identity.recordAccess(tx, actor, {
          type: 'service.published',
          outcome: 'ok',
          service: definition.code,
        });
        return made;
      });
      return viewOf(await book.getVersion(db, definition.code, version), viewer);
    },

    /** All services, with what this caller may ask; anyone may read them. */
    async listServices(actor: Actor | null): Promise<ServiceView[]> {
      const viewer = await viewerOf(actor);
      const views: ServiceView[] = [];
      for (const { code, version } of await findCurrentVersions(db)) {
        views.push(viewOf(await book.getVersion(db, code, version), viewer));
      }
      return views;
    },

    /** One service; exchange.unknown_service when there is none. */
    async getService(actor: Actor | null, code: string): Promise<ServiceView> {
      return viewOf(await book.getCurrent(db, code), await viewerOf(actor));
    },

    /** Adds legal bases, or changes how known ones are cited. */
    putLegalBases: (tx: Tx, bases: readonly LegalBasis[]) => upsertLegalBases(tx, bases),

    /** Every legal basis with its citation. */
    listLegalBases: () => listLegalBases(db),

    /** Lets a department delay the disclosure of its questions; the operator's decision. */
    allowDelay: (tx: Tx, organisationId: string) => insertDelayAllowance(tx, organisationId),
  };
}

/** What a caller holds; null for who may not ask at all. */
type Viewer = { agreements: AgreementRow[] } | null;

function viewOf({ definition }: Service, viewer: Viewer): ServiceView {
  const { rule: _, licenceFields: __, ...shown } = definition;
  const isCallable =
    viewer?.agreements.some(
      (held) => held.service === shown.code && held.provider === shown.provider,
    ) ?? false;
  const why = viewer ? 'exchange.no_agreement' : 'exchange.scope';
  return { ...shown, id: shown.code, callable: isCallable, ...(isCallable ? {} : { why }) };
}

function isSame(
  { version: _, ...published }: PublishedService,
  definition: Omit<PublishedService, 'version'>,
): boolean {
  return JSON.stringify(published) === JSON.stringify(definition);
}

function isInForce(agreement: AgreementRow, today: string): boolean {
  const state = stateOn(agreement.state, agreement.validTo, today);
  return state === 'active' && agreement.validFrom <= today;
}

function readDefinition(written: unknown): ServiceDefinition {
  const read = readServiceDefinition(written);
  const faults = read.success ? definitionFaults(read.data) : faultsOfIssues(read.error);
  if (!read.success || faults.length > 0) throw invalid(faults);
  return read.data;
}

function checkRule(definition: PublishedService): void {
  try {
    const { rule } = compileService(definition);
    if (rule && definition.rule) {
      checkCases(definition.rule, rule, {
        params: definition.paramsSchema,
        answer: definition.answerSchema,
        licenceFields: new Map(Object.entries(definition.licenceFields)),
      });
    }
  } catch (cause) {
    if (!(cause instanceof RuleFault)) throw cause;
    throw exchangeErrors.rule_invalid('The answer rule does not hold; see errors.', {
      fields: [{ pointer: '/rule', detail: cause.message }],
      cause,
    });
  }
}

function invalid(fields: FieldError[]): AppError {
  return exchangeErrors.service_invalid('This service can not go live; see errors.', { fields });
}

function propertiesOf(schema: JsonObject): JsonObject {
  const { properties } = schema;
  const isObject = typeof properties === 'object' && properties !== null;
  return isObject && !Array.isArray(properties) ? properties : {};
}
