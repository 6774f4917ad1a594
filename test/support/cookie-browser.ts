// A browser without a screen: keeps each site's cookies apart, follows redirects when asked to.

/** What a page answered, and where it was. */
export interface Visit {
  url: string;
  status: number;
  headers: Headers;
  text: string;
}

/** A browser; `resolve` gives where a public URL really listens. */
export function createBrowser(resolve: (url: string) => string = (url) => url) {
  const jars = new Map<string, Map<string, string>>();

  function jarOf(url: string): Map<string, string> {
    const { origin } = new URL(url);
    const jar = jars.get(origin) ?? new Map<string, string>();
    jars.set(origin, jar);
    return jar;
  }

  function keep(jar: Map<string, string>, lines: readonly string[]): void {
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const isGone = /max-age=0|expires=Thu, 01 Jan 1970/i.test(line) || value === '';
      if (isGone) jar.delete(name);
      else jar.set(name, value);
    }
  }

  async function send(
    method: string,
    url: string,
    fields?: Record<string, string>,
  ): Promise<Visit> {
    const jar = jarOf(url);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const reply = await fetch(resolve(url), {
      method,
      redirect: 'manual',
      headers: {
        Cookie: cookie,
        'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
        ...(fields ? { Origin: new URL(url).origin } : {}),
      },
      ...(fields ? { body: new URLSearchParams(fields) } : {}),
    });
    keep(jar, reply.headers.getSetCookie());
    return { url, status: reply.status, headers: reply.headers, text: await reply.text() };
  }

  /** The next address of a redirect, or of a page that goes on by itself. */
  function nextOf(visit: Visit): string | null {
    const location = visit.headers.get('location');
    const [, refresh] = /http-equiv="refresh" content="0; ?url=([^"]+)"/.exec(visit.text) ?? [];
    const next = location ?? refresh?.replaceAll('&amp;', '&');
    return next === undefined ? null : new URL(next, visit.url).href;
  }

  return {
    get: (url: string) => send('GET', url),
    post: (url: string, fields: Record<string, string>) => send('POST', url, fields),
    cookies: (url: string) => jarOf(url),

    /** Follows redirects from an answer until one leads to an address that `isEnd` names, or none. */
    async follow(visit: Visit, isEnd: (url: string) => boolean = () => false): Promise<Visit> {
      let at = visit;
      for (let hops = 0; hops < 12; hops += 1) {
        const next = nextOf(at);
        if (next === null) return at;
        if (isEnd(next)) return { ...at, url: next };
        at = await send('GET', next);
      }
      throw new Error(`Redirects without end, last to ${at.url}.`);
    },
  };
}

export type CookieBrowser = ReturnType<typeof createBrowser>;
