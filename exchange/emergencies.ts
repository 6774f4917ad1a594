// Acts in an emergency: open, look, ask, review, list. Each look is logged as such and told to its subject
// within days; the database holds the time box, the second account and that nothing is opened twice.
import { z } from 'zod';
import {
  type AccessEntry,
  type Actor,
  accountOf,
  requireRole,
  requireScope,
  rowScopeOf,
} from '../identity/index.ts';
import {
  AppError,
  cityDay,
  dbNow,
  isUniqueViolation,
  type JsonObject,
  openRows,
  systemScope,
  type Tx,
} from '../platform/index.ts';
import { scopeOfSubjects } from '../registry/index.ts';
import { stateOn } from './agreement.ts';
import { type AgreementRow, findAskTerms, findTypeAgreements } from './agreement-store.ts';
import type { createAsk } from './ask.ts';
import type { ExchangeDeps } from './deps.ts';
import {
  DISCLOSE_DAYS,
  type EmergencyInput,
  EmergencyReview,
  type EmergencyState,
  emergencyState,
  isPossible,
  LicenceEmergency,
  REVIEW_HOURS,
  ServiceEmergency,
} from './emergency.ts';
import {
  countLook,
  type EmergencyRow,
  insertEmergency,
  insertEmergencyAllowance,
  listEmergencies,
  lockEmergency,
  mayOpenEmergencies,
  reviewEmergency,
  takeOverdue,
} from './emergency-store.ts';
import { exchangeErrors } from './errors.ts';
import { checkFreeTexts, freeTextFaults } from './free-text.ts';
import { departmentOf } from './request.ts';
import { type Page, pageLimit, pageOf } from './requests.ts';
import { readId } from './row-id.ts';
import type { ServiceBook } from './service-book.ts';
import type { Verification } from './show.ts';
import { faultsOfIssues } from './zod-faults.ts';

/** An emergency as its department and auditors see it: nothing of its subject but the case. */
export interface Emergency {
  id: string;
  state: EmergencyState;
  organisation: string;
  /** Either a licence type or a verification service was opened. */
  licenceType: string | null;
  service: string | null;
  fields: string[];
  legalBasis: string;
  openedBy: string;
  openedAt: string;
  endsAt: string;
  reviewDue: string;
  /** When the subject reads of it at the latest. */
  discloseAt: string;
  looks: number;
  reviewedBy: string | null;
  reviewedAt: string | null;
  /** Null once its subject was erased. */
  reason: string | null;
  caseId: string | null;
  isMine: boolean;
}

/** What a look shows: of each licence only the fields asked for when the emergency was opened. */
export interface EmergencyLook {
  items: {
    number: string;
    type: string;
    status: string;
    validTo: string | null;
    fields: JsonObject;
  }[];
}

interface PageQuery {
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** What an emergency is about. */
type Gap = Pick<EmergencyRow, 'licenceType' | 'service' | 'fields'>;

const EmergencyQuestion = z.strictObject({ params: z.record(z.string(), z.json()) });

const Sealed = z.object({ reason: z.string(), caseId: z.string() });
const requestContext = (id: string) => `exchange.emergencies|${id}|request_sealed`;
const noteContext = (id: string) => `exchange.emergencies|${id}|note_sealed`;
const OVERDUE_BATCH = 100;

/** Binds the acts to the rooms below. */
export function createEmergencies(
  deps: ExchangeDeps,
  book: ServiceBook,
  { put }: Pick<ReturnType<typeof createAsk>, 'put'>,
) {
  const { database, identity, registry, audit, ids, outbox, cityTz } = deps;

  /** Logs a refusal in a transaction of its own, with what is known of the attempt. */
  async function refusing<Result>(
    actor: Actor,
    attempt: Omit<AccessEntry, 'outcome' | 'code'>,
    act: () => Promise<Result>,
  ): Promise<Result> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof AppError && ['forbidden', 'conflict', 'invalid'].includes(error.kind)) {
        const entry = { ...attempt, outcome: 'refused' as const, code: error.code };
        await database.transaction((tx) => identity.recordAccess(tx, actor, entry));
      }
      throw error;
    }
  }

  /** Refuses an emergency where the usual way is open: over one's own, or by an agreement in force. */
  async function refuseWhereUsual(tx: Tx, isOwn: boolean, agreements: readonly AgreementRow[]) {
    const today = cityDay(await dbNow(tx), cityTz);
    const isInForce = agreements.some(
      ({ state, validFrom, validTo }) =>
        validFrom <= today && stateOn(state, validTo, today) === 'active',
    );
    if (!isOwn && !isInForce) return;
    throw exchangeErrors.emergency_not_needed(
      'Your department may do this without an emergency: read or ask the usual way.',
    );
  }

  /** What an emergency is opened over: another department's, that no agreement opens to the caller's. */
  async function findGap(tx: Tx, organisation: string, input: EmergencyInput): Promise<Gap> {
    if ('service' in input) {
      const service = await book.findCurrent(tx, input.service);
      if (!service) throw unusable([{ pointer: '/service', detail: 'names no service' }]);
      const { code, provider, minimalDisclosure } = service.definition;
      const { agreements } = await findAskTerms(tx, organisation, code);
      const usable = agreements.filter((agreement) => agreement.provider === provider);
      await refuseWhereUsual(tx, provider === organisation, usable);
      return { licenceType: null, service: code, fields: minimalDisclosure.fields };
    }
    const type = await registry.getType(input.licenceType).catch((cause: unknown) => {
      if (!(cause instanceof AppError) || cause.kind !== 'not_found') throw cause;
      throw unusable([{ pointer: '/licenceType', detail: 'names no licence type' }]);
    });
    const agreements = await findTypeAgreements(tx, organisation, [type.id]);
    await refuseWhereUsual(tx, type.issuer === organisation, agreements);
    checkFields(input.fields, type.schema);
    return { licenceType: type.id, service: null, fields: input.fields };
  }

  async function show(tx: Tx, row: EmergencyRow, actor: Actor): Promise<Emergency> {
    const [text] = await identity.openMany(tx, [
      { personId: row.subjectId, sealed: row.requestSealed, context: requestContext(row.id) },
    ]);
    const words = text ? Sealed.parse(JSON.parse(text.toString('utf8'))) : null;
    const { id, organisation, licenceType, service, fields, legalBasis } = row;
    const { openedBy, looks, reviewedBy } = row;
    return {
      id,
      state: emergencyState(row, row.readAt),
      organisation,
      licenceType,
      service,
      fields,
      legalBasis,
      openedBy,
      openedAt: time(row.openedAt),
      endsAt: time(row.endsAt),
      reviewDue: time(row.reviewDue),
      discloseAt: time(row.discloseAt),
      looks,
      reviewedBy,
      reviewedAt: row.reviewedAt === null ? null : time(row.reviewedAt),
      reason: words?.reason ?? null,
      caseId: words?.caseId ?? null,
      isMine: openedBy === accountOf(actor),
    };
  }

  /** What every entry about an emergency says; its subject reads it when its time has come. */
  function entryOf(row: EmergencyRow, words: { reason: string | null; caseId: string | null }) {
    return {
      subject: row.subjectId,
      question: row.licenceType ?? row.service ?? '',
      ...(row.service === null ? {} : { service: row.service }),
      legalBasis: row.legalBasis,
      ...(words.reason === null ? {} : { purpose: words.reason }),
      ...(words.caseId === null ? {} : { caseId: words.caseId }),
      discloseAt: new Date(row.discloseAt),
    };
  }

  async function take(tx: Tx, actor: Actor, id: string): Promise<EmergencyRow> {
    const row = await lockEmergency(tx, departmentOf(actor), readId(id, notFound));
    if (!row) throw notFound();
    return row;
  }

  return {
    /** Lets a department's officers open emergencies; for the operator's loader. */
    allowEmergencies: (tx: Tx, organisation: string) => insertEmergencyAllowance(tx, organisation),

    /**
     * Opens an emergency: these fields of one licence type of one person, or one question about her,
     * until it ends by itself. The same officer can't open the same again before another has reviewed this one.
     */
    async openEmergency(actor: Actor, written: unknown): Promise<Emergency> {
      requireRole(actor, 'desk');
      const organisation = departmentOf(actor);
      const input: EmergencyInput = isOverService(written)
        ? read(ServiceEmergency, written)
        : read(LicenceEmergency, written);
      const { legalBasis, caseId, reason, minutes, subject } = input;
      const opened = 'service' in input ? input.service : input.licenceType;
      const { faults, holdsIdentifier } = freeTextFaults({ caseId, reason });
      const isClean = faults.length + holdsIdentifier.length === 0;
      const words = isClean ? { purpose: reason, caseId } : {};
      const attempt = { type: 'emergency.opened', question: opened, ...words };
      return refusing(actor, attempt, async () => {
        checkFreeTexts({ caseId, reason });
        return database.as(rowScopeOf(actor)).transaction(async (tx) => {
          if (!(await mayOpenEmergencies(tx, organisation))) {
            throw exchangeErrors.emergency_not_allowed(
              'Your department is not among those that may act in an emergency.',
            );
          }
          const gap = await findGap(tx, organisation, input);
          const [subjectId] = await identity.ensurePeople(tx, [subject], () => '/subject/value');
          if (subjectId === undefined) throw new TypeError('One person in, one reference out.');
          const id = ids.uuid();
          const at = await dbNow(tx);
          const after = (ms: number) => new Date(at.getTime() + ms);
          const sealed = Buffer.from(JSON.stringify({ reason, caseId }), 'utf8');
          const row = {
            id,
            organisation,
            ...gap,
            subjectId,
            legalBasis,
            requestSealed: await identity.sealFor(tx, subjectId, sealed, requestContext(id)),
            openedBy: accountOf(actor),
            at,
            endsAt: after(minutes * 60_000),
            reviewDue: after(REVIEW_HOURS * 3_600_000),
            discloseAt: after(DISCLOSE_DAYS * 86_400_000),
          };
          try {
            await insertEmergency(tx, row);
          } catch (cause) {
            if (!isUniqueViolation(cause, 'emergencies_one_unreviewed')) throw cause;
            throw exchangeErrors.emergency_unreviewed(
              'Another officer must first review what you opened for this person before.',
              { cause },
            );
          }
          const stored = await take(tx, actor, id);
          await identity.recordAccess(tx, actor, {
            ...entryOf(stored, { reason, caseId }),
            type: 'emergency.opened',
            outcome: 'ok',
            answerKind: 'none',
          });
          const { licenceType, service } = gap;
          const over = service === null ? { licenceType } : { service };
          const payload = { emergency: id, organisation, ...over };
          await outbox.add(tx, { topic: 'exchange.emergency_opened', key: id, payload });
          return show(tx, stored, actor);
        });
      });
    },

    /** Looks, as often as needed until it ends; by nobody but the officer who opened it. */
    async readEmergency(actor: Actor, id: string): Promise<EmergencyLook> {
      requireRole(actor, 'desk');
      const { look, stageId } = await database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const row = await take(tx, actor, id);
        checkUse(actor, row);
        const { licenceType } = row;
        if (licenceType === null) throw otherUse('ask');
        const shown = await show(tx, row, actor);
        await openRows(tx, scopeOfSubjects(row.subjectId));
        const held = await registry.licencesOf(tx, row.subjectId, [licenceType]);
        const items = [];
        for (const { number, type, status, validTo, fields } of held) {
          const wanted = Object.entries(fields).filter(([name]) => row.fields.includes(name));
          const plain = await identity.resolveReferences(tx, Object.fromEntries(wanted));
          items.push({ number, type, status, validTo, fields: plain });
        }
        await countLook(tx, row.id);
        const { stageId } = await identity.recordAccess(tx, actor, {
          ...entryOf(row, shown),
          type: 'emergency.read',
          outcome: 'ok',
          answerKind: 'document',
        });
        return { look: { items }, stageId };
      });
      await audit.sequenced([stageId]);
      return look;
    },

    /**
     * Asks the question of an emergency, with other parameters too, as far as the limit on guessing
     * goes; by nobody but the officer who opened it. No consent is waited for. The answer is hers to
     * read until the emergency is reviewed.
     */
    async askEmergency(
      actor: Actor,
      id: string,
      written: unknown,
      { waitSeconds = 0 }: { waitSeconds?: number } = {},
    ): Promise<Verification> {
      requireRole(actor, 'desk');
      const { params } = read(EmergencyQuestion, written);
      const opened = await database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const row = await take(tx, actor, id);
        checkUse(actor, row);
        if (row.service === null) throw otherUse('read');
        const { reason, caseId } = await show(tx, row, actor);
        const { scheme, value } = await identity.revealPerson(tx, row.subjectId);
        return { row, service: row.service, reason, caseId, subject: { scheme, value } };
      });
      const { row, service, reason, caseId, subject } = opened;
      if (reason === null || caseId === null) throw notFound();
      const { legalBasis, fields } = row;
      const input = { service, subject, params, legalBasis, purpose: reason, caseId };
      return put(actor, input, {
        evidence: 'session',
        waitSeconds,
        emergency: {
          id: row.id,
          fields,
          discloseAt: new Date(row.discloseAt),
          use: async (tx) => {
            checkUse(actor, await take(tx, actor, id));
            await countLook(tx, row.id);
          },
        },
      });
    },

    /** Says whether an emergency was one; by another officer than who opened it. It ends for good. */
    async reviewEmergency(actor: Actor, id: string, written: unknown): Promise<Emergency> {
      requireRole(actor, 'approver');
      const { verdict, note } = read(EmergencyReview, written);
      checkFreeTexts({ text: note });
      return database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const row = await take(tx, actor, id);
        const by = accountOf(actor);
        if (row.openedBy === by) {
          throw exchangeErrors.own_emergency(
            'Four eyes: another officer than the one who opened it must review it.',
          );
        }
        if (!isPossible(emergencyState(row, row.readAt), 'review')) {
          throw exchangeErrors.emergency_reviewed('This emergency was reviewed before.');
        }
        const text = Buffer.from(note, 'utf8');
        const noteSealed = await identity.sealFor(tx, row.subjectId, text, noteContext(row.id));
        await reviewEmergency(tx, { id: row.id, verdict, by, noteSealed });
        const shown = await show(tx, await take(tx, actor, id), actor);
        await identity.recordAccess(tx, actor, {
          ...entryOf(row, shown),
          type: `emergency.${verdict}`,
          outcome: 'ok',
          answerKind: 'none',
        });
        const payload = { emergency: row.id, organisation: row.organisation, verdict };
        await outbox.add(tx, { topic: 'exchange.emergency_reviewed', key: row.id, payload });
        return shown;
      });
    },

    /** The officer's own emergencies; all of the department for who reviews them. Newest first. */
    async listEmergencies(actor: Actor, query: PageQuery = {}): Promise<Page<Emergency>> {
      requireRole(actor, 'desk', 'approver');
      const isReviewer = actor.roles.includes('approver');
      const organisation = departmentOf(actor);
      const openedBy = isReviewer ? undefined : accountOf(actor);
      return database.as(rowScopeOf(actor)).transaction(async (tx) => {
        return shownPage(tx, actor, { ...pageOfQuery(query), organisation, openedBy });
      });
    },

    /** Emergencies of all departments, for auditors; the call is logged like each of theirs. */
    async listAllEmergencies(actor: Actor, query: PageQuery = {}): Promise<Page<Emergency>> {
      requireScope(actor, 'audit:read');
      const page = pageOfQuery(query);
      const { shown, stageId } = await database.as(systemScope).transaction(async (tx) => {
        const shown = await shownPage(tx, actor, page);
        const entry = { type: 'audit.emergencies_read', outcome: 'ok' as const };
        const { stageId } = await identity.recordAccess(tx, actor, entry);
        return { shown, stageId };
      });
      await audit.sequenced([stageId]);
      return shown;
    },

    /** Tells of each emergency whose review is late, once. For the sweeper. */
    async tellOverdue(): Promise<void> {
      await database.as(systemScope).transaction(async (tx) => {
        for (const { id, organisation } of await takeOverdue(tx, OVERDUE_BATCH)) {
          const payload = { emergency: id, organisation };
          await outbox.add(tx, { topic: 'exchange.emergency_overdue', key: id, payload });
        }
      });
    },
  };

  async function shownPage(tx: Tx, actor: Actor, page: Parameters<typeof listEmergencies>[1]) {
    const rows = await listEmergencies(tx, { ...page, limit: page.limit + 1 });
    const shown: Emergency[] = [];
    for (const row of rows) shown.push(await show(tx, row, actor));
    return pageOf(shown, page.limit, (one) => one);
  }
}

/** Refuses a use by anybody but the officer who opened it, or after its end. */
function checkUse(actor: Actor, row: EmergencyRow): void {
  if (row.openedBy !== accountOf(actor)) throw notFound();
  if (isPossible(emergencyState(row, row.readAt), 'use')) return;
  throw exchangeErrors.emergency_ended('This emergency has ended: it shows nothing more.');
}

function otherUse(right: 'read' | 'ask'): AppError {
  return exchangeErrors.emergency_other_use(
    right === 'ask'
      ? 'This emergency was opened to ask a question: ask it.'
      : 'This emergency was opened to read licences: read them.',
  );
}

function pageOfQuery({ limit, cursor }: PageQuery) {
  const beforeId = cursor === undefined ? undefined : readId(cursor, notFound);
  return { limit: pageLimit(limit), beforeId };
}

function isOverService(written: unknown): boolean {
  return typeof written === 'object' && written !== null && 'service' in written;
}

function checkFields(fields: readonly string[], schema: JsonObject): void {
  const { properties } = schema;
  const known = typeof properties === 'object' && properties !== null ? properties : {};
  const faults = fields.flatMap((name, at) =>
    Object.hasOwn(known, name)
      ? []
      : [{ pointer: `/fields/${at}`, detail: 'is not a field of this licence type' }],
  );
  if (faults.length > 0) throw unusable(faults);
}

function read<T>(schema: z.ZodType<T>, written: unknown): T {
  const result = schema.safeParse(written);
  if (result.success) return result.data;
  throw unusable(faultsOfIssues(result.error));
}

function unusable(fields: { pointer: string; detail: string }[]): AppError {
  return exchangeErrors.request_invalid('The request has members that are not usable.', { fields });
}

function notFound(): AppError {
  return exchangeErrors.emergency_not_found('There is no such emergency of yours.');
}

const time = (milliseconds: number): string => new Date(milliseconds).toISOString();
