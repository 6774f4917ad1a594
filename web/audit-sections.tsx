// What auditors do on /audit: one page each, and the way between them.
import { type PageContext, Tag } from './page.tsx';
import type { Text } from './text/zh.ts';

interface AuditSection {
  href: '/audit' | `/audit/${string}`;
  title(text: Text): string;
}

/** A new section is a line here, its words in text/audit-*.ts, and a page with routes of its own. */
const AUDIT_SECTIONS: readonly AuditSection[] = [
  { href: '/audit', title: ({ audit }) => audit.title },
  { href: '/audit/alerts', title: ({ vigilance }) => vigilance.alerts.title },
  { href: '/audit/rules', title: ({ vigilance }) => vigilance.rules.title },
  { href: '/audit/replays', title: ({ vigilance }) => vigilance.replays.title },
  { href: '/audit/watch-list', title: ({ vigilance }) => vigilance.marks.title },
  { href: '/audit/emergencies', title: ({ emergencies }) => emergencies.title },
  { href: '/audit/searches', title: ({ audit }) => audit.searches.title },
  { href: '/audit/unmaskings', title: ({ audit }) => audit.unmaskings.title },
  { href: '/audit/exports', title: ({ audit }) => audit.exports.title },
  { href: '/audit/tickets', title: ({ tickets }) => tickets.audit },
  { href: '/audit/samples', title: ({ audit }) => audit.samples.title },
  { href: '/audit/integrity', title: ({ audit }) => audit.integrity },
];

/** Links to the other sections. */
export function AuditSections({ c, at }: { c: PageContext; at: AuditSection['href'] }) {
  const text = c.get('text');
  return (
    <ul class="row plain">
      {AUDIT_SECTIONS.filter(({ href }) => href !== at).map(({ href, title }) => (
        <li>
          <a href={href}>{title(text)}</a>
          {href === '/audit/alerts' ? <OpenAlerts c={c} /> : null}
        </li>
      ))}
    </ul>
  );
}

/** How many alarms wait, and how many of them for too long. */
function OpenAlerts({ c }: { c: PageContext }) {
  const { open, overdueCount } = c.get('text').vigilance.alerts;
  const counts = c.get('openAlerts');
  if (!counts || counts.fresh + counts.noted === 0) return null;
  return (
    <>
      {' '}
      <Tag tone="warn">{open(counts.fresh + counts.noted)}</Tag>{' '}
      {counts.overdue > 0 ? <Tag tone="bad">{overdueCount(counts.overdue)}</Tag> : null}
    </>
  );
}
