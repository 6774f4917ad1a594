// What operators do with clients: two accounts for each change, and a hold that lifts itself.
import { type SQL, sql } from 'drizzle-orm';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Actor, ROLES } from '../../../identity/actor.ts';
import type { ClientProposal } from '../../../identity/client-change.ts';
import { AppError, databaseFault, systemIds } from '../../../platform/index.ts';
import { withDatabase } from '../../support/database.ts';
import { citizenId, HOUSING, makeIdentity, PUBLIC_URL } from './house.ts';
import { askForToken, listen, makeMachineClient } from './machine-client.ts';

const { database, ownerSql, setClockOffset } = withDatabase();
const identity = makeIdentity(database);
const HOUR_MS = 3_600_000;
let wang: Actor;
let li: Actor;
let zhao: Actor;
let tokenUrl: string;
let close: () => void;

beforeAll(async () => {
  ({ url: tokenUrl, close } = await listen(identity));
  [wang, li, zhao] = await database.transaction(async (tx) => {
    await identity.putOrganisation(tx, HOUSING);
    const officers: Actor[] = [];
    for (const key of ['govsvc-operator-1', 'govsvc-operator-2', 'govsvc-operator-3']) {
      const officer = {
        key,
        username: key,
        organisationId: 'housing',
        roles: ['operator'] as const,
      };
      const officerId = await identity.putOfficer(tx, officer);
      officers.push({
        kind: 'officer',
        requestId: 'request-1',
        organisationId: 'housing',
        officerId,
        officerKey: key,
        roles: ['operator'],
        scopes: [],
      });
    }
    // Three in, three out.
    return officers as [Actor, Actor, Actor];
  });
});
afterAll(() => close());
afterEach(() => setClockOffset(0));

const newKey = async (kid = 'k1') => {
  const { publicKey } = await generateKeyPair('ES256');
  const { x = '', y = '' } = await exportJWK(publicKey);
  return { kty: 'EC', crv: 'P-256', x, y, kid } as const;
};

let serial = 0;
async function registered(): Promise<string> {
  const client = `system-${++serial}`;
  const change = await identity.proposeClientChange(wang, {
    kind: 'create',
    client,
    organisation: 'housing',
    name: 'a system',
    method: 'private_key_jwt',
    keys: [await newKey()],
    scopes: ['licences:read'],
    reason: 'new system',
  });
  await identity.decideClientChange(li, change.id, 'approve', { reason: 'letter 12 is here' });
  return client;
}

const propose = (by: Actor, proposal: ClientProposal) => identity.proposeClientChange(by, proposal);
const approve = (by: Actor, id: string) =>
  identity.decideClientChange(by, id, 'approve', { reason: 'checked' });
const stateOf = async (client: string) => (await identity.getClient(wang, client)).state;

async function codeOf(act: Promise<unknown>): Promise<string> {
  const error = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof AppError) {
    return [error.code, ...(error.fields ?? []).map(({ pointer }) => pointer)].join(' ');
  }
  throw new Error(`Not refused: ${String(error)}`);
}

describe('a change of a client', () => {
  it('is proposed by one operator and takes effect when another approves', async () => {
    const key = await newKey();
    const change = await propose(wang, {
      kind: 'create',
      client: 'housing-2',
      organisation: 'housing',
      name: 'second system',
      method: 'private_key_jwt',
      keys: [key],
      scopes: ['licences:read'],
      reason: 'a second system',
    });
    expect(change).toEqual({
      id: expect.any(String),
      client: 'housing-2',
      organisation: 'housing',
      kind: 'create',
      content: {
        organisation: 'housing',
        name: 'second system',
        method: 'private_key_jwt',
        keys: [key],
        scopes: ['licences:read'],
      },
      newKeys: [{ kid: 'k1', thumbprint: expect.stringMatching(/^[\w-]{43}$/) }],
      reason: 'a second system',
      state: 'proposed',
      holdsUntil: null,
      proposedBy: 'govsvc-operator-1',
      proposedAt: expect.any(String),
      decidedBy: null,
      decidedAt: null,
      decisionReason: null,
    });
    expect(await codeOf(identity.getClient(wang, 'housing-2'))).toBe('identity.client_not_found');
    const applied = await identity.decideClientChange(li, change.id, 'approve', { reason: 'good' });
    expect(applied).toEqual({
      ...change,
      state: 'applied',
      decidedBy: 'govsvc-operator-2',
      decidedAt: expect.any(String),
      decisionReason: 'good',
    });
    expect(await identity.getClient(wang, 'housing-2')).toMatchObject({
      id: 'housing-2',
      state: 'active',
      scopes: ['licences:read'],
      keys: [{ kid: 'k1', serves: true }],
    });
    expect(await identity.getClientChange(zhao, change.id)).toEqual(applied);
  });

  it('has no effect when the other refuses it', async () => {
    const client = await registered();
    const change = await propose(wang, { kind: 'suspend', client, reason: 'unused' });
    await identity.decideClientChange(li, change.id, 'refuse', { reason: 'still used' });
    expect(await stateOf(client)).toBe('active');
    expect(await codeOf(approve(zhao, change.id))).toBe('identity.client_change_decided');
  });

  it('is not decided by who proposed it, and goes on waiting for another', async () => {
    const client = await registered();
    const { id } = await propose(wang, { kind: 'suspend', client, reason: 'unused' });
    for (const decision of ['approve', 'refuse'] as const) {
      const own = identity.decideClientChange(wang, id, decision, { reason: 'me too' });
      expect(await codeOf(own)).toBe('identity.own_client_change');
    }
    expect(await stateOf(client)).toBe('active');
    await approve(li, id);
    expect(await stateOf(client)).toBe('suspended');
  });

  it('is decided once when two decide at the same time', async () => {
    const client = await registered();
    const { id } = await propose(wang, { kind: 'suspend', client, reason: 'unused' });
    const answers = await Promise.allSettled([
      approve(li, id),
      identity.decideClientChange(zhao, id, 'refuse', { reason: 'no' }),
      approve(li, id),
    ]);
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is logged when proposed and when decided, without a subject', async () => {
    const client = await registered();
    const entries = await ownerSql<{ type: string; outcome: string; subject: boolean }[]>`
      select type, outcome, subject_tag is not null as subject from audit.stage
      order by seq desc limit 2`;
    expect(entries).toEqual([
      { type: 'client.change_applied', outcome: 'ok', subject: false },
      { type: 'client.change_proposed', outcome: 'ok', subject: false },
    ]);
    expect(client).toBeTruthy();
  });

  it('is listed while it waits, latest first, page by page', async () => {
    const client = await registered();
    const one = await propose(wang, { kind: 'suspend', client, reason: 'unused' });
    const other = await registered();
    const two = await propose(wang, { kind: 'suspend', client: other, reason: 'unused' });
    const open = await identity.listClientChanges(li, { open: true, limit: 1 });
    expect(open).toEqual({ items: [two], nextCursor: two.id });
    const next = await identity.listClientChanges(li, { open: true, limit: 1, cursor: two.id });
    expect(next.items).toEqual([one]);
    const ofClient = await identity.listClientChanges(li, { client });
    expect(ofClient.items.map(({ kind }) => kind)).toEqual(['suspend', 'create']);
    expect(ofClient.nextCursor).toBeNull();
    const clients = await identity.listClientsAs(li, { limit: 1 });
    expect(clients.nextCursor).toBe(clients.items[0]?.id);
    await approve(li, one.id);
    await approve(li, two.id);
  });
});

describe('the database itself, as the app role,', () => {
  const faultOf = (statement: SQL) =>
    database.db.execute(statement).then(() => undefined, databaseFault);

  it('refuses a decision by the account that proposed', async () => {
    const client = await registered();
    const { id } = await propose(wang, { kind: 'suspend', client, reason: 'unused' });
    const decide = (officer: SQL) =>
      sql`update identity.client_changes set state = 'applied', decided_by = ${officer},
        decided_at = now(), decision_reason = 'alone' where id = ${id}`;
    expect(await faultOf(decide(sql`proposed_by`))).toMatchObject({
      code: '23514',
      constraint: 'client_changes_four_eyes',
    });
    expect(await faultOf(decide(sql`${li.officerId}`))).toBeUndefined();
  });

  it('refuses a proposal and a decision by an account that does not operate', async () => {
    const officerId = await identity.putOfficer(database.db, {
      key: 'housing-desk-1',
      username: 'housing-desk-1',
      organisationId: 'housing',
      roles: ['desk'],
    });
    const client = await registered();
    const proposal = sql`insert into identity.client_changes
        (id, client_id, organisation_id, kind, content, reason, proposed_by, proposed_at)
      values (${systemIds.uuid()}, ${client}, 'housing', 'suspend', '{}', 'unused',
        ${officerId}, now())`;
    expect(await faultOf(proposal)).toMatchObject({
      code: '23503',
      constraint: 'client_changes_by_operator',
    });
    const { id } = await propose(wang, { kind: 'suspend', client, reason: 'unused' });
    const decision = sql`update identity.client_changes set state = 'applied',
      decided_by = ${officerId}, decided_at = now(), decision_reason = 'at the desk'
      where id = ${id}`;
    expect(await faultOf(decision)).toMatchObject({
      code: '23503',
      constraint: 'client_changes_decided_by_operator',
    });
  });

  it('refuses a decision without an officer', async () => {
    const client = await registered();
    const { id } = await propose(wang, { kind: 'suspend', client, reason: 'unused' });
    const statement = sql`update identity.client_changes set state = 'applied' where id = ${id}`;
    expect(await faultOf(statement)).toMatchObject({ constraint: 'client_changes_decided' });
  });

  it.each([
    sql`update identity.client_changes set proposed_by = decided_by`,
    sql`update identity.client_changes set content = '{}'`,
    sql`update identity.client_changes set kind = 'resume'`,
    sql`update identity.client_changes set holds_until = now() + interval '1 year'`,
    sql`delete from identity.client_changes`,
    sql`update identity.clients set method = 'private_key_jwt'`,
    sql`update identity.clients set organisation_id = 'housing'`,
    sql`update identity.client_keys set jwk = '{}'`,
    sql`delete from identity.client_keys`,
  ])('lets nobody rewrite what was proposed or registered (%#)', async (statement) => {
    expect(await faultOf(statement)).toMatchObject({ code: '42501' });
  });
});

describe('a change is refused', () => {
  it('to everybody but operators who are signed in', async () => {
    const client = await registered();
    const suspend: ClientProposal = { kind: 'suspend', client, reason: 'x' };
    const { id } = await propose(wang, suspend);
    const strangers: Actor[] = [
      ...ROLES.filter((role) => role !== 'operator').map((role) => ({ ...li, roles: [role] })),
      { ...li, kind: 'client', officerId: undefined, clientId: client, roles: [] },
      { ...li, kind: 'citizen', officerId: undefined, personId: 'p', roles: [] },
      { ...li, kind: 'anonymous', officerId: undefined, roles: [] },
      { ...li, kind: 'system', officerId: undefined, roles: [] },
    ];
    for (const actor of strangers) {
      const acts = [
        identity.listClientsAs(actor),
        identity.getClient(actor, client),
        identity.listClientChanges(actor, {}),
        identity.getClientChange(actor, id),
        propose(actor, suspend),
        propose(actor, { kind: 'hold', client, reason: 'x' }),
        approve(actor, id),
      ];
      for (const act of acts) expect(await codeOf(act)).toBe('identity.role_missing');
    }
    expect(await stateOf(client)).toBe('active');
  });

  it('while another of the same client waits', async () => {
    const client = await registered();
    const suspend: ClientProposal = { kind: 'suspend', client, reason: 'x' };
    const both = await Promise.allSettled([propose(wang, suspend), propose(li, suspend)]);
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const scopes: ClientProposal = { kind: 'change_scopes', client, scopes: [], reason: 'x' };
    expect(await codeOf(propose(zhao, scopes))).toBe('identity.client_change_open');
  });

  it('where the state or the input does not allow it', async () => {
    const client = await registered();
    const reason = 'x';
    const soon = new Date(Date.now() + HOUR_MS).toISOString();
    const late = new Date(Date.now() + 91 * 24 * HOUR_MS).toISOString();
    const create: Extract<ClientProposal, { kind: 'create' }> = {
      kind: 'create',
      client: 'another',
      organisation: 'housing',
      name: 'x',
      method: 'private_key_jwt',
      keys: [await newKey()],
      scopes: [],
      reason,
    };
    const rotate = { kind: 'rotate_keys', client, oldKeysUntil: soon, reason } as const;
    const cases: [ClientProposal, string][] = [
      [{ kind: 'resume', client, reason }, 'identity.client_change_not_allowed'],
      [{ kind: 'suspend', client: 'nobody', reason }, 'identity.client_not_found'],
      [
        { kind: 'suspend', client, reason: `seen ${citizenId()}` },
        'identity.client_invalid /reason',
      ],
      [{ ...create, client }, 'identity.client_invalid /client'],
      [{ ...create, organisation: 'nobody' }, 'identity.client_invalid /organisation'],
      [
        { ...create, keys: [{ ...(await newKey()), x: 'A'.repeat(43) }] },
        'identity.client_invalid /keys/0',
      ],
      [{ ...create, method: 'self_signed_tls_client_auth' }, 'identity.client_invalid /keys/0'],
      [{ ...rotate, keys: [await newKey('k1')] }, 'identity.client_invalid /keys/0/kid'],
      [
        { ...rotate, keys: [await newKey('k2'), await newKey('k2')] },
        'identity.client_invalid /keys/1',
      ],
      [
        { ...rotate, keys: [await newKey('k2')], oldKeysUntil: late },
        'identity.client_invalid /oldKeysUntil',
      ],
      [
        {
          ...rotate,
          keys: await Promise.all(['k2', 'k3', 'k4', 'k5'].map((kid) => newKey(kid))),
        },
        'identity.client_invalid /keys',
      ],
    ];
    for (const [proposal, code] of cases) expect(await codeOf(propose(wang, proposal))).toBe(code);
    expect((await identity.listClientChanges(wang, { client })).items).toHaveLength(1);
  });

  it('when the client has changed so meanwhile that it is not possible any more', async () => {
    const client = await registered();
    const { id } = await propose(wang, { kind: 'suspend', client, reason: 'x' });
    const hold = await propose(wang, { kind: 'hold', client, reason: 'x' });
    await approve(li, hold.id);
    expect(await codeOf(approve(li, id))).toBe('identity.client_change_not_allowed');
    expect((await identity.getClientChange(li, id)).state).toBe('proposed');
  });

  it.each(['nothing', '', "' or true", '00000000-0000-7000-8000-000000000000'])(
    'by a name that is no change: %j',
    async (id) => {
      expect(await codeOf(approve(li, id))).toBe('identity.client_change_not_found');
      expect(await codeOf(identity.getClientChange(li, id))).toBe(
        'identity.client_change_not_found',
      );
    },
  );
});

describe('a hold', () => {
  const hold = (by: Actor, client: string) =>
    propose(by, { kind: 'hold', client, reason: 'stolen' });

  it('keeps a client out at once, from its tokens and from new ones, and lifts itself', async () => {
    const machine = await makeMachineClient(identity, database);
    const ask = async () =>
      askForToken(
        tokenUrl,
        { client_assertion: await machine.assertion() },
        { dpop: await machine.proof() },
      );
    const use = async (token: string) =>
      identity.authenticateRequest({
        authorization: `DPoP ${token}`,
        dpop: await machine.proof({}, { method: 'GET', url: `${PUBLIC_URL}/v1/me`, token }),
        method: 'GET',
        url: `${PUBLIC_URL}/v1/me`,
      });
    const { body } = await ask();
    const token = String(body.access_token);
    expect((await use(token)).kind).toBe('client');
    const { state, holdsUntil } = await hold(wang, machine.clientId);
    expect(state).toBe('proposed');
    expect(Date.parse(holdsUntil ?? '') - Date.now()).toBeGreaterThan(24 * HOUR_MS - 60_000);
    expect(await codeOf(use(token))).toBe('identity.token_invalid');
    expect(await ask()).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(await identity.getClient(li, machine.clientId)).toMatchObject({
      state: 'held',
      heldUntil: holdsUntil,
    });
    await setClockOffset(24 * HOUR_MS - 60_000);
    expect(await codeOf(use(token))).toBe('identity.token_invalid');
    await setClockOffset(24 * HOUR_MS + 1_000);
    // One from before the stop stays worth nothing: whoever stole it has had it all the time.
    expect(await codeOf(use(token))).toBe('identity.token_invalid');
    const { status, body: later } = await ask();
    expect(status).toBe(200);
    expect((await use(String(later.access_token))).kind).toBe('client');
    expect(await identity.getClient(li, machine.clientId)).toMatchObject({
      state: 'active',
      heldUntil: null,
    });
  });

  it('becomes a suspension when another operator confirms it in time', async () => {
    const client = await registered();
    const { id } = await hold(wang, client);
    expect(await codeOf(approve(wang, id))).toBe('identity.own_client_change');
    await setClockOffset(23 * HOUR_MS);
    await approve(li, id);
    await setClockOffset(25 * HOUR_MS);
    expect(await stateOf(client)).toBe('suspended');
  });

  it('is lifted when another operator refuses it', async () => {
    const client = await registered();
    const { id } = await hold(wang, client);
    await identity.decideClientChange(li, id, 'refuse', { reason: 'false alarm' });
    expect(await stateOf(client)).toBe('active');
  });

  it('can not be confirmed once it has lifted itself', async () => {
    const client = await registered();
    const { id } = await hold(wang, client);
    await setClockOffset(25 * HOUR_MS);
    expect((await identity.getClientChange(li, id)).state).toBe('lapsed');
    expect((await identity.listClientChanges(li, { client, open: true })).items).toEqual([]);
    expect(await codeOf(approve(li, id))).toBe('identity.client_change_decided');
    expect(await stateOf(client)).toBe('active');
  });

  it('is not made again and again by one operator alone', async () => {
    const client = await registered();
    await hold(wang, client);
    expect(await codeOf(hold(li, client))).toBe('identity.client_change_not_allowed');
    await setClockOffset(25 * HOUR_MS);
    expect(await codeOf(hold(wang, client))).toBe('identity.client_hold_repeated');
    await hold(li, client);
    await setClockOffset(50 * HOUR_MS);
    expect(await codeOf(hold(li, client))).toBe('identity.client_hold_repeated');
    await setClockOffset(9 * 24 * HOUR_MS);
    expect((await hold(wang, client)).state).toBe('proposed');
  });

  it('comes beside a proposal that waits, and a change of scopes leaves it standing', async () => {
    const client = await registered();
    const change = await propose(li, { kind: 'change_scopes', client, scopes: [], reason: 'x' });
    await hold(wang, client);
    await approve(zhao, change.id);
    expect(await identity.getClient(li, client)).toMatchObject({ state: 'held', scopes: [] });
  });
});

describe('a rotation of keys', () => {
  it('lets old and new keys serve until the stated end, then the new ones alone', async () => {
    const machine = await makeMachineClient(identity, database);
    const next = await generateKeyPair('ES256');
    const { x = '', y = '' } = await exportJWK(next.publicKey);
    const ask = async (changes: Parameters<typeof machine.assertion>[0] = {}) =>
      (
        await askForToken(
          tokenUrl,
          { client_assertion: await machine.assertion(changes) },
          { dpop: await machine.proof() },
        )
      ).status;
    const byNew = { header: { kid: 'key-2' }, key: next.privateKey };
    const before = await identity.getClient(wang, machine.clientId);
    const oldKeysUntil = new Date(Date.now() + 7 * 24 * HOUR_MS).toISOString();
    const { id } = await propose(wang, {
      kind: 'rotate_keys',
      client: machine.clientId,
      keys: [{ kty: 'EC', crv: 'P-256', x, y, kid: 'key-2' }],
      oldKeysUntil,
      reason: 'yearly',
    });
    expect([await ask(), await ask(byNew)]).toEqual([200, 401]);
    await approve(li, id);
    expect([await ask(), await ask(byNew)]).toEqual([200, 200]);
    const during = await identity.getClient(wang, machine.clientId);
    expect(during).toMatchObject({ id: before.id, organisation: 'housing', scopes: before.scopes });
    expect(during.keys.map(({ kid, endsAt, serves }) => [kid, endsAt, serves])).toEqual([
      ['key-1', oldKeysUntil, true],
      ['key-2', null, true],
    ]);
    await setClockOffset(7 * 24 * HOUR_MS + 1_000);
    expect([await ask(), await ask(byNew)]).toEqual([401, 200]);
  });

  it('ends old keys at once when their stated end is past', async () => {
    const machine = await makeMachineClient(identity, database);
    const { id } = await propose(wang, {
      kind: 'rotate_keys',
      client: machine.clientId,
      keys: [await newKey('key-2')],
      oldKeysUntil: '2026-01-01T00:00:00Z',
      reason: 'the key was lost',
    });
    await approve(li, id);
    const { status, body } = await askForToken(
      tokenUrl,
      { client_assertion: await machine.assertion() },
      { dpop: await machine.proof() },
    );
    expect({ status, error: body.error }).toEqual({ status: 401, error: 'invalid_client' });
    const { keys } = await identity.getClient(wang, machine.clientId);
    expect(keys.map(({ kid, serves }) => [kid, serves])).toEqual([
      ['key-1', false],
      ['key-2', true],
    ]);
    expect(Date.parse(keys[0]?.endsAt ?? '')).toBeGreaterThan(Date.now() - 60_000);
  });
});
