// Who may do what: over all kinds of callers, departments, roles and scopes, on PostgreSQL.
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { type Actor, ROLES, SCOPES } from '../../../identity/index.ts';
import { AppError } from '../../../platform/index.ts';
import {
  department,
  healthCertificate,
  issued,
  LI,
  WANG,
  withRegistry,
} from '../../integration/registry/house.ts';

const house = withRegistry();
let number: string;
let li: string;
let wang: string;

beforeAll(async () => {
  ({ number } = await issued(house, department('health'), healthCertificate()));
  const people = await house.database.transaction((tx) =>
    house.identity.ensurePeople(tx, [LI, WANG]),
  );
  [li = '', wang = ''] = people;
});

const organisation = fc.constantFrom('health', 'civil', 'govsvc', 'audit');

/** Callers as sign-in and tokens make them. */
const caller: fc.Arbitrary<Actor> = fc.oneof(
  fc
    .record({ organisationId: organisation, scopes: fc.subarray([...SCOPES]) })
    .map((one) => ({ ...department(one.organisationId, one.scopes) })),
  fc.record({ organisationId: organisation, roles: fc.subarray([...ROLES]) }).map(
    ({ organisationId, roles }): Actor => ({
      kind: 'officer',
      requestId: 'test',
      organisationId,
      officerId: '0198f5a0-0000-7000-8000-000000000001',
      officerKey: `${organisationId}-1`,
      roles,
      scopes: [],
    }),
  ),
  fc.boolean().map(
    (isHolder): Actor => ({
      kind: 'citizen',
      requestId: 'test',
      organisationId: null,
      personId: isHolder ? li : wang,
      roles: [],
      scopes: [],
    }),
  ),
  fc.constant<Actor>({
    kind: 'anonymous',
    requestId: 'test',
    organisationId: null,
    roles: [],
    scopes: [],
  }),
);

const mayIssue = ({ kind, organisationId, scopes, roles }: Actor) =>
  organisationId === 'health' &&
  ((kind === 'client' && scopes.includes('licences:issue')) ||
    (kind === 'officer' && roles.includes('issuer')));

const mayRead = (actor: Actor) =>
  actor.personId === li ||
  mayIssue(actor) ||
  (actor.organisationId === 'health' &&
    ((actor.kind === 'client' && actor.scopes.includes('licences:read')) ||
      (actor.kind === 'officer' &&
        actor.roles.some((role) => ['desk', 'issuer', 'approver'].includes(role)))));

/** True when the act went through, false when it was refused as forbidden; anything else fails. */
async function isLetThrough(act: Promise<unknown>): Promise<boolean> {
  try {
    await act;
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ kind: 'forbidden' });
    return false;
  }
}

test('only the type’s issuer issues, and only the licence’s issuer acts on it', async () => {
  await fc.assert(
    fc.asyncProperty(caller, async (actor) => {
      const { registry } = house;
      const because = { reason: '复核', legalBasis: 'LB-716-7' };
      expect(await isLetThrough(registry.issue(actor, healthCertificate()))).toBe(mayIssue(actor));
      const isDone = await isLetThrough(registry.act(actor, number, 'suspend', because));
      expect(isDone).toBe(mayIssue(actor));
      if (isDone) await registry.act(department('health'), number, 'resume', because);
    }),
    { numRuns: 60 },
  );
}, 60_000);

test('only issuer and holder read; everyone else is told to state a purpose', async () => {
  await fc.assert(
    fc.asyncProperty(
      caller,
      fc.constantFrom('get', 'credential', 'history'),
      async (actor, read) => {
        expect(await isLetThrough(house.registry[read](actor, number))).toBe(mayRead(actor));
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);
