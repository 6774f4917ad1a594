// How one log entry is told: to the person it is about (contract section 5) and to an auditor (4.3).
// Types, not interfaces, because the edge sends them as JSON records.
import type { LogEntry } from '../audit/index.ts';
import type { AccessDetail, Organisation } from '../identity/index.ts';

export type Lang = 'zh' | 'en';

export const answerKinds = ['match', 'boolean', 'threshold', 'enum', 'document', 'none'] as const;
export type AnswerKind = (typeof answerKinds)[number];

/** A look as its subject reads it; what was erased or never said is null. */
export type AccessItem = {
  index: number;
  at: string;
  type: string;
  outcome: LogEntry['outcome'];
  /** Those who look without a department have none: id null, and a name for what they are. */
  department: { id: string | null; name: string };
  role: string | null;
  service?: string;
  question?: string;
  purpose: string | null;
  legalBasis: { id: string; citation: string } | null;
  caseId: string | null;
  answerKind: AnswerKind;
  verification?: string;
  /** The delegation by which an agent did it. */
  delegation?: string;
};

/** An entry as an auditor reads it. The actor is a pseudonym that differs from subject to subject. */
export type AuditItem = {
  index: number;
  at: string;
  type: string;
  outcome: LogEntry['outcome'];
  code?: string;
  department: string | null;
  actor: string;
  role?: string;
  service?: string;
  purpose: string | null;
  legalBasis: string | null;
  caseId: string | null;
  verification?: string;
  licence?: string;
  /** The caller's traceparent. */
  trace?: string;
};

/** The names an item is told with. */
export interface Names {
  lang: Lang;
  organisations: ReadonlyMap<string, Organisation>;
  citationOf(id: string, lang: Lang): string;
}

// Roles of those who act for no department (identity's kinds of actor, and the holder herself).
const strangers: Record<string, Record<Lang, string>> = {
  holder: { zh: '本人', en: 'You' },
  citizen: { zh: '本人', en: 'You' },
  agent: { zh: '代理人', en: 'Your agent' },
  representative: { zh: '法定代表人', en: 'Your legal representative' },
  anonymous: { zh: '公众', en: 'The public' },
};
const platform: Record<Lang, string> = { zh: '一号平台', en: 'The platform' };

/** The look as its subject may read it: department and role, never the officer. */
export function accessItem(entry: LogEntry, detail: AccessDetail, names: Names): AccessItem {
  const { lang, citationOf } = names;
  const { legalBasis } = entry;
  return {
    index: entry.index,
    at: entry.at.toISOString(),
    type: entry.type,
    outcome: entry.outcome,
    department: departmentOf(entry, names),
    role: entry.role ?? null,
    ...(entry.service !== undefined && { service: entry.service }),
    ...(detail.question !== null && { question: detail.question }),
    purpose: detail.purpose,
    legalBasis:
      legalBasis === undefined ? null : { id: legalBasis, citation: citationOf(legalBasis, lang) },
    caseId: detail.caseId,
    answerKind: answerKinds.find((kind) => kind === entry.answerKind) ?? 'none',
    ...(entry.verification !== undefined && { verification: entry.verification }),
    ...(detail.delegation !== null && { delegation: detail.delegation }),
  };
}

function departmentOf({ department, role }: LogEntry, { lang, organisations }: Names) {
  if (department === null) {
    return { id: null, name: (strangers[role ?? ''] ?? platform)[lang] };
  }
  const known = organisations.get(department);
  const name = lang === 'zh' ? known?.nameZh : known?.nameEn;
  return { id: department, name: name ?? department };
}

/** The entry as an auditor may read it. */
export function auditItem(entry: LogEntry, detail: AccessDetail): AuditItem {
  return {
    index: entry.index,
    at: entry.at.toISOString(),
    type: entry.type,
    outcome: entry.outcome,
    ...(entry.code !== undefined && { code: entry.code }),
    department: entry.department,
    actor: entry.actor,
    ...(entry.role !== undefined && { role: entry.role }),
    ...(entry.service !== undefined && { service: entry.service }),
    purpose: detail.purpose,
    legalBasis: entry.legalBasis ?? null,
    caseId: detail.caseId,
    ...(entry.verification !== undefined && { verification: entry.verification }),
    ...(entry.licence !== undefined && { licence: entry.licence }),
    ...(detail.trace !== null && { trace: detail.trace }),
  };
}

/** What a citizen needs to check a look offline: what was logged, what it commits to, its proof. */
export type AccessReceipt = {
  index: number;
  /** The exact bytes that were hashed, base64. */
  leaf: string;
  /** By the leaf's own names; base64url(SHA-256(salt ‖ value)) stands there. */
  opening: Partial<Record<'subj' | 'purpose' | 'case', { salt: string; value: string }>>;
  /** A C2SP tlog-proof. */
  proof: string;
};

/** The openings of an entry under its leaf's own names. */
export function openingOf({ openings }: AccessDetail): AccessReceipt['opening'] {
  return {
    ...(openings.subject && { subj: openings.subject }),
    ...(openings.purpose && { purpose: openings.purpose }),
    ...(openings.case && { case: openings.case }),
  };
}

/** The receipt of one entry in its JSON form. */
export function accessReceipt(entry: LogEntry, detail: AccessDetail, proof: string): AccessReceipt {
  return {
    index: entry.index,
    leaf: entry.leaf.toString('base64'),
    opening: openingOf(detail),
    proof,
  };
}
