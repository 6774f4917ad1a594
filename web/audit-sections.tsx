// What auditors do on /audit: one page each, and the way between them.
import type { PageContext } from './page.tsx';
import type { Text } from './text/zh.ts';

interface AuditSection {
  href: '/audit' | `/audit/${string}`;
  title(text: Text): string;
}

/** A new section is a line here, its words in text/audit-*.ts, and a page with routes of its own. */
const AUDIT_SECTIONS: readonly AuditSection[] = [
  { href: '/audit', title: ({ audit }) => audit.title },
  { href: '/audit/emergencies', title: ({ emergencies }) => emergencies.title },
  { href: '/audit/searches', title: ({ audit }) => audit.searches.title },
  { href: '/audit/unmaskings', title: ({ audit }) => audit.unmaskings.title },
  { href: '/audit/exports', title: ({ audit }) => audit.exports.title },
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
        </li>
      ))}
    </ul>
  );
}
