// Who may enter which pages: asked before a page reads anything. What a page does is asked again by the
// acts behind it.
import { type Actor, type Door, mayEnter } from '../identity/index.ts';

export const PAGE_RIGHTS = {
  '/me': 'citizen',
  '/org': 'citizen',
  '/desk': 'officer',
  '/audit': { roles: ['auditor'] },
  '/ops': { roles: ['operator'] },
} as const satisfies Record<`/${string}`, Door>;

/** Doors in the frame of every page, in their order. */
const NAVIGATION = ['me', 'desk', 'audit', 'ops', 'verify', 'catalogue', 'docs'] as const;

export type NavigationDoor = (typeof NAVIGATION)[number];

/**
 * The doors to show somebody: those that open for her. A stranger sees where one signs in to. Who
 * watches or operates has no work at the desk, though her sessions and passkeys are kept there.
 */
export function doorsFor(actor: Actor): readonly NavigationDoor[] {
  const rights: Partial<Record<string, Door>> = PAGE_RIGHTS;
  const isApart = actor.roles.includes('auditor') || actor.roles.includes('operator');
  return NAVIGATION.filter((name) => {
    if (actor.kind === 'anonymous') return name !== 'ops';
    return mayEnter(actor, rights[`/${name}`] ?? 'anyone') && !(name === 'desk' && isApart);
  });
}
