// Departments' systems as operators see them: what waits, what is registered, one system, one change.

import type { Child } from 'hono/jsx';
import {
  CLIENT_CHANGE_KINDS,
  CLIENT_METHODS,
  type Client,
  type ClientChange,
  isClientChangeAllowed,
  isHoldKind,
  isPartyKind,
} from '../identity/index.ts';
import { partyRows } from './ops-party-rows.tsx';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime, Tag } from './page.tsx';
import type { Told } from './words.ts';

interface Common {
  c: PageContext;
  cityTz: string;
  organisationName: (id: string) => string;
}

interface ListProps extends Common {
  clients: { items: Client[]; nextCursor: string | null };
  waiting: ClientChange[];
}

export function ClientsPage(props: ListProps) {
  const { c, clients, waiting, organisationName } = props;
  const words = c.get('text').clients;
  return (
    <Frame c={c} title={words.title} at="ops">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <h2>{words.waiting}</h2>
      {waiting.length === 0 ? <p class="muted">{words.noneWaiting}</p> : null}
      <Changes {...props} changes={waiting} />
      <h2>{words.registered}</h2>
      <p>
        <a href="/ops/clients/new">{words.register}</a>
      </p>
      {clients.items.length === 0 ? <p class="muted">{words.none}</p> : null}
      <ul class="plain">
        {clients.items.map((client) => (
          <li>
            <a href={`/ops/clients/${client.id}`}>
              <strong>{organisationName(client.organisation)}</strong> <code>{client.id}</code>
            </a>{' '}
            <StateTag c={c} client={client} />
          </li>
        ))}
      </ul>
      {clients.nextCursor ? (
        <p class="pager">
          <a href={`/ops/clients?cursor=${encodeURIComponent(clients.nextCursor)}`}>{words.next}</a>
        </p>
      ) : null}
    </Frame>
  );
}

/** What a system may do, in the page's words. */
function scopeWords(c: PageContext, scopes: readonly unknown[]): string {
  const { noScopes, scopeNames } = c.get('text').clients;
  const names: Record<string, string> = scopeNames;
  return (
    scopes.map((scope) => names[String(scope)] ?? String(scope)).join(c.get('text').comma) ||
    noScopes
  );
}

function StateTag({ c, client }: { c: PageContext; client: Client }) {
  const tone = ({ active: 'good', held: 'warn', suspended: 'bad' } as const)[client.state];
  return <Tag tone={tone}>{c.get('text').clients.states[client.state]}</Tag>;
}

function ChangeTag({ c, change }: { c: PageContext; change: ClientChange }) {
  const tone = ({ applied: 'good', proposed: 'warn', refused: 'bad', lapsed: 'bad' } as const)[
    change.state
  ];
  return <Tag tone={tone}>{c.get('text').clients.changeStates[change.state]}</Tag>;
}

export function Changes({
  c,
  changes,
  cityTz,
  organisationName,
}: Common & { changes: ClientChange[] }) {
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

interface ClientProps extends Common {
  client: Client;
  changes: ClientChange[];
}

export function ClientPage(props: ClientProps) {
  const { c, client, changes, cityTz, organisationName } = props;
  const words = c.get('text').clients;
  const title = `${organisationName(client.organisation)} · ${client.id}`;
  const possible = CLIENT_CHANGE_KINDS.filter((kind) => isClientChangeAllowed(kind, client.state));
  return (
    <Frame c={c} title={title} at="ops">
      <h1>{title}</h1>
      <p>
        <StateTag c={c} client={client} />
      </p>
      {client.heldUntil ? (
        <p class="notice bad">
          {words.heldUntil} {showTime(client.heldUntil, cityTz)}
        </p>
      ) : null}
      <dl>
        <dt>{words.name}</dt>
        <dd>{client.name}</dd>
        <dt>{words.method}</dt>
        <dd>{words.methods[client.method]}</dd>
        <dt>{words.scopes}</dt>
        <dd>{scopeWords(c, client.scopes)}</dd>
      </dl>
      <h2>{words.keys}</h2>
      <p class="hint">{words.thumbprintHint}</p>
      <Keys c={c} keys={client.keys} cityTz={cityTz} />
      <h2>{words.acts}</h2>
      <ul class="plain">
        {possible.map((kind) => (
          <li>
            <a href={`/ops/clients/${client.id}/${kind}`}>{words.kinds[kind]}</a>
            <p class="muted">{words.kindLeads[kind]}</p>
          </li>
        ))}
      </ul>
      <h2>{words.history}</h2>
      <Changes {...props} changes={changes} />
      <Back c={c} />
    </Frame>
  );
}

export function Keys({
  c,
  keys,
  cityTz,
}: {
  c: PageContext;
  keys: Client['keys'];
  cityTz: string;
}) {
  const words = c.get('text').clients;
  return (
    <div class="scroll">
      <table class="fold">
        <thead>
          <tr>
            <th scope="col">{words.kid}</th>
            <th scope="col">{words.thumbprint}</th>
            <th scope="col">{words.addedAt}</th>
            <th scope="col">{words.endsAt}</th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr>
              <td data-label={words.kid}>
                <code>{key.kid}</code>
              </td>
              <td data-label={words.thumbprint}>
                <code>{key.thumbprint}</code>
              </td>
              <td data-label={words.addedAt}>{showTime(key.addedAt, cityTz)}</td>
              <td data-label={words.endsAt}>
                {key.endsAt ? showTime(key.endsAt, cityTz) : words.noEnd}{' '}
                {key.serves ? null : <Tag tone="bad">{words.ended}</Tag>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
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
