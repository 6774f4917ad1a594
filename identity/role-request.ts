// What operators may ask for about an officer's roles. Pure.
import { z } from 'zod';
import { ROLES } from './actor.ts';
import { containsCitizenId } from './identifiers.ts';

export const OFFICER_KEY = /^[A-Za-z0-9._:/-]{1,64}$/;

/** What an account is called by. */
export const OfficerKey = z
  .string()
  .regex(OFFICER_KEY, 'Use 1 to 64 letters, digits and . _ : / -')
  .refine((key) => !containsCitizenId(key), 'Name no person by a citizen ID.');

/** Words of operators about officers. */
export const Reason = z
  .string()
  .trim()
  .min(1, 'Say why.')
  .max(500)
  .refine((text) => !containsCitizenId(text), 'Name no person by a citizen ID.');

/** A new account; its duty can't be changed afterwards. */
export const NewOfficer = z.strictObject({
  key: OfficerKey,
  username: OfficerKey,
  organisation: z.string().min(1).max(32),
  duty: z.enum(['work', 'audit', 'operate']).optional(),
});
export type NewOfficer = z.input<typeof NewOfficer>;

/** A role to be granted or revoked; another operator decides. */
export const RoleRequestInput = z
  .strictObject({
    act: z.enum(['grant', 'revoke']),
    officer: OfficerKey,
    role: z.enum(ROLES),
    /** `below`: also for the organisations under the officer's own. */
    reach: z.enum(['own', 'below']).default('own'),
    /** Days in the city's time zone, both inclusive; without the second it has no end. */
    validFrom: z.iso.date().optional(),
    validTo: z.iso.date().optional(),
    reason: Reason,
  })
  .refine(({ validFrom, validTo }) => !validFrom || !validTo || validFrom <= validTo, {
    path: ['validTo'],
    message: 'The last day lies before the first.',
  });
export type RoleRequestInput = z.input<typeof RoleRequestInput>;

export type RoleRequestState = 'open' | 'approved' | 'refused';
export type RoleDecision = 'approve' | 'refuse';

/** The state a decision leads to. */
export const DECIDED = {
  approve: 'approved',
  refuse: 'refused',
} as const satisfies Record<RoleDecision, RoleRequestState>;
