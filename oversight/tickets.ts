// "Ask about this": a person asks the department that looked at her data, once an entry. Its stewards
// answer within working days; what they don't answer, and an answer she is not content with, comes
// before the auditors, who conclude it. The database's clock decides, each step is an entry she reads.
import { scopeOfLog, scopeOfTag } from '../audit/index.ts';
import { deadlineOf } from '../exchange/index.ts';
import {
  type Actor,
  accountOf,
  containsCitizenId,
  identityErrors,
  type PersonalAct,
  requireRole,
  requireScope,
  rowScopeOf,
} from '../identity/index.ts';
import { AppError, dbNow, isUniqueViolation, systemScope, type Tx } from '../platform/index.ts';
import type { Lang } from './access-item.ts';
import type { OversightDeps } from './deps.ts';
import { oversightErrors } from './errors.ts';
import { isId, pageOfRows, readCursor } from './operator.ts';
import type { Page, PageQuery } from './page.ts';
import type { Searching } from './search-conditions.ts';
import {
  answerTicket,
  complain,
  concludeTicket,
  findTicket,
  findTicketsOf,
  insertTicket,
  listTickets,
  lockTicket,
  moveLate,
  type TicketRow,
  type TicketState,
} from './ticket-store.ts';
import type { Call, Watch } from './watched.ts';

/** A ticket. Its words are null in lists of departments and auditors, and once they were erased. */
export type Ticket = {
  id: string;
  /** The entry it asks about. */
  index: number;
  state: TicketState;
  department: { id: string; name: string };
  askedAt: string;
  dueAt: string;
  answeredAt: string | null;
  complainedAt: string | null;
  escalatedAt: string | null;
  concludedAt: string | null;
  question: string | null;
  answer: string | null;
  complaint: string | null;
  conclusion: string | null;
};

/** A ticket with the look it asks about, for who must answer or conclude it: not whose it is. */
export type TicketCase = Ticket & {
  look: {
    at: string;
    type: string;
    service?: string;
    verification?: string;
    purpose: string | null;
    caseId: string | null;
  };
};

type ListQuery = PageQuery & { state?: TicketState | undefined };
type Texts = Pick<Ticket, 'question' | 'answer' | 'complaint' | 'conclusion'>;

const noTexts: Texts = { question: null, answer: null, complaint: null, conclusion: null };
const LONGEST = 2000;
const LATE_AT_ONCE = 100;
const job: Actor = {
  kind: 'system',
  requestId: 'oversight.tickets',
  organisationId: null,
  roles: [],
  scopes: [],
};

export function createTickets(deps: OversightDeps, watch: Watch, searching: Searching) {
  const { database, ids, audit, identity, cityTz, ticketDays: days } = deps;
  const house = database.as(systemScope);
  const context = (id: string, column: string) => `oversight.tickets|${id}|${column}`;
  const seal = (tx: Tx, row: { id: string; personId: string }, column: string, text: string) =>
    identity.sealFor(tx, row.personId, Buffer.from(text, 'utf8'), context(row.id, column));

  async function textsOf(tx: Tx, rows: readonly TicketRow[]): Promise<Texts[]> {
    const columns = ['question', 'answer', 'complaint', 'conclusion'] as const;
    const wanted = rows.flatMap((row) =>
      columns.flatMap((name) => {
        const sealed = row[`${name}Sealed`];
        return sealed ? [{ row, name, sealed }] : [];
      }),
    );
    const opened = await identity.openMany(
      tx,
      wanted.map(({ row, name, sealed }) => ({
        personId: row.personId,
        sealed,
        context: context(row.id, name),
      })),
    );
    const texts = new Map(rows.map((row) => [row.id, { ...noTexts }]));
    for (const [at, { row, name }] of wanted.entries()) {
      const mine = texts.get(row.id);
      if (mine) mine[name] = opened[at]?.toString('utf8') ?? null;
    }
    return rows.map((row) => texts.get(row.id) ?? noTexts);
  }

  async function namesIn(lang: Lang): Promise<(id: string) => string> {
    const names = new Map(
      (await identity.listOrganisations()).map((one) => [
        one.id,
        lang === 'zh' ? one.nameZh : one.nameEn,
      ]),
    );
    return (id) => names.get(id) ?? id;
  }

  function show(row: TicketRow, texts: Texts, name: (id: string) => string): Ticket {
    const { id, entryIndex: index, state, organisation, askedAt, dueAt } = row;
    const { answeredAt, complainedAt, escalatedAt, concludedAt } = row;
    return {
      id,
      index,
      state,
      department: { id: organisation, name: name(organisation) },
      askedAt,
      dueAt,
      answeredAt,
      complainedAt,
      escalatedAt,
      concludedAt,
      ...texts,
    };
  }

  async function shown(tx: Tx, rows: readonly TicketRow[], lang: Lang): Promise<Ticket[]> {
    const [texts, name] = await Promise.all([textsOf(tx, rows), namesIn(lang)]);
    return rows.map((row, at) => show(row, texts[at] ?? noTexts, name));
  }

  async function shownOne(tx: Tx, id: string, lang: Lang): Promise<Ticket> {
    const row = await findTicket(tx, id);
    const [ticket] = row ? await shown(tx, [row], lang) : [];
    if (!ticket) throw noTicket();
    return ticket;
  }

  async function lock(tx: Tx, id: string): Promise<TicketRow> {
    const row = isId(id) ? await lockTicket(tx, id) : undefined;
    if (!row) throw noTicket();
    return row;
  }

  /** The ticket with the look it is about. */
  async function caseOf(tx: Tx, row: TicketRow, lang: Lang): Promise<TicketCase> {
    const [ticket] = await shown(tx, [row], lang);
    const [one] = await searching.open([await searching.entry(row.entryIndex)]);
    if (!ticket || !one) throw new TypeError('One row in, one case out.');
    const { entry, detail } = one;
    return {
      ...ticket,
      look: {
        at: entry.at.toISOString(),
        type: entry.type,
        ...(entry.service !== undefined && { service: entry.service }),
        ...(entry.verification !== undefined && { verification: entry.verification }),
        purpose: detail.purpose,
        caseId: detail.caseId,
      },
    };
  }

  async function personOf(actor: Actor, act: PersonalAct): Promise<string> {
    const person = await identity.subjectOf(actor, act);
    if (person !== null) return person;
    throw oversightErrors.not_the_subject('Only the person herself asks about a look at her data.');
  }

  /** A step of the person's own, logged in her own log. */
  async function personal<T>(
    actor: Actor,
    type: string,
    personId: string,
    act: (tx: Tx, call: Call) => Promise<T>,
  ): Promise<T> {
    const call: Call = { type, subject: personId, answerKind: 'none' };
    return watch.change(actor, call, rowScopeOf(actor), (tx) => act(tx, call));
  }

  /** A list without words, of whoever may see these rows. */
  async function outlines(
    tx: Tx,
    whose: Parameters<typeof listTickets>[1],
    { state, cursor, limit = 50 }: ListQuery,
    lang: Lang,
  ): Promise<Page<Ticket>> {
    const page = { state, beforeId: readCursor(cursor), limit: limit + 1 };
    const name = await namesIn(lang);
    return pageOfRows(await listTickets(tx, whose, page), limit, (row) => show(row, noTexts, name));
  }

  function stewardOf(actor: Actor): string {
    requireRole(actor, 'steward');
    if (actor.organisationId !== null) return actor.organisationId;
    throw identityErrors.role_missing('Only an officer of a department answers.');
  }

  return {
    /** Asks about an entry she may see; the department that looked has working days to answer. */
    async openTicket(
      actor: Actor,
      input: { index: number; text: string },
      lang: Lang = 'zh',
    ): Promise<Ticket> {
      const personId = await personOf(actor, 'ticket.open');
      return personal(actor, 'ticket.opened', personId, async (tx, call) => {
        const text = readText(input.text);
        const tag = await identity.subjectTagOf(tx, personId);
        const at = await dbNow(tx);
        const hers = audit.as(scopeOfTag(tag));
        const entry = await hers.getEntry(input.index).catch(() => undefined);
        const isHers =
          entry?.subjectTag?.equals(tag) && !(entry.discloseAt && entry.discloseAt > at);
        if (!entry || !isHers) {
          throw oversightErrors.unknown_entry('There is no such entry among those about you.');
        }
        if (entry.department === null) {
          throw oversightErrors.nobody_to_ask('No department looked here: there is nobody to ask.');
        }
        const id = ids.uuid();
        const dueAt = deadlineOf({ kind: 'working_days', value: days.answer }, at, cityTz);
        const escalateAt = deadlineOf(
          { kind: 'working_days', value: days.escalate },
          dueAt,
          cityTz,
        );
        const row = { id, entryIndex: entry.index, personId, organisation: entry.department };
        const questionSealed = await seal(tx, row, 'question', text);
        try {
          await insertTicket(tx, { ...row, questionSealed, at, dueAt, escalateAt });
        } catch (cause) {
          if (!isUniqueViolation(cause, 'tickets_one_an_entry')) throw cause;
          throw oversightErrors.ticket_exists('You asked about this entry before.', { cause });
        }
        call.caseId = id;
        return shownOne(tx, id, lang);
      });
    },

    /** Her own tickets, latest first, with all that was said. */
    async ownTickets(
      actor: Actor,
      { state, cursor, limit = 50 }: ListQuery = {},
      lang: Lang = 'zh',
    ): Promise<Page<Ticket>> {
      const personId = await personOf(actor, 'ticket.read');
      return database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const page = { state, beforeId: readCursor(cursor), limit: limit + 1 };
        const rows = await listTickets(tx, { personId }, page);
        const { items, nextCursor } = pageOfRows(rows, limit, (row) => row);
        return { items: await shown(tx, items, lang), nextCursor };
      });
    },

    async ownTicket(actor: Actor, id: string, lang: Lang = 'zh'): Promise<Ticket> {
      const personId = await personOf(actor, 'ticket.read');
      return database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const row = isId(id) ? await findTicket(tx, id) : undefined;
        if (row?.personId !== personId) throw noTicket();
        return shownOne(tx, id, lang);
      });
    },

    /** Which of these entries she asked about. */
    async ticketsOf(actor: Actor, indexes: readonly number[]) {
      return database.as(rowScopeOf(actor)).transaction((tx) => findTicketsOf(tx, indexes));
    },

    /** Once: the answer does not content her, and the auditors look at it. */
    async complainOfTicket(
      actor: Actor,
      id: string,
      input: { text?: string | undefined },
      lang: Lang = 'zh',
    ): Promise<Ticket> {
      const personId = await personOf(actor, 'ticket.open');
      return personal(actor, 'ticket.complained', personId, async (tx, call) => {
        const row = await lock(tx, id);
        if (row.personId !== personId) throw noTicket();
        if (row.state !== 'answered') {
          throw oversightErrors.ticket_state(
            'Only an answer can leave you not satisfied, and once.',
          );
        }
        const text = input.text?.trim();
        const sealed = text ? await seal(tx, row, 'complaint', readText(text)) : null;
        await complain(tx, { id, sealed });
        call.caseId = id;
        return shownOne(tx, id, lang);
      });
    },

    /** What people ask of a department, latest first, without words: for its stewards. */
    async departmentTickets(
      actor: Actor,
      query: ListQuery = {},
      lang: Lang = 'zh',
    ): Promise<Page<Ticket>> {
      const organisation = stewardOf(actor);
      return database
        .as(rowScopeOf(actor))
        .transaction((tx) => outlines(tx, { organisation }, query, lang));
    },

    /** One of them with its words and the look it is about; a look itself. */
    async departmentTicket(actor: Actor, id: string, lang: Lang = 'zh'): Promise<TicketCase> {
      const organisation = stewardOf(actor);
      const call: Call = { type: 'ticket.read', answerKind: 'document' };
      return watch.change(actor, call, rowScopeOf(actor), async (tx) => {
        const row = isId(id) ? await findTicket(tx, id) : undefined;
        if (row?.organisation !== organisation) throw noTicket();
        Object.assign(call, subjectOfCall(row));
        return caseOf(tx, row, lang);
      });
    },

    /** Answers, once. */
    async answerTicket(
      actor: Actor,
      id: string,
      input: { text: string },
      lang: Lang = 'zh',
    ): Promise<TicketCase> {
      const organisation = stewardOf(actor);
      const call: Call = { type: 'ticket.answered', answerKind: 'none' };
      return watch.change(actor, call, rowScopeOf(actor), async (tx) => {
        const row = await lock(tx, id);
        if (row.organisation !== organisation) throw noTicket();
        Object.assign(call, subjectOfCall(row));
        const isWaiting = ['open', 'overdue', 'escalated'].includes(row.state);
        if (!isWaiting || row.answeredAt !== null) {
          throw oversightErrors.ticket_state('This was answered before, or has ended.');
        }
        const sealed = await seal(tx, row, 'answer', readText(input.text));
        await answerTicket(tx, { id, sealed, by: accountOf(actor) });
        return caseOf(tx, await lock(tx, id), lang);
      });
    },

    /** What came before the auditors, latest first, without words. */
    async escalatedTickets(
      actor: Actor,
      query: ListQuery = {},
      lang: Lang = 'zh',
    ): Promise<Page<Ticket>> {
      return watch.change(actor, { type: 'ticket.listed' }, scopeOfLog, async (tx) => {
        requireScope(actor, 'audit:read');
        return outlines(tx, 'escalated', query, lang);
      });
    },

    async escalatedTicket(actor: Actor, id: string, lang: Lang = 'zh'): Promise<TicketCase> {
      const call: Call = { type: 'ticket.read', answerKind: 'document' };
      return watch.change(actor, call, scopeOfLog, async (tx) => {
        requireScope(actor, 'audit:read');
        const row = isId(id) ? await findTicket(tx, id) : undefined;
        if (!row || row.escalatedAt === null) throw noTicket();
        Object.assign(call, subjectOfCall(row));
        return caseOf(tx, row, lang);
      });
    },

    /** What an auditor found; the person reads it, and the ticket has ended. */
    async concludeTicket(
      actor: Actor,
      id: string,
      input: { text: string },
      lang: Lang = 'zh',
    ): Promise<TicketCase> {
      const call: Call = { type: 'ticket.concluded', answerKind: 'none' };
      return watch.change(actor, call, scopeOfLog, async (tx) => {
        requireScope(actor, 'audit:read');
        const by = await identity.officerAccountOf(actor, 'auditor');
        const row = await lock(tx, id);
        if (row.escalatedAt === null) throw noTicket();
        Object.assign(call, subjectOfCall(row));
        if (row.state !== 'escalated') {
          throw oversightErrors.ticket_state('This was concluded before, or has ended.');
        }
        const sealed = await seal(tx, row, 'conclusion', readText(input.text));
        await concludeTicket(tx, { id, sealed, by });
        return caseOf(tx, await lock(tx, id), lang);
      });
    },

    /** Moves what is late, and says so in the log. For the sweeper. */
    async moveLateTickets(): Promise<void> {
      for (let moved = LATE_AT_ONCE; moved >= LATE_AT_ONCE; ) {
        moved = await house.transaction(async (tx) => {
          const late = await moveLate(tx, LATE_AT_ONCE);
          for (const { id, personId, organisation, state } of late) {
            try {
              await identity.recordAccess(tx, job, {
                type: `ticket.${state}`,
                outcome: 'ok',
                subject: personId,
                department: organisation,
                caseId: id,
                answerKind: 'none',
              });
            } catch (error) {
              // Erased a moment ago: her tickets end with the next step of her erasure.
              if (!(error instanceof AppError) || error.code !== 'identity.erased') throw error;
            }
          }
          return late.length;
        });
      }
    },
  };
}

const subjectOfCall = ({ id, personId, state }: TicketRow) =>
  state === 'closed' ? { caseId: id } : { caseId: id, subject: personId };

const noTicket = () => oversightErrors.ticket_not_found('There is no such question.');

/** Words of people: theirs to choose, but without a citizen ID. */
function readText(given: string): string {
  const text = given.trim();
  const detail =
    text === '' || text.length > LONGEST
      ? `Write at most ${LONGEST} characters, and something.`
      : containsCitizenId(text)
        ? 'Name no person by a citizen ID.'
        : undefined;
  if (detail === undefined) return text;
  throw oversightErrors.text_invalid(detail, { fields: [{ pointer: '/text', detail }] });
}
