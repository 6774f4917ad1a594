// The compact form of a JWS (RFC 7515 section 7.1), taken apart strictly: three parts of canonical
// base64url, the first two JSON objects. Says nothing about the signature.

/** A JWS taken apart; `header` and `payload` are still to be checked. */
export interface CompactJws {
  header: unknown;
  payload: unknown;
  signingInput: Buffer;
  signature: Buffer;
}

/** Takes a compact JWS apart; null when it isn't one. */
export function parseCompactJws(text: string): CompactJws | null {
  const [header, payload, signature, ...rest] = text.split('.');
  if (header === undefined || payload === undefined || signature === undefined) return null;
  if (rest.length > 0) return null;
  const signatureBytes = decode(signature);
  if (!signatureBytes) return null;
  const parsedHeader = parseObject(header);
  const parsedPayload = parseObject(payload);
  if (!parsedHeader || !parsedPayload) return null;
  return {
    header: parsedHeader,
    payload: parsedPayload,
    signingInput: Buffer.from(`${header}.${payload}`, 'latin1'),
    signature: signatureBytes,
  };
}

function decode(part: string): Buffer | null {
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : null;
}

function parseObject(part: string): object | null {
  const bytes = decode(part);
  if (!bytes) return null;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
