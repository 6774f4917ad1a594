// Who may open which door, over all kinds of actor, roles and scopes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Actor,
  anonymousActor,
  hasScope,
  ROLES,
  requireRole,
  requireScope,
  SCOPES,
  scopesOf,
} from '../../../identity/index.ts';

const kinds: Actor['kind'][] = ['client', 'officer', 'citizen', 'system', 'anonymous'];

const actors = fc
  .record({
    kind: fc.constantFrom(...kinds),
    roles: fc.subarray([...ROLES]),
    scopes: fc.subarray([...SCOPES]),
  })
  .map((parts): Actor => ({ ...anonymousActor('r'), ...parts }));

const refusal = (act: () => void): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
};

describe('rights', () => {
  it('open a door to a client by scope, to an officer by role, to nobody by anything else', () => {
    fc.assert(
      fc.property(actors, fc.constantFrom(...SCOPES), (actor, scope) => {
        const expected = {
          client: actor.scopes.includes(scope),
          officer: actor.roles.some((role) => scopesOf(role).includes(scope)),
          citizen: false,
          anonymous: false,
          system: true,
        }[actor.kind];
        expect(hasScope(actor, scope)).toBe(expected);
        expect(refusal(() => requireScope(actor, scope))).toBe(
          expected ? undefined : 'identity.scope_missing',
        );
      }),
    );
  });

  it('ask for a role that is held', () => {
    fc.assert(
      fc.property(actors, fc.subarray([...ROLES], { minLength: 1 }), (actor, roles) => {
        const expected =
          actor.kind === 'system' || actor.roles.some((role) => roles.includes(role));
        expect(refusal(() => requireRole(actor, ...roles))).toBe(
          expected ? undefined : 'identity.role_missing',
        );
      }),
    );
  });

  it('part those who ask, decide, watch and operate', () => {
    const opens = (role: (typeof ROLES)[number]) => scopesOf(role);
    const personal = [
      'verifications:ask',
      'verifications:answer',
      'licences:read',
      'licences:issue',
    ];
    expect(opens('operator').filter((scope) => personal.includes(scope))).toEqual([]);
    expect(opens('auditor')).toEqual(['audit:read']);
    expect(ROLES.filter((role) => opens(role).includes('audit:read'))).toEqual(['auditor']);
    for (const role of ROLES) {
      const scopes = opens(role);
      expect(scopes.includes('verifications:ask') && scopes.includes('verifications:answer')).toBe(
        false,
      );
      expect(scopes.includes('verifications:ask') && scopes.includes('agreements:manage')).toBe(
        false,
      );
    }
  });
});
