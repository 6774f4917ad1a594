// Whom to tell of a weakness: /.well-known/security.txt (RFC 9116), where the operator has said who it is.
import { Hono } from 'hono';
import type { Services } from './compose.ts';
import type { Env } from './env.ts';
import { apiErrors } from './errors.ts';

/** RFC 9116 section 2.5.5 wants less than a year; a house that is up says it anew each day. */
const daysGood = 180;

/** Route /.well-known/security.txt; not found while SECURITY_CONTACT is not set. */
export function securityTxtRoutes({ config, clock }: Pick<Services, 'config' | 'clock'>) {
  return new Hono<Env>().get('/.well-known/security.txt', (c) => {
    if (config.securityContact === undefined) {
      throw apiErrors.not_found('This installation names no security contact.');
    }
    const expires = new Date(clock.now().getTime() + daysGood * 86_400_000);
    expires.setUTCHours(0, 0, 0, 0);
    const lines = [
      `Contact: ${config.securityContact}`,
      `Expires: ${expires.toISOString()}`,
      'Preferred-Languages: zh, en',
      `Canonical: ${config.publicUrl}/.well-known/security.txt`,
    ];
    return c.text(`${lines.join('\n')}\n`, 200, { 'Cache-Control': 'public, max-age=86400' });
  });
}
