// Changes of departments' systems and of relying parties: what one operator proposed, and the page on which
// another decides.
import type { Child } from 'hono/jsx';
import { CLIENT_METHODS, type ClientChange, isHoldKind, isPartyKind } from '../identity/index.ts';
import { partyRows } from './ops-party-rows.tsx';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime, Tag } from './page.tsx';
import type { Told } from './words.ts';

interface Common {
  c: PageContext;
  cityTz: string;
  organisationName: (id: string) => string;
}

export interface ChangesProps extends Common {
  changes: ClientChange[];
}

/** A line for each, which leads to it. */
export function Changes({ c, changes, cityTz, organisationName }: ChangesProps) {
  const words = c.get('text').clients;
  return (
    <ul class="plain">
      {changes.map((change) => (
        <li>
          <a href={`/ops/clients/changes/${change.id}`}>
            {words.kinds[change.kind]} · {organisationName(change.organisation)}{' '}
            <code>{change.client}</code>
          </a>{' '}
          <ChangeTag c={c} change={change} />
          <p class="muted">
            {words.proposedBy} {change.proposedBy} · {showTime(change.proposedAt, cityTz)} ·{' '}
            {change.reason}
          </p>
        </li>
      ))}
    </ul>
  );
}

function ChangeTag({ c, change }: { c: PageContext; change: ClientChange }) {
  const tone = ({ applied: 'good', proposed: 'warn', refused: 'bad', lapsed: 'bad' } as const)[
    change.state
  ];
  return <Tag tone={tone}>{c.get('text').clients.changeStates[change.state]}</Tag>;
}

/** What a system may do, in the page's words. */
export function scopeWords(c: PageContext, scopes: readonly unknown[]): string {
  const { noScopes, scopeNames } = c.get('text').clients;
  const names: Record<string, string> = scopeNames;
  return (
    scopes.map((scope) => names[String(scope)] ?? String(scope)).join(c.get('text').comma) ||
    noScopes
  );
}

interface ChangeProps extends Common {
  change: ClientChange;
  values: Record<string, string>;
  error?: Told | undefined;
}

export function ChangePage({ c, change, values, error, cityTz, organisationName }: ChangeProps) {
  const words = c.get('text').clients;
  const isOwn = c.get('actor').officerKey === change.proposedBy;
  const { name, method, scopes, oldKeysUntil } = change.content;
  const isParty = isPartyKind(change.kind);
  const list = isParty ? '/ops/parties' : '/ops/clients';
  const rows: [string, Child][] = [
    [
      words.id,
      change.kind === 'create' || change.kind === 'register_party' ? (
        change.client
      ) : (
        <a href={`${list}/${change.client}`}>{change.client}</a>
      ),
    ],
    [words.organisation, organisationName(change.organisation)],
  ];
  if (typeof name === 'string') rows.push([words.name, name]);
  if (isParty) rows.push(...partyRows(c, change.content));
  const way = CLIENT_METHODS.find((known) => known === method);
  if (way) rows.push([words.method, words.methods[way]]);
  for (const { kid, thumbprint } of change.newKeys) {
    rows.push([words.kid, [<code>{kid}</code>, <br />, <code>{thumbprint}</code>]]);
  }
  if (typeof oldKeysUntil === 'string') {
    const isAtOnce = Date.parse(oldKeysUntil) <= Date.parse(change.proposedAt);
    rows.push([words.oldKeysEnd, isAtOnce ? words.atOnce : showTime(oldKeysUntil, cityTz)]);
  }
  if (Array.isArray(scopes)) rows.push([words.scopes, scopeWords(c, scopes)]);
  rows.push([words.reason, change.reason]);
  rows.push([words.proposedBy, `${change.proposedBy} · ${showTime(change.proposedAt, cityTz)}`]);
  if (change.holdsUntil) rows.push([words.lapsesAt, showTime(change.holdsUntil, cityTz)]);
  if (change.decidedBy && change.decidedAt) {
    rows.push([words.decidedBy, `${change.decidedBy} · ${showTime(change.decidedAt, cityTz)}`]);
    rows.push([words.decide, change.decisionReason ?? '']);
  }
  return (
    <Frame c={c} title={words.kinds[change.kind]} at="ops">
      <h1>
        {words.kinds[change.kind]} · {change.client}
      </h1>
      <p>
        <ChangeTag c={c} change={change} />
      </p>
      {error ? <ErrorSummary c={c} {...error} /> : null}
      <dl>
        {rows.map(([term, value]) => (
          <>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
      {change.newKeys.length > 0 ? <p class="hint">{words.thumbprintHint}</p> : null}
      {change.state === 'proposed' && isOwn ? <p class="notice">{words.own}</p> : null}
      {change.state === 'proposed' && !isOwn ? (
        <form class="stack" method="post" action={`/ops/clients/changes/${change.id}`}>
          <FormToken c={c} />
          {isHoldKind(change.kind) ? <p class="notice">{words.holdDecision}</p> : null}
          <Field
            name="reason"
            label={words.reason}
            hint={words.reasonHint}
            value={values.reason}
            required={true}
            errors={error?.fields}
          />
          <div class="row">
            <button type="submit" name="decision" value="approve">
              {words.approve}
            </button>
            <button type="submit" name="decision" value="refuse">
              {words.refuse}
            </button>
          </div>
        </form>
      ) : null}
      <Back c={c} to={list} />
    </Frame>
  );
}

export function Back({ c, to = '/ops/clients' }: { c: PageContext; to?: string }) {
  return (
    <p>
      <a href={to}>{c.get('text').clients.back}</a>
    </p>
  );
}
