// The session cookie over plain http on loopback and over https.
import { describe, expect, it } from 'vitest';
import { sessionCookie } from '../../../identity/index.ts';

describe('the session cookie', () => {
  it('is locked to its host where the house speaks https', () => {
    const cookie = sessionCookie('https://yihao.example.org');
    const attributes = 'Path=/; HttpOnly; SameSite=Lax; Secure';
    expect([cookie.name, cookie.set('abc'), cookie.clear()]).toEqual([
      '__Host-yihao_session',
      `__Host-yihao_session=abc; ${attributes}`,
      `__Host-yihao_session=; ${attributes}; Max-Age=0`,
    ]);
  });

  it('does without Secure over plain http', () => {
    const cookie = sessionCookie('http://127.0.0.1:4100');
    expect([cookie.name, cookie.set('abc'), cookie.clear()]).toEqual([
      'yihao_session',
      'yihao_session=abc; Path=/; HttpOnly; SameSite=Lax',
      'yihao_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0',
    ]);
  });
});
