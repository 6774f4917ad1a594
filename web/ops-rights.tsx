// Officers and roles as operators see them: what waits, who there is, one officer.
import {
  type ListedOfficer,
  type PasskeyReset,
  ROLES,
  type RoleRequest,
} from '../identity/index.ts';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime, Tag } from './page.tsx';
import { roleWords, type Told } from './words.ts';

interface Common {
  c: PageContext;
  cityTz: string;
  organisationName: (id: string) => string;
  values: Record<string, string>;
  error?: Told | undefined;
}

interface ListProps extends Common {
  departments: { id: string; name: string }[];
  chosen: string;
  officers: { items: ListedOfficer[]; nextCursor: string | null };
  waiting: RoleRequest[];
  resets: PasskeyReset[];
}

export function RightsPage(props: ListProps) {
  const { c, departments, chosen, officers, waiting, resets, error } = props;
  const words = c.get('text').rights;
  const next = new URLSearchParams({ organisation: chosen, cursor: officers.nextCursor ?? '' });
  return (
    <Frame c={c} title={words.title} at="ops">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      <h2>{words.waiting}</h2>
      {waiting.length + resets.length === 0 ? <p class="muted">{words.noneWaiting}</p> : null}
      <ul class="plain">
        {waiting.map((request) => (
          <Waiting {...props} request={request} />
        ))}
        {resets.map((reset) => (
          <WaitingReset {...props} reset={reset} />
        ))}
      </ul>
      <h2>{words.officers}</h2>
      <form class="row" method="get" action="/ops/rights">
        <div class="grow">
          <Field
            name="organisation"
            within="list"
            label={words.department}
            value={chosen}
            options={[
              { value: '', label: words.all },
              ...departments.map(({ id, name }) => ({ value: id, label: name })),
            ]}
          />
        </div>
        <div class="field">
          <button class="quiet" type="submit">
            {words.show}
          </button>
        </div>
      </form>
      {officers.items.length === 0 ? <p class="muted">{words.noOfficers}</p> : null}
      <ul class="plain">
        {officers.items.map((officer) => (
          <li>
            <a href={officerPath(officer.key)}>
              <strong>{officer.key}</strong>
            </a>{' '}
            {officer.hasLeft ? <Tag tone="bad">{words.left}</Tag> : null}
            <p class="muted">
              {props.organisationName(officer.organisation)} ·{' '}
              {officer.roles.map(({ role }) => roleWords(c, role)).join(c.get('text').comma) ||
                words.noRoles}
            </p>
          </li>
        ))}
      </ul>
      {officers.nextCursor ? (
        <p class="pager">
          <a href={`/ops/rights?${next}`}>{words.next}</a>
        </p>
      ) : null}
      <h2>{words.add}</h2>
      <p class="muted">{words.addLead}</p>
      <AddForm {...props} />
    </Frame>
  );
}

export const officerPath = (key: string): string =>
  `/ops/rights/officers/${encodeURIComponent(key)}`;

function AddForm({ c, departments, values, error }: ListProps) {
  const words = c.get('text').rights;
  const errors = error?.fields;
  return (
    <form class="stack" method="post" action="/ops/rights/officers">
      <FormToken c={c} />
      <Field name="key" label={words.key} value={values.key} required={true} errors={errors} />
      <Field
        name="username"
        label={words.username}
        value={values.username}
        required={true}
        errors={errors}
      />
      <Field
        name="organisation"
        label={words.department}
        value={values.organisation}
        options={departments.map(({ id, name }) => ({ value: id, label: name }))}
      />
      <Field
        name="duty"
        label={words.duty}
        hint={words.dutyHint}
        value={values.duty}
        options={(['work', 'audit', 'operate'] as const).map((duty) => ({
          value: duty,
          label: words.duties[duty],
        }))}
      />
      <button type="submit">{words.add}</button>
    </form>
  );
}

function Waiting({ c, cityTz, request, organisationName }: Common & { request: RoleRequest }) {
  const words = c.get('text').rights;
  const me = c.get('actor').officerKey;
  const isMine = request.requestedBy === me || request.officer === me;
  return (
    <li>
      <strong>
        {words.acts[request.act]} · {roleWords(c, request.role)} · {request.officer}
      </strong>
      <p class="muted">
        {organisationName(request.organisation)} · {words.reaches[request.reach]} ·{' '}
        {request.validFrom} {words.until} {request.validTo ?? words.noEnd}
      </p>
      <p class="muted">
        {words.askedBy} {request.requestedBy} · {showTime(request.requestedAt, cityTz)} ·{' '}
        {request.reason}
      </p>
      <Decision c={c} id={request.id} action="requests" isMine={isMine} />
    </li>
  );
}

/** The form that decides what another operator asked for. */
function Decision(props: {
  c: PageContext;
  id: string;
  action: 'requests' | 'resets';
  isMine: boolean;
}) {
  const { c, id, action, isMine } = props;
  const words = c.get('text').rights;
  if (isMine) return <p class="notice">{words.yours}</p>;
  return (
    <form class="stack" method="post" action={`/ops/rights/${action}/${id}`}>
      <FormToken c={c} />
      <ReasonField c={c} within={id} />
      <div class="row">
        <button type="submit" name="decision" value="approve">
          {words.approve}
        </button>
        <button type="submit" name="decision" value="refuse">
          {words.refuse}
        </button>
      </div>
    </form>
  );
}

function WaitingReset({ c, cityTz, reset, organisationName }: Common & { reset: PasskeyReset }) {
  const words = c.get('text').rights;
  const me = c.get('actor').officerKey;
  return (
    <li>
      <strong>
        {words.reset} · {reset.officer}
      </strong>
      <p class="muted">{organisationName(reset.organisation)}</p>
      <p class="muted">
        {words.askedBy} {reset.requestedBy} · {showTime(reset.requestedAt, cityTz)} · {reset.reason}
      </p>
      <p class="muted">{words.resetLead}</p>
      <Decision
        c={c}
        id={reset.id}
        action="resets"
        isMine={reset.requestedBy === me || reset.officer === me}
      />
    </li>
  );
}

/** A reason where a page asks for several. */
function ReasonField({ c, within }: { c: PageContext; within: string }) {
  const words = c.get('text').rights;
  return (
    <Field
      name="reason"
      within={within}
      label={words.reason}
      hint={words.reasonHint}
      required={true}
    />
  );
}

export function OfficerPage(props: Common & { officer: ListedOfficer }) {
  const { c, officer, organisationName, error } = props;
  const words = c.get('text').rights;
  return (
    <Frame c={c} title={officer.key} at="ops">
      <h1>{officer.key}</h1>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      {officer.hasLeft ? <p class="notice bad">{words.left}</p> : null}
      <dl>
        <dt>{words.department}</dt>
        <dd>{organisationName(officer.organisation)}</dd>
        <dt>{words.username}</dt>
        <dd>{officer.username}</dd>
        <dt>{words.duty}</dt>
        <dd>{words.duties[officer.duty]}</dd>
      </dl>
      <h2>{words.roles}</h2>
      {officer.roles.length === 0 ? <p class="muted">{words.noRoles}</p> : null}
      <ul class="plain">
        {officer.roles.map(({ role, reach, validFrom, validTo }) => (
          <li>
            <strong>{roleWords(c, role)}</strong>
            <p class="muted">
              {words.reaches[reach]}
              {validFrom === null && validTo === null
                ? ''
                : ` · ${validFrom ?? ''} ${words.until} ${validTo ?? words.noEnd}`}
            </p>
          </li>
        ))}
      </ul>
      {officer.hasLeft ? null : <Changes {...props} />}
      <p>
        <a href="/ops/rights">{words.back}</a>
      </p>
    </Frame>
  );
}

function Changes({ c, officer, values, error }: Common & { officer: ListedOfficer }) {
  const words = c.get('text').rights;
  const errors = error?.fields;
  const at = officerPath(officer.key);
  return (
    <>
      <h2>{words.askTitle}</h2>
      {c.get('actor').officerKey === officer.key ? (
        <p class="notice">{words.yours}</p>
      ) : (
        <form class="stack" method="post" action={at}>
          <FormToken c={c} />
          <Field
            name="act"
            label={words.act}
            value={values.act}
            options={(['grant', 'revoke'] as const).map((act) => ({
              value: act,
              label: words.acts[act],
            }))}
          />
          <Field
            name="role"
            label={words.role}
            value={values.role}
            options={ROLES.map((role) => ({ value: role, label: roleWords(c, role) }))}
          />
          <Field
            name="reach"
            label={words.reach}
            value={values.reach}
            options={(['own', 'below'] as const).map((reach) => ({
              value: reach,
              label: words.reaches[reach],
            }))}
          />
          <Field
            name="validFrom"
            label={words.from}
            hint={words.fromHint}
            type="date"
            value={values.validFrom}
            errors={errors}
          />
          <Field
            name="validTo"
            label={words.to}
            hint={words.toHint}
            type="date"
            value={values.validTo}
            errors={errors}
          />
          <Field
            name="reason"
            label={words.reason}
            hint={words.reasonHint}
            value={values.reason}
            required={true}
            errors={errors}
          />
          <button type="submit">{words.ask}</button>
        </form>
      )}
      {c.get('actor').officerKey === officer.key ? null : (
        <>
          <h2>{words.reset}</h2>
          <p class="muted">{words.resetLead}</p>
          <form class="stack" method="post" action={`${at}/reset`}>
            <FormToken c={c} />
            <ReasonField c={c} within="reset" />
            <button type="submit">{words.ask}</button>
          </form>
        </>
      )}
      <h2>{words.leave}</h2>
      <p class="muted">{words.leaveLead}</p>
      <form class="stack" method="post" action={`${at}/leave`}>
        <FormToken c={c} />
        <ReasonField c={c} within="leave" />
        <button class="quiet" type="submit">
          {words.leaveButton}
        </button>
      </form>
    </>
  );
}

interface PostProps {
  c: PageContext;
  posts: { id: string; name: string }[];
}

/** Where an officer whose roles reach below chooses for whom she acts. */
export function PostPage({ c, posts }: PostProps) {
  const words = c.get('text').rights;
  return (
    <Frame c={c} title={words.post} at="desk">
      <h1>{words.post}</h1>
      {posts.length > 1 ? (
        <>
          <p class="lead">{words.postLead}</p>
          <form class="stack" method="post" action="/desk/post">
            <FormToken c={c} />
            <Field
              name="organisation"
              label={words.department}
              value={c.get('actor').organisationId ?? ''}
              options={posts.map(({ id, name }) => ({ value: id, label: name }))}
            />
            <button type="submit">{words.take}</button>
          </form>
        </>
      ) : (
        <p class="lead">{words.postOnly}</p>
      )}
    </Frame>
  );
}
