// /audit/exports: entries with their proofs as a file, asked by one auditor and approved by another.
import type { AuditExport } from '../oversight/index.ts';
import { AskedAndDecided, DecideOrWait } from './audit-by-two.tsx';
import { AuditSections } from './audit-sections.tsx';
import { ErrorSummary, Frame, type PageContext, showTime, Tag } from './page.tsx';
import type { Told } from './words.ts';

interface Common {
  c: PageContext;
  cityTz: string;
}

interface ListProps extends Common {
  list: { items: AuditExport[]; nextCursor: string | null };
}

export function ExportsPage({ c, cityTz, list }: ListProps) {
  const words = c.get('text').audit.exports;
  return (
    <Frame c={c} title={words.title} at="audit">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <AuditSections c={c} at="/audit/exports" />
      {list.items.length === 0 ? <p class="muted">{words.none}</p> : null}
      <ul class="plain">
        {list.items.map((one) => (
          <li>
            <a href={`/audit/exports/${one.id}`}>{showTime(one.requestedAt, cityTz)}</a>{' '}
            <StateTag c={c} one={one} />
            <p class="muted">{one.reason ?? '—'}</p>
          </li>
        ))}
      </ul>
      {list.nextCursor ? (
        <p class="pager">
          <a href={`/audit/exports?cursor=${list.nextCursor}`}>{c.get('text').audit.older}</a>
        </p>
      ) : null}
    </Frame>
  );
}

const tones = {
  requested: 'warn',
  refused: 'bad',
  running: 'warn',
  ready: 'good',
  failed: 'bad',
  expired: 'bad',
  withdrawn: 'bad',
} as const satisfies Record<AuditExport['state'], 'good' | 'bad' | 'warn'>;

function StateTag({ c, one }: { c: PageContext; one: AuditExport }) {
  return <Tag tone={tones[one.state]}>{c.get('text').audit.exports.states[one.state]}</Tag>;
}

interface OneProps extends Common {
  organisationName: (id: string) => string;
  one: AuditExport;
  isOwn: boolean;
  error?: Told | undefined;
}

export function ExportPage({ c, cityTz, organisationName, one, isOwn, error }: OneProps) {
  const text = c.get('text').audit;
  const words = text.exports;
  const failures: Record<string, string | undefined> = words.failures;
  const isRunning = one.state === 'running';
  return (
    <Frame c={c} title={words.one} at="audit" refreshSeconds={isRunning ? 3 : undefined}>
      <h1>{words.one}</h1>
      <p>
        <StateTag c={c} one={one} />
      </p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      {isRunning ? (
        <p class="notice" role="status">
          {words.writing} {one.done} / {one.total ?? '…'}
        </p>
      ) : null}
      {one.failure === null ? null : (
        <p class="notice bad">{failures[one.failure] ?? one.failure}</p>
      )}
      <dl>
        <dt>{text.reason}</dt>
        <dd>{one.reason ?? '—'}</dd>
        {one.isByPerson ? (
          <>
            <dt>{text.subject}</dt>
            <dd>{text.byPerson}</dd>
          </>
        ) : null}
        {Object.entries(one.conditions ?? {}).map(([name, value]) => (
          <>
            <dt>{conditionName(c, name)}</dt>
            <dd>{name === 'department' ? organisationName(String(value)) : value}</dd>
          </>
        ))}
        <AskedAndDecided c={c} cityTz={cityTz} one={one} />
        {one.expiresAt ? (
          <>
            <dt>{words.expiresAt}</dt>
            <dd>{showTime(one.expiresAt, cityTz)}</dd>
          </>
        ) : null}
      </dl>
      {one.state === 'ready' ? (
        <>
          <p>
            <a class="button" href={`/audit/exports/${one.id}/file`}>
              {words.take} ({one.done} · {Math.ceil(one.bytes / 1024)} KiB)
            </a>
          </p>
          <p class="muted">
            {words.checkIt} <a href="/verifier.mjs">verifier.mjs</a>{' '}
            <a href="/log/vkey">/log/vkey</a>
          </p>
        </>
      ) : null}
      {one.state === 'requested' ? (
        <DecideOrWait c={c} at={`/audit/exports/${one.id}`} isOwn={isOwn} />
      ) : null}
      <p>
        <a href="/audit/exports">{text.back}</a>
      </p>
    </Frame>
  );
}

/** A condition by the name its field has. */
export function conditionName(c: PageContext, name: string): string {
  const words: Record<string, unknown> = c.get('text').audit;
  const word = words[name];
  return typeof word === 'string' ? word : name;
}
