// Which entries of the log are looks that vigilance watches, and what each says of itself.
import type { LogEntry } from '../audit/index.ts';
import type { AccessDetail, Identity } from '../identity/index.ts';
import { cityDay } from '../platform/index.ts';
import { cityHours } from './city-hours.ts';

// What somebody in a department does to see a person's data, refused attempts too. Answers that systems
// give by themselves are the other half of a question, and no look of anybody's.
const LOOK_TYPES = new Set([
  'verification.asked',
  'answer.read',
  'licence.read',
  'licence.searched',
  'emergency.read',
  'audit.searched',
  'audit.entry_read',
  'audit.bundle_read',
]);
const OFFICERS_ROLES = new Set([
  'desk',
  'issuer',
  'approver',
  'provider',
  'steward',
  'auditor',
  'operator',
  'officer',
]);
const OWN_ROLES = new Set(['holder', 'citizen', 'agent', 'representative']);

/** A look, before anything is counted around it. */
export interface Look {
  index: number;
  at: Date;
  day: string;
  hour: number;
  isHoliday: boolean;
  isOffHours: boolean;
  type: string;
  outcome: string;
  code: string;
  role: string;
  department: string;
  service: string;
  basis: string;
  isOfficer: boolean;
  actorTag: Buffer;
  subjectTag: Buffer | null;
  caseTag: Buffer | null;
  purposeMark: Buffer | null;
}

/** A look with its department; holders' own, and what no department did, are none. */
export type LookEntry = LogEntry & { department: string };

export function isLook(entry: LogEntry): entry is LookEntry {
  return (
    LOOK_TYPES.has(entry.type) && entry.department !== null && !OWN_ROLES.has(entry.role ?? '')
  );
}

/** What an entry and its words say of a look. */
export function readLook(
  entry: LookEntry,
  detail: AccessDetail,
  identity: Pick<Identity, 'actorTag' | 'textMark'>,
  cityTz: string,
): Look {
  const { department, role = '' } = entry;
  const day = cityDay(entry.at, cityTz);
  return {
    index: entry.index,
    at: entry.at,
    day,
    ...cityHours(entry.at, day, cityTz),
    type: entry.type,
    outcome: entry.outcome,
    code: entry.code ?? '',
    role,
    department,
    service: entry.service ?? '',
    basis: entry.legalBasis ?? '',
    isOfficer: detail.officer !== null || OFFICERS_ROLES.has(role),
    actorTag: identity.actorTag(department, detail.officer),
    subjectTag: entry.subjectTag,
    caseTag: entry.caseTag,
    purposeMark: detail.purpose?.trim()
      ? identity.textMark('purpose', detail.purpose.trim())
      : null,
  };
}
