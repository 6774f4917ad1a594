// Passkeys of an officer: the list, adding one, and signing in with one.
import type { Passkey } from '../identity/index.ts';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime } from './page.tsx';
import type { Told } from './words.ts';

interface PasskeysProps {
  c: PageContext;
  cityTz: string;
  passkeys: Passkey[];
  /** False where browsers have none for the house's address. */
  hasPasskeys: boolean;
  /** Whether this session may change them: it began with one, or there is none yet. */
  mayChange: boolean;
}

export function PasskeysPage({ c, cityTz, passkeys, hasPasskeys, mayChange }: PasskeysProps) {
  const words = c.get('text').passkeys;
  return (
    <Frame c={c} title={words.title} at="desk">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      {hasPasskeys ? null : <p class="notice">{words.unavailable}</p>}
      {passkeys.length === 0 ? <p class="muted">{words.none}</p> : null}
      <ul class="plain">
        {passkeys.map(({ id, label, isSynced, createdAt, usedAt }) => (
          <li>
            <p>
              <strong>{label}</strong> {isSynced ? <span class="muted">{words.synced}</span> : null}
            </p>
            <dl>
              <dt>{words.added}</dt>
              <dd>{showTime(createdAt, cityTz)}</dd>
              <dt>{words.used}</dt>
              <dd>{usedAt ? showTime(usedAt, cityTz) : words.never}</dd>
            </dl>
            {mayChange ? (
              <form method="post" action={`/desk/passkeys/${id}/remove`}>
                <FormToken c={c} />
                <button type="submit" class="quiet">
                  {words.remove}
                </button>
              </form>
            ) : null}
          </li>
        ))}
      </ul>
      {mayChange ? null : <p class="notice">{words.signInFirst}</p>}
      {hasPasskeys && mayChange ? (
        <form method="post" action="/desk/passkeys/start">
          <FormToken c={c} />
          <button type="submit">{words.add}</button>
        </form>
      ) : null}
    </Frame>
  );
}

interface CeremonyProps {
  c: PageContext;
  /** What the browser is asked, as JSON of the Web Authentication API. */
  options: object;
}

/** Where the browser makes a passkey: by script, since browsers let nothing else. */
export function AddPasskeyPage({
  c,
  options,
  label,
  error,
  code,
}: CeremonyProps & {
  label?: string | undefined;
  error?: Told | undefined;
  /** Of an enrolment: the page stands for who has no session yet. */
  code?: string;
}) {
  const words = c.get('text').passkeys;
  return (
    <Frame
      c={c}
      title={words.add}
      at={code === undefined ? 'desk' : undefined}
      head={<PasskeyScript />}
    >
      <h1>{words.add}</h1>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      <form
        class="stack"
        method="post"
        action={code === undefined ? '/desk/passkeys' : '/enrol'}
        data-passkey="create"
        data-options={JSON.stringify(options)}
      >
        <FormToken c={c} />
        <input type="hidden" name="response" />
        {code === undefined ? null : <input type="hidden" name="code" value={code} />}
        <Field
          name="label"
          label={words.label}
          hint={words.labelHint}
          value={label}
          required={true}
          errors={error?.fields}
        />
        <Needs c={c} />
        <button type="submit">{words.make}</button>
      </form>
    </Frame>
  );
}

/** Where the browser offers its passkeys to sign in with. */
export function UsePasskeyPage({ c, options, next }: CeremonyProps & { next: string }) {
  const words = c.get('text').passkeys;
  return (
    <Frame c={c} title={words.signIn} head={<PasskeyScript />}>
      <h1>{words.signIn}</h1>
      <form
        class="stack"
        method="post"
        action="/sign-in/passkey"
        data-passkey="get"
        data-options={JSON.stringify(options)}
      >
        <FormToken c={c} />
        <input type="hidden" name="response" />
        <input type="hidden" name="next" value={next} />
        <p>{words.follow}</p>
        <Needs c={c} />
        <button type="submit">{words.again}</button>
      </form>
      <p>
        <a href="/sign-in">{words.otherWay}</a>
      </p>
    </Frame>
  );
}

/** On the sign-in page: the way in for officers with a passkey, or why there is none. */
export function PasskeyWayIn({
  c,
  next,
  hasPasskeys,
}: {
  c: PageContext;
  next: string;
  hasPasskeys: boolean;
}) {
  const words = c.get('text').passkeys;
  return (
    <section>
      <h2>{words.officers}</h2>
      {hasPasskeys ? (
        <form method="post" action="/sign-in/passkey/start">
          <FormToken c={c} />
          <input type="hidden" name="next" value={next} />
          <button type="submit" class="quiet">
            {words.signIn}
          </button>
        </form>
      ) : (
        <p class="muted">{words.unavailable}</p>
      )}
    </section>
  );
}

function PasskeyScript() {
  return <script src="/assets/passkey.js" defer={true} />;
}

/** What is said when there is no script, no passkeys in this browser, or the gesture didn't come. */
function Needs({ c }: { c: PageContext }) {
  const words = c.get('text').passkeys;
  return (
    <>
      <noscript>
        <p class="notice">{words.needsScript}</p>
      </noscript>
      <p class="notice bad" role="alert" id="passkey-fault" hidden={true}>
        {words.failed}
      </p>
    </>
  );
}
