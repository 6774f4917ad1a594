// The cookie that carries a session (contract section 5; RFC 6265bis for the __Host- prefix).

/** The cookie of a house by its public URL: what it is called, and the Set-Cookie lines. */
export function sessionCookie(publicUrl: string) {
  const isSecure = publicUrl.startsWith('https:');
  const name = isSecure ? '__Host-yihao_session' : 'yihao_session';
  const attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
  return {
    name,
    /** No Max-Age: the browser forgets it when it closes, the house decides before that. */
    set: (value: string) => `${name}=${value}; ${attributes}`,
    clear: () => `${name}=; ${attributes}; Max-Age=0`,
  };
}
