// What one auditor asks and another decides: who did so, and the two buttons of the one who may.
import { FormToken, type PageContext, showTime } from './page.tsx';

interface AskedAndDecidedProps {
  c: PageContext;
  cityTz: string;
  one: {
    requestedBy: string;
    requestedAt: string;
    decidedBy: string | null;
    decidedAt: string | null;
  };
}

/** Terms of a list: who asked and who decided, and when. */
export function AskedAndDecided({ c, cityTz, one }: AskedAndDecidedProps) {
  const text = c.get('text').audit;
  return (
    <>
      <dt>{text.requestedBy}</dt>
      <dd>
        {accountName(one.requestedBy)} · {showTime(one.requestedAt, cityTz)}
      </dd>
      {one.decidedBy && one.decidedAt ? (
        <>
          <dt>{text.decidedBy}</dt>
          <dd>
            {accountName(one.decidedBy)} · {showTime(one.decidedAt, cityTz)}
          </dd>
        </>
      ) : null}
    </>
  );
}

/** The decision of what is still open; who asked is told that it isn't hers. */
export function DecideOrWait({ c, at, isOwn }: { c: PageContext; at: string; isOwn: boolean }) {
  const text = c.get('text').audit;
  if (isOwn) return <p class="notice">{text.own}</p>;
  return (
    <form method="post" action={at} class="row">
      <FormToken c={c} />
      <button type="submit" name="decision" value="approve">
        {text.approve}
      </button>
      <button type="submit" name="decision" value="refuse">
        {text.refuse}
      </button>
    </form>
  );
}

/** An account as a page names it: the officer's key, or a system's. */
export const accountName = (account: string): string => account.replace(/^officer:/, '');
