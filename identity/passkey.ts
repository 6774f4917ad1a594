// Passkeys as pure rules: for which addresses there can be any, and the form of what a browser sends
// (WebAuthn level 3, sections 5.1, 5.1.2 and 5.8).
import { isIP } from 'node:net';
import { z } from 'zod';

/** Who a passkey is for, in the browser's words. */
export interface RelyingParty {
  /** A host name; the browser lets a passkey of one be used at no other. */
  id: string;
  origins: string[];
}

/**
 * The relying party of a house; null where browsers have none: at an IP address (its id must be a
 * domain), and without https anywhere but on localhost (a secure context).
 */
export function relyingPartyOf(
  publicUrl: string,
  aliases: readonly string[] = [],
): RelyingParty | null {
  const { hostname: id, protocol, origin } = new URL(publicUrl);
  const isLocal = id === 'localhost' || id.endsWith('.localhost');
  if (isIP(id.replace(/^\[|\]$/g, '')) !== 0 || (protocol !== 'https:' && !isLocal)) return null;
  const others = aliases.map((alias) => new URL(alias)).filter((url) => url.hostname === id);
  return { id, origins: [origin, ...others.map((url) => url.origin)] };
}

const bytes = (most: number) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .max(Math.ceil((most * 4) / 3));

const credential = {
  id: bytes(1023),
  rawId: bytes(1023),
  type: z.literal('public-key'),
};

/** What a browser says of a passkey it made. Extensions are asked for by nobody and not read. */
export const MadePasskey = z.object({
  ...credential,
  response: z.object({ clientDataJSON: bytes(4096), attestationObject: bytes(65_536) }),
});

/** What a browser says when a passkey was used. */
export const UsedPasskey = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: bytes(4096),
    authenticatorData: bytes(4096),
    signature: bytes(4096),
    userHandle: bytes(64).optional(),
  }),
});

/** What its officer calls a passkey, to tell it from her others. */
export const PasskeyLabel = z.string().trim().min(1).max(60);
