// Relying parties as operators see them: what waits, what is registered, one of them, and the forms that
// propose a change. The page of one change is the one of clients.
import {
  type ClientChange,
  isHoldKind,
  isPartyChangeAllowed,
  PARTY_CHANGE_KINDS,
  type PartyProposal,
  type RelyingParty,
  type SignOutNotices,
} from '../identity/index.ts';
import type { AppError } from '../platform/index.ts';
import { KeysField, withoutIndex } from './ops-client-proposal.tsx';
import { Back, Changes, Keys } from './ops-clients.tsx';
import { partyRows } from './ops-party-rows.tsx';
import {
  ErrorSummary,
  Field,
  FormToken,
  Frame,
  nameIn,
  type PageContext,
  showTime,
  Tag,
} from './page.tsx';
import { TextArea } from './text-area.tsx';
import { told } from './words.ts';

const LIST = '/ops/parties';

interface Common {
  c: PageContext;
  cityTz: string;
  organisationName: (id: string) => string;
}

interface ListProps extends Common {
  parties: { items: RelyingParty[]; nextCursor: string | null };
  waiting: ClientChange[];
}

export function PartiesPage(props: ListProps) {
  const { c, parties, waiting, organisationName } = props;
  const { parties: words, clients: common } = c.get('text');
  return (
    <Frame c={c} title={words.title} at="ops">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <h2>{common.waiting}</h2>
      {waiting.length === 0 ? <p class="muted">{common.noneWaiting}</p> : null}
      <Changes {...props} changes={waiting} />
      <h2>{words.registered}</h2>
      <p>
        <a href={`${LIST}/new`}>{words.register}</a>
      </p>
      {parties.items.length === 0 ? <p class="muted">{words.none}</p> : null}
      <ul class="plain">
        {parties.items.map((party) => (
          <li>
            <a href={`${LIST}/${party.id}`}>
              <strong>{nameIn(c.get('lang'), party)}</strong> <code>{party.id}</code>
            </a>{' '}
            <StateTag c={c} party={party} />
            <p class="muted">{organisationName(party.organisation)}</p>
          </li>
        ))}
      </ul>
      {parties.nextCursor ? (
        <p class="pager">
          <a href={`${LIST}?cursor=${encodeURIComponent(parties.nextCursor)}`}>{common.next}</a>
        </p>
      ) : null}
    </Frame>
  );
}

function StateTag({ c, party }: { c: PageContext; party: RelyingParty }) {
  const tone = ({ active: 'good', held: 'warn', suspended: 'bad' } as const)[party.state];
  return <Tag tone={tone}>{c.get('text').clients.states[party.state]}</Tag>;
}

interface PartyProps extends Common {
  party: RelyingParty;
  changes: ClientChange[];
  notices: SignOutNotices;
}

export function PartyPage(props: PartyProps) {
  const { c, party, changes, cityTz, organisationName } = props;
  const words = c.get('text').clients;
  const possible = PARTY_CHANGE_KINDS.filter((kind) => isPartyChangeAllowed(kind, party.state));
  const name = nameIn(c.get('lang'), party);
  return (
    <Frame c={c} title={name} at="ops">
      <h1>{name}</h1>
      <p>
        <StateTag c={c} party={party} />
      </p>
      {party.heldUntil ? (
        <p class="notice bad">
          {words.heldUntil} {showTime(party.heldUntil, cityTz)}
        </p>
      ) : null}
      <dl>
        <dt>{words.id}</dt>
        <dd>
          <code>{party.id}</code>
        </dd>
        <dt>{words.organisation}</dt>
        <dd>{organisationName(party.organisation)}</dd>
        {partyRows(c, { ...party }).map(([term, value]) => (
          <>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
      <h2>{words.keys}</h2>
      <p class="hint">{words.thumbprintHint}</p>
      <Keys c={c} keys={party.keys} cityTz={cityTz} />
      {party.backchannelLogoutUri === null ? null : <Notices {...props} />}
      <h2>{words.acts}</h2>
      <ul class="plain">
        {possible.map((kind) => (
          <li>
            <a href={`${LIST}/${party.id}/${kind}`}>{words.kinds[kind]}</a>
            <p class="muted">{words.kindLeads[kind]}</p>
          </li>
        ))}
      </ul>
      <h2>{words.history}</h2>
      <Changes {...props} changes={changes} />
      <Back c={c} to={LIST} />
    </Frame>
  );
}

/** What the relying party has not heard of sessions that ended here. */
function Notices({ c, party, notices, cityTz }: PartyProps) {
  const words = c.get('text').parties;
  return (
    <>
      <h2>{words.notices}</h2>
      <p class="muted">{words.noticesLead}</p>
      <dl>
        <dt>{words.noticesWaiting}</dt>
        <dd>{notices.waiting}</dd>
        <dt>{words.noticesDead}</dt>
        <dd>{notices.dead}</dd>
        {notices.oldestDeadAt ? (
          <>
            <dt>{words.noticesOldest}</dt>
            <dd>{showTime(notices.oldestDeadAt, cityTz)}</dd>
            <dt>{words.noticesError}</dt>
            <dd>
              <code>{notices.lastError}</code>
            </dd>
          </>
        ) : null}
      </dl>
      {notices.dead === 0 ? null : (
        <form class="stack" method="post" action={`${LIST}/${party.id}/notices`}>
          <FormToken c={c} />
          <p class="notice bad">{words.noticesGivenUp}</p>
          <button type="submit">{words.resend}</button>
        </form>
      )}
    </>
  );
}

interface ProposalProps {
  c: PageContext;
  kind: PartyProposal['kind'];
  /** Absent while there is none yet. */
  party?: RelyingParty | undefined;
  departments: { id: string; name: string }[];
  values: Record<string, string>;
  error?: AppError | undefined;
}

export function PartyProposalPage({ c, kind, party, departments, values, error }: ProposalProps) {
  const words = c.get('text').clients;
  const refusal = error && told(c, error);
  const errors = refusal?.fields?.map(withoutIndex);
  const common = { c, values, errors };
  const [hasKeys, hasAddresses] = [
    kind === 'register_party' || kind === 'change_party_keys',
    kind === 'register_party' || kind === 'change_party_addresses',
  ];
  return (
    <Frame c={c} title={words.kinds[kind]} at="ops">
      <h1>
        {words.kinds[kind]}
        {party ? ` · ${party.id}` : ''}
      </h1>
      <p class="lead">{words.kindLeads[kind]}</p>
      {refusal ? <ErrorSummary c={c} detail={refusal.detail} fields={errors} /> : null}
      <form class="stack" method="post" action={`${LIST}/${party ? `${party.id}/${kind}` : 'new'}`}>
        <FormToken c={c} />
        {kind === 'register_party' ? <Identity {...common} departments={departments} /> : null}
        {hasAddresses ? <Addresses {...common} /> : null}
        {hasKeys ? <KeysField {...common} /> : null}
        {kind === 'change_party_keys' ? (
          <Field
            name="oldKeysUntil"
            label={words.oldKeysUntil}
            hint={words.oldKeysHint}
            type="date"
            value={values.oldKeysUntil}
            errors={errors}
          />
        ) : null}
        <Field
          name="reason"
          label={words.reason}
          hint={words.reasonHint}
          value={values.reason}
          required={true}
          errors={errors}
        />
        <button type="submit">{isHoldKind(kind) ? words.kinds[kind] : words.propose}</button>
      </form>
      <Back c={c} to={LIST} />
    </Frame>
  );
}

type FieldsProps = Pick<ProposalProps, 'c' | 'values'> & {
  errors: ReturnType<typeof told>['fields'];
};

function Identity({
  c,
  values,
  errors,
  departments,
}: FieldsProps & Pick<ProposalProps, 'departments'>) {
  const { parties: words, clients: common } = c.get('text');
  return (
    <>
      <Field
        name="organisation"
        label={common.organisation}
        value={values.organisation}
        errors={errors}
        options={departments.map(({ id, name }) => ({ value: id, label: name }))}
      />
      <Field
        name="client"
        label={common.id}
        hint={common.idHint}
        value={values.client}
        required={true}
        errors={errors}
      />
      {(['nameZh', 'nameEn'] as const).map((name) => (
        <Field
          name={name}
          label={words[name]}
          value={values[name]}
          required={true}
          errors={errors}
        />
      ))}
    </>
  );
}

function Addresses({ c, values, errors }: FieldsProps) {
  const words = c.get('text').parties;
  return (
    <>
      <TextArea
        name="redirectUris"
        label={words.redirectUris}
        hint={words.redirectHint}
        value={values.redirectUris}
        rows={3}
        required={true}
        errors={errors}
      />
      <TextArea
        name="postLogoutRedirectUris"
        label={words.postLogoutRedirectUris}
        hint={words.postLogoutHint}
        value={values.postLogoutRedirectUris}
        rows={2}
        errors={errors}
      />
      <Field
        name="backchannelLogoutUri"
        label={words.backchannelLogoutUri}
        hint={words.backchannelHint}
        value={values.backchannelLogoutUri}
        errors={errors}
      />
    </>
  );
}
