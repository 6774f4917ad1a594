// Who may act for me, and for whom I may act.
import { DELEGABLE_ITEMS, type Delegation } from '../identity/index.ts';
import {
  ErrorSummary,
  Field,
  FormToken,
  Frame,
  idWithin,
  type PageContext,
  showTime,
  Tag,
} from './page.tsx';
import type { Told } from './words.ts';

interface DelegationsProps {
  c: PageContext;
  cityTz: string;
  delegations: Delegation[];
  values: Record<string, string>;
  error: Told | undefined;
}

export function DelegationsPage(props: DelegationsProps) {
  const { c, delegations, error } = props;
  const words = c.get('text').delegations;
  const given = delegations.filter(({ side }) => side === 'principal');
  const received = delegations.filter(({ side }) => side === 'agent');
  return (
    <Frame c={c} title={words.title} at="me">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      <h2>{words.received}</h2>
      {received.length === 0 ? <p class="muted">{words.noneReceived}</p> : null}
      <DelegationList {...props} delegations={received} />
      <h2>{words.given}</h2>
      {given.length === 0 ? <p class="muted">{words.noneGiven}</p> : null}
      <DelegationList {...props} delegations={given} />
      <h2>{words.give}</h2>
      {c.get('actingFor') ? (
        <p class="notice">{words.stopFirst}</p>
      ) : (
        <GiveForm {...props} action="/me/delegations" />
      )}
    </Frame>
  );
}

const tones = {
  proposed: 'warn',
  accepted: 'good',
  refused: 'bad',
  revoked: 'bad',
  expired: 'bad',
} as const;

/** Delegations with what may be done with each; `revokeAt` where somebody revokes in another's name. */
export function DelegationList({
  c,
  cityTz,
  delegations,
  revokeAt = (id) => `/me/delegations/${id}`,
}: Pick<DelegationsProps, 'c' | 'cityTz' | 'delegations'> & {
  revokeAt?: ((id: string) => string) | undefined;
}) {
  const words = c.get('text').delegations;
  return (
    <ul class="plain">
      {delegations.map((delegation) => {
        const { id, side, items, state } = delegation;
        const other = side === 'principal' ? delegation.agent : delegation.principal;
        return (
          <li id={`delegation-${id}`}>
            <p>
              <strong>{other.name ?? other.masked ?? '—'}</strong>{' '}
              {other.name === null ? null : <span class="muted">{other.masked}</span>}{' '}
              <Tag tone={tones[state]}>
                {side === 'agent' && state === 'proposed' ? words.waitsForYou : words.states[state]}
              </Tag>
            </p>
            <dl>
              <dt>{words.items}</dt>
              <dd>{items.map((item) => words.itemNames[item]).join('；')}</dd>
              <dt>{words.days}</dt>
              <dd>
                {delegation.validFrom} – {delegation.validTo}
              </dd>
              {delegation.endedAt ? (
                <>
                  <dt>{words.states[state]}</dt>
                  <dd>{showTime(delegation.endedAt, cityTz)}</dd>
                </>
              ) : null}
            </dl>
            <Decisions c={c} delegation={delegation} action={revokeAt(id)} />
          </li>
        );
      })}
    </ul>
  );
}

/** What this side may do now; nothing about delegations while one acts for another. */
function Decisions({
  c,
  delegation: { id, side, state },
  action,
}: {
  c: PageContext;
  delegation: Delegation;
  action: string;
}) {
  const words = c.get('text').delegations;
  const isOpen = state === 'proposed' || state === 'accepted';
  if (!isOpen || c.get('actingFor')) return null;
  const isAsked = side === 'agent' && state === 'proposed';
  return (
    <>
      {isAsked ? <p class="hint">{words.acceptHint}</p> : null}
      <div class="row">
        {side === 'agent' && state === 'accepted' ? (
          <form method="post" action="/me/act-for">
            <FormToken c={c} />
            <button type="submit" name="delegation" value={id}>
              {words.actFor}
            </button>
          </form>
        ) : null}
        <form method="post" action={action} class="row">
          <FormToken c={c} />
          {isAsked ? (
            <>
              <button type="submit" name="decision" value="accept">
                {words.accept}
              </button>
              <button type="submit" name="decision" value="refuse">
                {words.refuse}
              </button>
            </>
          ) : (
            <button type="submit" class="quiet" name="decision" value="revoke">
              {words.revoke}
            </button>
          )}
        </form>
      </div>
    </>
  );
}

/** The form that lets somebody act: who, in what, from when to when. */
export function GiveForm({
  c,
  values,
  error,
  action,
  within,
}: Pick<DelegationsProps, 'c' | 'values' | 'error'> & {
  action: string;
  within?: string | undefined;
}) {
  const words = c.get('text').delegations;
  const itemsError = error?.fields?.find(({ pointer }) => pointer === '/items');
  return (
    <form class="stack" method="post" action={action}>
      <FormToken c={c} />
      <Field
        name="agent-value"
        within={within}
        label={words.agent}
        hint={words.agentHint}
        value={values['agent-value']}
        required={true}
        errors={error?.fields}
      />
      <fieldset id={idWithin(within, 'items')} class={itemsError ? 'wrong' : undefined}>
        <legend>{words.items}</legend>
        {itemsError ? <p class="message">{itemsError.detail}</p> : null}
        {DELEGABLE_ITEMS.map((item) => (
          <label>
            <input
              type="checkbox"
              name={`item-${item}`}
              checked={values[`item-${item}`] === 'on'}
            />
            {words.itemNames[item]}
          </label>
        ))}
        <p class="hint">{words.never}</p>
      </fieldset>
      <Field
        name="validFrom"
        within={within}
        label={words.validFrom}
        type="date"
        value={values.validFrom}
        errors={error?.fields}
      />
      <Field
        name="validTo"
        within={within}
        label={words.validTo}
        hint={words.validToHint}
        type="date"
        value={values.validTo}
        required={true}
        errors={error?.fields}
      />
      <button type="submit">{words.submit}</button>
    </form>
  );
}
