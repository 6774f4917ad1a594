// What auditors do with alarms: see them, note them, close them with a finding by a deadline.

import { scopeOfLog } from '../audit/index.ts';
import { type Actor, containsCitizenId, requireScope } from '../identity/index.ts';
import type { Tx } from '../platform/index.ts';
import {
  type AlertCounts,
  type AlertRow,
  type AlertState,
  closeAlert,
  countOpen,
  type Finding,
  findAlert,
  listAlerts,
  lockAlert,
  noteAlert,
} from './alert-store.ts';
import type { VigilanceDeps } from './deps.ts';
import { oversightErrors } from './errors.ts';
import { isId, pageOfRows, readCursor } from './operator.ts';
import { findRule } from './rule-store.ts';
import type { Watch } from './watched.ts';

/** An alarm as auditors read it. The actor is a pseudonym, the same in all alarms about her. */
export type Alert = {
  id: string;
  rule: string;
  version: number;
  severity: 'low' | 'medium' | 'high';
  title: { zh: string; en: string };
  text: { zh: string; en: string };
  state: AlertState;
  raisedAt: string;
  deadline: string;
  overdue: boolean;
  /** The alarm's own entry in the log; null for the moment before it is sequenced. */
  index: number | null;
  /** The entries it was raised over, and those of the same day found afterwards. */
  evidence: number[];
  later: number[];
  department: string | null;
  actor: string | null;
  note: { by: string; at: string; text: string } | null;
  closed: { by: string; at: string; finding: Finding; text: string } | null;
};

export type AlertQuery = {
  state?: AlertState | 'open' | 'overdue' | undefined;
  rule?: string | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
};

const MOST_CHARACTERS = 500;
const MOST_COUNTED = 1000;
const context = (id: string, column: 'note' | 'closing') =>
  `oversight.alerts|${id}|${column}_sealed`;

export function createAlerts(deps: VigilanceDeps, watch: Watch) {
  const { audit, identity } = deps;
  const house = deps.database.as(scopeOfLog);

  async function asAlerts(tx: Tx, rows: readonly AlertRow[]): Promise<Alert[]> {
    const indexes = await audit.indexesOf(rows.map(({ stageId }) => stageId));
    const texts = await openTexts(tx, rows);
    const words = new Map<string, Words>();
    for (const { ruleId, ruleVersion } of rows) {
      const key = `${ruleId}@${ruleVersion}`;
      if (!words.has(key)) words.set(key, await wordsOf(tx, ruleId, ruleVersion));
    }
    return rows.map((row) => asAlert(row, indexes, texts, words));
  }

  async function openTexts(tx: Tx, rows: readonly AlertRow[]): Promise<Map<string, string>> {
    const sealed = rows.flatMap(({ id, noteSealed, closingSealed }) => [
      ...(noteSealed ? [{ context: context(id, 'note'), sealed: noteSealed }] : []),
      ...(closingSealed ? [{ context: context(id, 'closing'), sealed: closingSealed }] : []),
    ]);
    const opened = await identity.openMany(
      tx,
      sealed.map((item) => ({ ...item, personId: null })),
    );
    return new Map(sealed.map((item, at) => [item.context, opened[at]?.toString('utf8') ?? '']));
  }

  /** The officer behind an act on an alarm; who is the subject of it has no say in it. */
  function auditorOf(actor: Actor, { actorTag }: AlertRow): string {
    const officer = actor.onBehalfOf ?? actor.officerKey;
    if (officer === undefined || actor.organisationId === null) {
      throw oversightErrors.officer_needed(
        'Say which auditor acts: sign in, or name her in X-On-Behalf-Of.',
      );
    }
    if (actorTag?.equals(identity.actorTag(actor.organisationId, officer))) {
      throw oversightErrors.own_alarm(
        'This alarm is about your own looks: another auditor decides.',
      );
    }
    return officer;
  }

  async function lock(tx: Tx, id: string): Promise<AlertRow> {
    const row = isId(id) ? await lockAlert(tx, id) : undefined;
    if (!row) throw oversightErrors.alert_not_found('There is no such alarm.');
    if (row.state === 'closed') {
      throw oversightErrors.alert_closed('This alarm has been closed; its finding stays.');
    }
    return row;
  }

  async function alertIn(tx: Tx, id: string): Promise<Alert> {
    const row = isId(id) ? await findAlert(tx, id) : undefined;
    const [alert] = row ? await asAlerts(tx, [row]) : [];
    if (!alert) throw oversightErrors.alert_not_found('There is no such alarm.');
    return alert;
  }

  return {
    /** Alarms, latest first. */
    listAlerts(
      actor: Actor,
      { state, rule, limit = 50, cursor }: AlertQuery = {},
    ): Promise<{ items: Alert[]; nextCursor: string | null }> {
      const question = [state && `state=${state}`, rule && `rule=${rule}`]
        .filter(Boolean)
        .join(' ');
      const call = { type: 'audit.alerts_read', ...(question !== '' && { question }) };
      return watch.look(actor, call, () =>
        house.transaction(async (tx) => {
          const filter = { state, rule, beforeId: readCursor(cursor), limit: limit + 1 };
          const page = pageOfRows(await listAlerts(tx, filter), limit, (row) => row);
          return { ...page, items: await asAlerts(tx, page.items) };
        }),
      );
    },

    getAlert: (actor: Actor, id: string): Promise<Alert> =>
      watch.look(actor, { type: 'audit.alert_read', question: `alert=${shortened(id)}` }, () =>
        house.transaction((tx) => alertIn(tx, id)),
      ),

    /** Says that somebody looks into it. A later note replaces an earlier one. */
    noteAlert(actor: Actor, id: string, input: { note?: string | undefined }): Promise<Alert> {
      const call = { type: 'vigilance.alert_noted', question: `alert=${shortened(id)}` };
      return watch.change(actor, call, scopeOfLog, async (tx) => {
        requireScope(actor, 'audit:read');
        const text = readText(input.note ?? '');
        const row = await lock(tx, id);
        const by = auditorOf(actor, row);
        const sealed = await identity.sealFor(tx, null, Buffer.from(text), context(id, 'note'));
        await noteAlert(tx, id, { by, sealed });
        return alertIn(tx, id);
      });
    },

    /** Ends it with what was found; final. */
    closeAlert(
      actor: Actor,
      id: string,
      input: { finding: Finding; note?: string | undefined },
    ): Promise<Alert> {
      const call = {
        type: 'vigilance.alert_closed',
        question: `alert=${shortened(id)} finding=${input.finding}`,
      };
      return watch.change(actor, call, scopeOfLog, async (tx) => {
        requireScope(actor, 'audit:read');
        const text = readText(input.note ?? '');
        const row = await lock(tx, id);
        const by = auditorOf(actor, row);
        const sealed = await identity.sealFor(tx, null, Buffer.from(text), context(id, 'closing'));
        await closeAlert(tx, id, { by, finding: input.finding, sealed });
        return alertIn(tx, id);
      });
    },

    /** How many alarms are open, for the frame of an auditor's pages: numbers about nobody, not logged. */
    countAlerts: (): Promise<AlertCounts> => house.transaction((tx) => countOpen(tx, MOST_COUNTED)),
  };
}

interface Words {
  title: Alert['title'];
  text: Alert['text'];
}

// Alarms that other rooms tell of have no rule of ours.
const OUTSIDE_WORDS: Record<string, Words> = {
  'registry-signature-unrecorded': {
    title: { zh: '已签名而无登记的证照', en: 'A signature without a licence' },
    text: {
      zh: '签名服务签发过一份证照，登记簿中没有对应记录。可能是签发中断，也可能有人骗取签名，请运维人员核查。',
      en: 'The signer signed a licence that no row of the register tells of: issuing was cut off, or somebody had a false one signed. Let an operator look.',
    },
  },
  'exchange-probing': {
    title: { zh: '用提问猜测个人信息', en: 'Questions used to guess' },
    text: {
      zh: '同一案件对同一人、同一事项，三十天内换了两组以上参数提问，已被拒绝。',
      en: 'More than two sets of parameters were asked about one person, service and case in 30 days; the question was refused.',
    },
  },
};

async function wordsOf(tx: Tx, id: string, version: number): Promise<Words> {
  const outside = OUTSIDE_WORDS[id];
  if (outside) return outside;
  const rule = await findRule(tx, id, version);
  return {
    title: { zh: rule?.definition.titleZh ?? id, en: rule?.definition.titleEn ?? id },
    text: { zh: rule?.definition.textZh ?? '', en: rule?.definition.textEn ?? '' },
  };
}

function asAlert(
  row: AlertRow,
  indexes: ReadonlyMap<string, number>,
  texts: ReadonlyMap<string, string>,
  words: ReadonlyMap<string, Words>,
): Alert {
  const { id, notedBy, notedAt, closedBy, closedAt, finding } = row;
  const said = words.get(`${row.ruleId}@${row.ruleVersion}`);
  const none = { zh: row.ruleId, en: row.ruleId };
  return {
    id,
    rule: row.ruleId,
    version: row.ruleVersion,
    severity: row.severity,
    title: said?.title ?? none,
    text: said?.text ?? none,
    state: row.state,
    raisedAt: row.raisedAt,
    deadline: row.deadline,
    overdue: row.isOverdue,
    index: indexes.get(row.stageId) ?? null,
    evidence: row.evidence,
    later: row.later,
    department: row.department,
    actor: row.actorTag?.toString('base64url') ?? null,
    note:
      notedBy !== null && notedAt !== null
        ? { by: notedBy, at: notedAt, text: texts.get(context(id, 'note')) ?? '' }
        : null,
    closed:
      closedBy !== null && closedAt !== null && finding !== null
        ? { by: closedBy, at: closedAt, finding, text: texts.get(context(id, 'closing')) ?? '' }
        : null,
  };
}

function readText(given: string): string {
  const text = given.trim();
  if (text.length > MOST_CHARACTERS) {
    const detail = `Use at most ${MOST_CHARACTERS} characters.`;
    throw oversightErrors.text_invalid(detail, { fields: [{ pointer: '/note', detail }] });
  }
  if (containsCitizenId(text)) {
    const detail = 'Name no person by a citizen ID.';
    throw oversightErrors.identifier_in_text(detail, { fields: [{ pointer: '/note', detail }] });
  }
  return text;
}

// What is no id of ours may be anything, and is not repeated in the log.
const shortened = (id: string): string => (isId(id) ? id : '?');
