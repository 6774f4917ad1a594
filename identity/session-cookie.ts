// The cookies of this house (contract section 5; RFC 6265bis for the __Host- prefix). None is readable
// by a script, none is sent with another site's posts.

/** How one cookie is called, and its Set-Cookie lines. */
export interface HouseCookie {
  name: string;
  set(value: string): string;
  clear(): string;
}

function houseCookie(publicUrl: string, baseName: string, maxAgeSeconds?: number): HouseCookie {
  const isSecure = publicUrl.startsWith('https:');
  const name = isSecure ? `__Host-${baseName}` : baseName;
  const attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
  const age = maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`;
  return {
    name,
    set: (value) => `${name}=${value}; ${attributes}${age}`,
    clear: () => `${name}=; ${attributes}; Max-Age=0`,
  };
}

/** Carries a session. The browser forgets it when it closes, the house decides before that. */
export function sessionCookie(publicUrl: string): HouseCookie {
  return houseCookie(publicUrl, 'yihao_session');
}

/** Makes a browser known again at its next sign-in; 400 days are the most that browsers keep. */
export function deviceCookie(publicUrl: string): HouseCookie {
  return houseCookie(publicUrl, 'yihao_device', 400 * 24 * 60 * 60);
}

/** Binds the answer of an identity provider elsewhere to the browser that asked; ten minutes. */
export function flowCookie(publicUrl: string): HouseCookie {
  return houseCookie(publicUrl, 'yihao_flow', 10 * 60);
}
