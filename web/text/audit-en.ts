// The words of the auditors' pages in English; the same keys as audit-zh.ts.
import type { auditZh } from './audit-zh.ts';

export const auditEn: typeof auditZh = {
  title: 'Audit of the access log',
  lead: 'Each of your searches is written to the log, too.',
  subject: 'By person (number)',
  reason: 'Reason for the search',
  reasonHint: 'Needed when you search by person.',
  department: 'Department',
  service: 'Question',
  caseId: 'Case',
  outcome: 'Outcome',
  any: 'Any',
  search: 'Search',
  results: 'Results',
  none: 'No entry matches.',
  index: 'Index',
  actor: 'Actor (pseudonym)',
  integrity: 'Check the log',
  integrityText:
    'Recomputes the tree from every stored entry and compares it with the signed checkpoint.',
  run: 'Check now',
  intact: 'Intact',
  broken: 'Faults found',
  checked: 'Entries checked',
  root: 'Root',
  head: 'Current checkpoint',
};
