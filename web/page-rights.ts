// Who may enter which pages: asked before a page reads anything. What a page does is asked again by the
// acts behind it.
import type { Door } from '../identity/index.ts';

export const PAGE_RIGHTS = {
  '/me': 'citizen',
  '/org': 'citizen',
  '/desk': 'officer',
  '/audit': { roles: ['auditor'] },
  '/ops': { roles: ['operator'] },
} as const satisfies Record<`/${string}`, Door>;
