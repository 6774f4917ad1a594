// The headers every reply carries, whoever makes it. Pages bring a wider policy (web/page.tsx).

/** A reply that is no page loads nothing, is framed by nobody, and is what its type says. */
export function safeHeaders(publicUrl: string): Record<string, string> {
  return {
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Cross-Origin-Resource-Policy': 'same-origin',
    // With no-referrer browsers would send our own forms with `Origin: null`.
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    ...(publicUrl.startsWith('https:') ? { 'Strict-Transport-Security': 'max-age=31536000' } : {}),
  };
}
