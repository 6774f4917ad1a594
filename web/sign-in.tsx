// Signing in: one page for people and officers; the same address takes JSON (contract section 5).
import type { ListedProvider } from '../identity/index.ts';
import { ErrorSummary, Field, FormToken, Frame, type PageContext } from './page.tsx';
import { PasskeyWayIn } from './passkeys.tsx';

interface SignInProps {
  c: PageContext;
  next: string;
  /** Whether PINs and passwords open anything here. */
  isLocal: boolean;
  hasPasskeys: boolean;
  providers: readonly ListedProvider[];
  failure?: string | undefined;
}

/** Whether a relying party waits for the sign-in (identity/openid-provider.ts). */
export function isForParty(next: string): boolean {
  return /^\/openid\/interaction\/[\w-]+$/.test(next);
}

export function SignInPage({ c, next, isLocal, hasPasskeys, providers, failure }: SignInProps) {
  const words = c.get('text').signInPage;
  const hasNoWay = !isLocal && !hasPasskeys && providers.length === 0;
  return (
    <Frame c={c} title={words.title}>
      <h1>{words.title}</h1>
      {isForParty(next) ? (
        <p class="notice">
          {words.forParty} <a href={`${next}/cancel`}>{words.cancel}</a>
        </p>
      ) : null}
      {failure ? <ErrorSummary c={c} detail={failure} /> : null}
      {providers.length > 0 ? <Providers c={c} next={next} providers={providers} /> : null}
      {isLocal ? <LocalForms c={c} next={next} /> : null}
      {hasNoWay ? <p class="notice">{words.noWay}</p> : null}
      <PasskeyWayIn c={c} next={next} hasPasskeys={hasPasskeys} />
    </Frame>
  );
}

function Providers({ c, next, providers }: Pick<SignInProps, 'c' | 'next' | 'providers'>) {
  const words = c.get('text').signInPage;
  const query = next === '' ? '' : `?next=${encodeURIComponent(next)}`;
  return (
    <ul class="cards">
      {providers.map(({ id, label, signsIn }) => (
        <li class="card">
          <h2>{signsIn === 'people' ? words.person : words.officer}</h2>
          <p>
            <a class="button" href={`/sign-in/with/${id}${query}`}>
              {words.with(label[c.get('lang')])}
            </a>
          </p>
        </li>
      ))}
    </ul>
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
