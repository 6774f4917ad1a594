// The citizen's view: who looked at her data, why, by what right, with what kind of answer.
import { scopeOfTag } from '../audit/index.ts';
import type { Actor, PersonalAct } from '../identity/index.ts';
import { dbNow } from '../platform/index.ts';
import {
  type AccessItem,
  type AccessReceipt,
  accessItem,
  accessReceipt,
  type Lang,
} from './access-item.ts';
import { createCompleteness } from './completeness.ts';
import type { OversightDeps } from './deps.ts';
import { oversightErrors } from './errors.ts';
import { type Page, type PageQuery, readPage, readPeriod, toPage } from './page.ts';

export interface AccessLogQuery extends PageQuery {
  from?: string | undefined;
  to?: string | undefined;
  department?: string | undefined;
  service?: string | undefined;
  /** The language of names and citations; zh unless said. */
  lang?: Lang | undefined;
}

export function createAccessLog(deps: OversightDeps) {
  const { database, audit, identity, citationOf, cityTz } = deps;

  /** Looks at the citizen's data, or her principal's, newest first: refused ones too, delayed ones when due. */
  async function accessLog(actor: Actor, query: AccessLogQuery = {}): Promise<Page<AccessItem>> {
    const subject = await subjectFor(actor, 'access_log.read');
    const { limit, beforeIndex } = readPage(query);
    const { department, service, lang = 'zh' } = query;
    const period = readPeriod(query, cityTz);
    const subjectTag = await identity.subjectTagOf(database.db, subject);
    await logAgent(actor, 'access_log.read', subject);
    const entries = await audit.as(scopeOfTag(subjectTag)).findEntries({
      subjectTag,
      department,
      service,
      ...period,
      onlyDisclosedBefore: await dbNow(database.db),
      beforeIndex,
      limit: limit + 1,
    });
    const [details, organisations] = await Promise.all([
      identity.openAccess(entries),
      identity.listOrganisations(),
    ]);
    const names = { lang, citationOf, organisations: new Map(organisations.map((o) => [o.id, o])) };
    const items = details.flatMap((detail, at) => {
      const entry = entries[at];
      return entry ? [accessItem(entry, detail, names)] : [];
    });
    return toPage(entries, items, limit);
  }

  /**
   * The proof of a look at her data, as a tlog-proof or with what she needs to check what it says.
   * An entry that isn't about her, or not yet to be shown, is not found.
   */
  function receipt(actor: Actor, index: number, as: 'text'): Promise<string>;
  function receipt(actor: Actor, index: number, as: 'json'): Promise<AccessReceipt>;
  async function receipt(
    actor: Actor,
    index: number,
    as: 'text' | 'json',
  ): Promise<string | AccessReceipt> {
    const subject = await subjectFor(actor, 'access_log.prove');
    const subjectTag = await identity.subjectTagOf(database.db, subject);
    const now = await dbNow(database.db);
    const hers = audit.as(scopeOfTag(subjectTag));
    const entry = await hers.getEntry(index).catch(() => undefined);
    const isHers = entry?.subjectTag?.equals(subjectTag) ?? false;
    const isDue = !entry?.discloseAt || entry.discloseAt <= now;
    if (!entry || !isHers || !isDue) {
      throw oversightErrors.unknown_entry('There is no such entry among those about you.');
    }
    await logAgent(actor, 'access_log.prove', subject);
    const proof = await audit.receipt(index);
    if (as === 'text') return proof;
    const [detail] = await identity.openAccess([entry]);
    if (!detail) throw new TypeError('One entry in, one detail out.');
    return accessReceipt(entry, detail, proof);
  }

  /** The citizen who asks, or the one she acts for. */
  async function subjectFor(actor: Actor, act: PersonalAct): Promise<string> {
    const subject = await identity.subjectOf(actor, act);
    if (subject !== null) return subject;
    throw oversightErrors.not_the_subject(
      'Only the person herself sees who looked at her data. Sign in as that person.',
    );
  }

  /** An agent's look at her principal's log is in that log itself, before it is had. */
  async function logAgent(actor: Actor, act: PersonalAct, subject: string): Promise<void> {
    if (!actor.actingFor) return;
    const { stageId } = await database.transaction((tx) =>
      identity.recordAccess(tx, actor, {
        type: act,
        outcome: 'ok',
        subject,
        answerKind: 'document',
      }),
    );
    await audit.sequenced([stageId]);
  }

  return {
    accessLog,
    accessReceipt: receipt,
    ...createCompleteness(deps, { subjectFor, logAgent }),
  };
}
