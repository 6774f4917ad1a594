// The beginning of a real city: its governing organisation and its first two operators. Afterwards
// every role takes two operators, these.
import { z } from 'zod';
import {
  type Clock,
  cityDay,
  type Database,
  dbNow,
  type IdentityProviderSetting,
  type Ids,
  type Tx,
} from '../platform/index.ts';
import type { AccessEntry } from './access.ts';
import type { Actor } from './actor.ts';
import type { Enrolment, Enrolments } from './enrolments.ts';
import { identityErrors } from './errors.ts';
import { containsCitizenId } from './identifiers.ts';
import { readInput } from './officers.ts';
import type { OrganisationInput } from './organisations.ts';
import { relyingPartyOf } from './passkey.ts';
import { OfficerKey } from './role-request.ts';
import { closeSetUp, findOfficer, lockOperators, upsertOfficer } from './store-officers.ts';

const Name = z
  .string()
  .trim()
  .min(1, 'Give it a name.')
  .max(200)
  .refine((text) => !containsCitizenId(text), 'Name no person by a citizen ID.');

/** What a city begins with. */
export const FoundingInput = z.strictObject({
  organisation: z.strictObject({
    id: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'Use 1 to 32 of a to z, digits and -'),
    nameZh: Name,
    nameEn: Name,
    uscc: z.string(),
  }),
  operators: z
    .tuple([OfficerKey, OfficerKey])
    .refine(([first, second]) => first !== second, 'Two accounts have two names.'),
});
export type FoundingInput = z.input<typeof FoundingInput>;

/** One of the first operators, and the link to hand over to her if she has no other way in. */
export interface FoundingOperator {
  username: string;
  enrolment: Enrolment | null;
}

/**
 * Refuses a house whose officers could not sign in: there are no passkeys at its address, and nobody
 * elsewhere signs officers in. To be asked before a house is opened, since its first opening holds it
 * to its PUBLIC_URL.
 */
export function requireWayIn(house: {
  publicUrl: string;
  identityProviders: readonly IdentityProviderSetting[];
}): void {
  if (relyingPartyOf(house.publicUrl)) return;
  if (house.identityProviders.some(({ signsIn }) => signsIn === 'officers')) return;
  throw identityErrors.passkeys_unavailable(
    'Nobody could sign in: PUBLIC_URL is an IP address or has no https, where browsers have no passkeys, and no provider in OIDC_PROVIDERS signs officers in. Give the house a name (PUBLIC_URL) first.',
  );
}

/** The acts before there are two operators; only whoever runs the house itself can do them. */
export function createFounding(deps: {
  database: Database;
  clock: Clock;
  ids: Ids;
  cityTz: string;
  publicUrl: string;
  identityProviders: readonly IdentityProviderSetting[];
  putOrganisation: (tx: Tx, organisation: OrganisationInput) => Promise<void>;
  enrolments: Pick<Enrolments, 'makeEnrolment'>;
  recordAccess: (tx: Tx, actor: Actor, entry: AccessEntry) => Promise<unknown>;
}) {
  const { database, clock, ids, cityTz, publicUrl, identityProviders } = deps;
  const { putOrganisation, enrolments, recordAccess } = deps;

  function record(tx: Tx, actor: Actor, type: string, question: string, purpose: string) {
    return recordAccess(tx, actor, { type, outcome: 'ok', question, purpose, answerKind: 'none' });
  }

  async function refuseSecond(tx: Tx): Promise<void> {
    if ((await lockOperators(tx, cityDay(await dbNow(tx), cityTz))).length >= 2) throw founded();
  }

  return {
    /**
     * Makes the governing organisation and its two operators, once; whatever of it can't be makes
     * nothing. From then on the database lets roles be granted by two operators only.
     */
    async foundOperators(actor: Actor, written: FoundingInput): Promise<FoundingOperator[]> {
      requireSystem(actor);
      requireWayIn({ publicUrl, identityProviders });
      const { organisation, operators } = readInput(FoundingInput, written, 'founding_invalid');
      return database.transaction(async (tx) => {
        await refuseSecond(tx);
        const { id: organisationId, nameZh } = organisation;
        const more = { shortZh: nameZh, kind: 'bureau', roles: ['operator'] };
        await putOrganisation(tx, { ...organisation, ...more });
        const made: FoundingOperator[] = [];
        for (const username of operators) {
          if (await findOfficer(tx, username)) throw founded();
          const officer = { id: ids.uuid(), key: username, username, organisationId };
          const held = { duty: 'operate', roles: ['operator'], reach: 'own' } as const;
          const id = await upsertOfficer(tx, { ...officer, ...held }, clock.now());
          await record(tx, actor, 'officer.added', username, 'operate');
          await record(tx, actor, 'role.granted', `grant operator ${username}`, 'founding');
          made.push({ username, enrolment: await enrolments.makeEnrolment(tx, id) });
        }
        // Waits for a rival, who has then set the city up.
        if (!(await closeSetUp(tx))) throw founded();
        return made;
      });
    },

    /** Another link for an operator who has not come in yet; the one she had ends. */
    async renewEnrolment(actor: Actor, username: string): Promise<Enrolment> {
      requireSystem(actor);
      return database.transaction(async (tx) => {
        const officer = await findOfficer(tx, username);
        if (officer?.duty !== 'operate' || officer.hasLeft) {
          throw identityErrors.officer_not_found('There is no such operator here.');
        }
        const enrolment = await enrolments.makeEnrolment(tx, officer.id);
        if (!enrolment) {
          throw identityErrors.enrolment_not_needed(
            'This operator has another way in already, or passkeys can not be had at PUBLIC_URL.',
          );
        }
        await record(tx, actor, 'officer.link_renewed', username, 'operate');
        return enrolment;
      });
    },
  };
}

/** Refuses whoever doesn't run the house itself. */
export function requireSystem(actor: Actor): void {
  if (actor.kind === 'system') return;
  throw identityErrors.other_caller_needed(
    'Only whoever runs the house does this, on its machine.',
  );
}

function founded() {
  return identityErrors.operators_exist(
    'This house has its operators: two of them grant every further role.',
  );
}
