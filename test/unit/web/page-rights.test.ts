// Which doors the frame of every page shows to whom.
import { expect, test } from 'vitest';
import { type Actor, anonymousActor, ROLES } from '../../../identity/index.ts';
import { doorsFor } from '../../../web/page-rights.ts';

const everyone = ['verify', 'catalogue', 'docs'];
const officer = (roles: Actor['roles']): Actor => ({
  kind: 'officer',
  requestId: 'r',
  organisationId: 'housing',
  roles,
  scopes: [],
});

test('a stranger sees where one signs in to, a citizen her own door', () => {
  expect(doorsFor(anonymousActor('r'))).toEqual(['me', 'desk', 'audit', ...everyone]);
  const citizen: Actor = { ...officer([]), kind: 'citizen', organisationId: null, personId: 'p' };
  expect(doorsFor(citizen)).toEqual(['me', ...everyone]);
});

test('an officer sees the desk, unless she watches or operates', () => {
  const own: Partial<Record<string, string>> = { auditor: 'audit', operator: 'ops' };
  for (const role of ROLES) {
    expect([role, ...doorsFor(officer([role]))]).toEqual([role, own[role] ?? 'desk', ...everyone]);
  }
  expect(doorsFor(officer([]))).toEqual(['desk', ...everyone]);
});
