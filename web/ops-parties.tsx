// Relying parties as operators see them: all that are registered, and one of them with its notices.
import {
  type ClientChange,
  isPartyChangeAllowed,
  PARTY_CHANGE_KINDS,
  type RelyingParty,
  type SignOutNotices,
} from '../identity/index.ts';
import type { ChangesProps } from './ops-client-changes.tsx';
import { partyRows } from './ops-party-rows.tsx';
import { RegisteredOnePage, RegisteredPage, StateTag } from './ops-registered.tsx';
import { FormToken, nameIn, showTime } from './page.tsx';

const LIST = '/ops/parties';

interface ListProps extends Omit<ChangesProps, 'changes'> {
  parties: { items: RelyingParty[]; nextCursor: string | null };
  waiting: ClientChange[];
}

export function PartiesPage(props: ListProps) {
  const { c, parties, organisationName } = props;
  return (
    <RegisteredPage
      {...props}
      at={LIST}
      words={c.get('text').parties}
      isEmpty={parties.items.length === 0}
      nextCursor={parties.nextCursor}
    >
      {parties.items.map((party) => (
        <li>
          <a href={`${LIST}/${party.id}`}>
            <strong>{nameIn(c.get('lang'), party)}</strong> <code>{party.id}</code>
          </a>{' '}
          <StateTag c={c} state={party.state} />
          <p class="muted">{organisationName(party.organisation)}</p>
        </li>
      ))}
    </RegisteredPage>
  );
}

interface PartyProps extends ChangesProps {
  party: RelyingParty;
  notices: SignOutNotices;
}

export function PartyPage(props: PartyProps) {
  const { c, party, organisationName } = props;
  const words = c.get('text').clients;
  return (
    <RegisteredOnePage
      {...props}
      at={LIST}
      title={nameIn(c.get('lang'), party)}
      registered={party}
      rows={[
        [words.id, <code>{party.id}</code>],
        [words.organisation, organisationName(party.organisation)],
        ...partyRows(c, { ...party }),
      ]}
      possible={PARTY_CHANGE_KINDS.filter((kind) => isPartyChangeAllowed(kind, party.state))}
    >
      {party.backchannelLogoutUri === null ? null : <Notices {...props} />}
    </RegisteredOnePage>
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
