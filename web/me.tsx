// The citizen's own page: what I hold, who looked at me, what waits for my consent.
import type { Exchange } from '../exchange/index.ts';
import type { LogState } from '../oversight/index.ts';
import type { Registry } from '../registry/index.ts';
import { type LooksProps, LooksSection } from './looks.tsx';
import { FormToken, Frame, showTime, Tag } from './page.tsx';
import { QrCode } from './qr.tsx';
import { WitnessLine } from './witness-line.tsx';
import { inFours } from './words.ts';

type OwnLicence = Awaited<ReturnType<Registry['ownLicences']>>[number];
type Consent = Awaited<ReturnType<Exchange['listConsents']>>[number];

interface MeProps extends Omit<LooksProps, 'accessLog' | 'noLooks'> {
  /** Null where an agent has no part in it. */
  licences: OwnLicence[] | null;
  /** May she take the documents too? An agent who may only look may not. */
  hasDocuments: boolean;
  typeName: (id: string) => string;
  organisationName: (id: string) => string;
  accessLog: LooksProps['accessLog'] | null;
  consents: Consent[];
  log: LogState;
  publicUrl: string;
}

export function MePage(props: MeProps) {
  const { c, licences, accessLog, consents } = props;
  const text = c.get('text');
  const words = text.me.of(c.get('actingFor')?.name);
  return (
    <Frame c={c} title={words.title} at="me">
      <h1>{words.title}</h1>
      {consents.length > 0 ? <Consents {...props} /> : null}
      <p>
        <a href="/me/delegations">{text.delegations.title}</a>
        {' · '}
        <a href="/me/tickets">{text.tickets.own}</a>
        {c.get('actingFor') ? null : (
          <>
            {' · '}
            <a href="/org">{text.org.title}</a>
          </>
        )}
      </p>
      {licences === null ? <p class="muted">{text.delegations.notDelegated}</p> : null}
      {licences?.length === 0 ? <p class="muted">{words.none}</p> : null}
      <ul class="cards">
        {licences?.map((licence) => (
          <LicenceCard {...props} licence={licence} />
        ))}
      </ul>
      <h2 id="looks">{words.looks}</h2>
      <p class="lead">{text.me.looksLead}</p>
      <WitnessLine c={c} log={props.log} />
      <p class="muted">
        {text.me.checkOffline} <a href="/verifier.html">{text.me.verifierPage}</a>{' '}
        <a href="/log/vkey">{text.me.logKey}</a>
      </p>
      <p>
        <a href="/me/completeness">{text.completeness.title}</a>
      </p>
      {accessLog === null ? (
        <p class="muted">{text.delegations.notDelegated}</p>
      ) : (
        <LooksSection {...props} accessLog={accessLog} noLooks={words.noLooks} />
      )}
    </Frame>
  );
}

function LicenceCard({
  c,
  licence,
  typeName,
  organisationName,
  cityTz,
  publicUrl,
  hasDocuments,
}: MeProps & { licence: OwnLicence }) {
  const text = c.get('text');
  const isValid = licence.status === 'valid';
  return (
    <li class={isValid ? 'card licence' : 'card licence bad'}>
      <h2>{typeName(licence.type)}</h2>
      <Tag tone={isValid ? 'good' : 'bad'}>
        {licence.status === 'valid' ? text.results.valid : text.results[licence.status]}
      </Tag>
      <dl>
        <dt>{text.me.issuer}</dt>
        <dd>{organisationName(licence.issuer)}</dd>
        <dt>{text.me.validTo}</dt>
        <dd>{licence.validTo ?? text.me.permanent}</dd>
        <dt>{text.me.issuedAt}</dt>
        <dd>{showTime(licence.issuedAt, cityTz)}</dd>
        <dt>{text.me.code}</dt>
        <dd>
          <code>{inFours(licence.verificationCode)}</code>
        </dd>
        <dt>{text.me.number}</dt>
        <dd>
          <code>{licence.number}</code>
        </dd>
      </dl>
      <details>
        <summary>{text.me.qr}</summary>
        <QrCode text={`${publicUrl}/verify#${licence.verificationCode}`} label={text.me.qr} />
      </details>
      {hasDocuments ? (
        <p>
          <a href={`/v1/licences/${encodeURIComponent(licence.number)}/document.pdf`} download="">
            {text.me.document}
          </a>
        </p>
      ) : null}
    </li>
  );
}

function Consents({ c, consents, cityTz, organisationName }: MeProps) {
  const text = c.get('text');
  const words = text.me;
  return (
    <section>
      <h2>{words.consents}</h2>
      <ul class="plain">
        {consents.map((consent) => (
          <li>
            <dl>
              <dt>{words.asks}</dt>
              <dd>{organisationName(consent.requester)}</dd>
              <dt>{words.question}</dt>
              <dd>{consent.question}</dd>
              <dt>{words.answers}</dt>
              <dd>{consent.answers.join(text.comma)}</dd>
              <dt>{words.notAnswered}</dt>
              <dd>{consent.notAnswered.join(text.comma) || '—'}</dd>
              <dt>{words.why}</dt>
              <dd>{consent.purpose}</dd>
              <dt>{words.expires}</dt>
              <dd>{showTime(consent.expiresAt, cityTz)}</dd>
            </dl>
            <form method="post" action={`/me/consents/${consent.id}`} class="row">
              <FormToken c={c} />
              <button type="submit" name="decision" value="grant">
                {words.agree}
              </button>
              <button type="submit" name="decision" value="refuse">
                {words.refuse}
              </button>
            </form>
          </li>
        ))}
      </ul>
    </section>
  );
}
