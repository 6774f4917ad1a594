// Signing in: one page for people and officers; the same address takes JSON (contract section 5).
import { ErrorSummary, Field, FormToken, Frame, type PageContext } from './page.tsx';

interface SignInProps {
  c: PageContext;
  next: string;
  /** Whether PINs and passwords open anything here. */
  isLocal: boolean;
  failure?: string | undefined;
}

export function SignInPage({ c, next, isLocal, failure }: SignInProps) {
  const words = c.get('text').signInPage;
  return (
    <Frame c={c} title={words.title}>
      <h1>{words.title}</h1>
      {failure ? <ErrorSummary c={c} detail={failure} /> : null}
      {isLocal ? <LocalForms c={c} next={next} /> : <p class="notice">{words.noWay}</p>}
    </Frame>
  );
}

function LocalForms({ c, next }: Pick<SignInProps, 'c' | 'next'>) {
  const words = c.get('text').signInPage;
  return (
    <>
      <div class="cards">
        <section class="card">
          <h2>{words.person}</h2>
          <form class="stack" method="post" action="/sign-in">
            <FormToken c={c} />
            <input type="hidden" name="next" value={next} />
            <Field
              name="scheme"
              label={words.scheme}
              options={[
                { value: 'cn-id', label: words.cnId },
                { value: 'uscc', label: words.uscc },
              ]}
            />
            <Field name="value" label={words.value} required={true} autocomplete="username" />
            <Field
              name="pin"
              label={words.pin}
              type="password"
              required={true}
              autocomplete="current-password"
            />
            <button type="submit">{words.submit}</button>
          </form>
        </section>
        <section class="card">
          <h2>{words.officer}</h2>
          <form class="stack" method="post" action="/sign-in">
            <FormToken c={c} />
            <input type="hidden" name="next" value={next} />
            <Field name="username" label={words.username} required={true} autocomplete="username" />
            <Field
              name="password"
              label={words.password}
              type="password"
              required={true}
              autocomplete="current-password"
            />
            <button type="submit">{words.submit}</button>
          </form>
        </section>
      </div>
      <p class="hint">{words.sample}</p>
    </>
  );
}
