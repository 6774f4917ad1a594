// The page behind an enrolment's link, and the link itself as the operator sees it, once.
import type { Enrolment } from '../identity/index.ts';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime } from './page.tsx';
import type { Told } from './words.ts';

/**
 * Puts the code that stands after the link's # into the form and takes it out of the address. Without
 * it the code is copied by hand.
 */
export const enrolmentScript = `
const code = document.querySelector('input[name="code"]');
if (code && location.hash.length > 1) {
  code.value = location.hash.slice(1);
  history.replaceState(null, '', location.pathname);
}
`.trim();

export function EnrolmentPage({ c, error }: { c: PageContext; error?: Told }) {
  const words = c.get('text').enrolment;
  return (
    <Frame c={c} title={words.title} head={<script src="/assets/enrol.js" defer={true} />}>
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      <form class="stack" method="post" action="/enrol/start">
        <FormToken c={c} />
        <Field name="code" label={words.code} hint={words.codeHint} required={true} />
        <button type="submit">{words.start}</button>
      </form>
    </Frame>
  );
}

interface LinkProps {
  c: PageContext;
  officer: string;
  cityTz: string;
  enrolment: Enrolment;
}

/** After a decision: the link to hand over, shown in this reply and never again. */
export function EnrolmentLinkPage({ c, officer, cityTz, enrolment }: LinkProps) {
  const words = c.get('text').enrolment;
  return (
    <Frame c={c} title={words.linkTitle} at="ops">
      <h1>{words.linkTitle}</h1>
      <p class="lead">{words.linkLead(officer)}</p>
      <p>
        <code>{enrolment.url}</code>
      </p>
      <p class="notice">
        {words.linkOnce} {words.linkUntil} {showTime(enrolment.expiresAt, cityTz)}
      </p>
      <p>
        <a href="/ops/rights">{c.get('text').rights.title}</a>
      </p>
    </Frame>
  );
}
