// Departments, officers and their systems: what may be registered, and by whose rights.

import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { withDatabase } from '../../support/database.ts';
import { HOUSING, makeIdentity } from './house.ts';

const { database, ownerSql } = withDatabase();
const identity = makeIdentity(database);
const { db } = database;

const ATOP = { level: 'city', parentId: null };
const CIVIL = { ...HOUSING, id: 'civil', uscc: '11990100009900013U', shortZh: '民政局' };

describe('organisations', () => {
  it('are put, changed, listed and found', async () => {
    await identity.putOrganisation(db, CIVIL);
    await identity.putOrganisation(db, HOUSING);
    await identity.putOrganisation(db, { ...CIVIL, roles: ['issuer', "o'brien", '民,政"'] });
    expect(await identity.listOrganisations()).toEqual([
      { ...CIVIL, ...ATOP, roles: ['issuer', "o'brien", '民,政"'] },
      { ...HOUSING, ...ATOP },
    ]);
    expect(await identity.getOrganisation('housing')).toEqual({ ...HOUSING, ...ATOP });
    expect(await identity.findOrganisationByUscc(HOUSING.uscc)).toMatchObject(HOUSING);
    expect(await identity.findOrganisationByUscc('11990100009900021N')).toBeNull();
    await expect(identity.getOrganisation('nobody')).rejects.toMatchObject({
      code: 'identity.organisation_not_found',
      kind: 'not_found',
    });
  });

  it.each([
    [{ ...HOUSING, uscc: '11440100007482532X' }, 'identity.uscc_invalid'],
    [{ ...HOUSING, id: 'second', uscc: HOUSING.uscc }, 'identity.organisation_invalid'],
  ])('are refused with a wrong or a taken code', async (organisation, code) => {
    await identity.putOrganisation(db, HOUSING);
    await expect(identity.putOrganisation(db, organisation)).rejects.toMatchObject({ code });
  });
});

describe('officers', () => {
  it('hold exactly the roles given last, and show no secret', async () => {
    await identity.putOrganisation(db, HOUSING);
    const input = { key: 'housing-1', username: 'housing-1', organisationId: 'housing' };
    const id = await database.transaction((tx) =>
      identity.putOfficer(tx, {
        ...input,
        roles: ['issuer', 'desk'],
        password: 'long enough',
        stretching: 'first-use',
      }),
    );
    expect(await identity.putOfficer(db, { ...input, roles: ['approver', 'desk'] })).toBe(id);
    expect(await identity.listOfficers('housing')).toEqual([
      { ...input, id, roles: ['approver', 'desk'] },
    ]);
    expect(await identity.listOfficers('civil')).toEqual([]);
    expect(await identity.listOfficers()).toHaveLength(1);
  });
});

describe('clients', () => {
  const makeKey = async (changes: object = {}) => {
    const { publicKey } = await generateKeyPair('ES256');
    return { ...(await exportJWK(publicKey)), kid: 'k1', ...changes };
  };

  it('are registered with public keys, listed and found', async () => {
    await identity.putOrganisation(db, HOUSING);
    const registration = { organisationId: 'housing', name: 'system' };
    const clientId = await identity.createClient(db, {
      ...registration,
      jwks: { keys: [await makeKey(), await makeKey({ kid: 'k2', alg: 'ES256', use: 'sig' })] },
      scopes: ['licences:read'],
    });
    expect(clientId).toMatch(/^housing-[\w-]{8}$/);
    const key = {
      thumbprint: expect.stringMatching(/^[\w-]{43}$/),
      addedAt: expect.any(String),
      endsAt: null,
      serves: true,
    };
    const client = {
      id: clientId,
      organisation: 'housing',
      name: 'system',
      method: 'private_key_jwt',
      scopes: ['licences:read'],
      state: 'active',
      heldUntil: null,
      createdAt: expect.any(String),
      changedAt: expect.any(String),
      keys: [
        { kid: 'k1', ...key },
        { kid: 'k2', ...key },
      ],
    };
    expect(await identity.findClient(db, clientId)).toEqual(client);
    expect(await identity.listClients(db, { limit: 10 })).toEqual([client]);
    expect(await identity.listClients(db, { afterId: clientId, limit: 10 })).toEqual([]);
    expect(await identity.findClient(db, 'nobody')).toBeNull();
  });

  it('are refused with keys that are private, missing, nameless or of another kind', async () => {
    await identity.putOrganisation(db, HOUSING);
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const { publicKey: other } = await generateKeyPair('Ed25519');
    const wrong = [
      [],
      [{ ...(await exportJWK(privateKey)), kid: 'k1' }],
      [await makeKey({ kid: undefined })],
      [await makeKey(), await makeKey()],
      [await makeKey({ x: 'A'.repeat(43) })],
      [await makeKey({ x5c: ['AAAA'] })],
      [await makeKey({ x5u: 'https://elsewhere.example' })],
      [await makeKey({ use: 'enc' })],
      [await makeKey({ jku: 'https://elsewhere.example' })],
      [{ ...(await exportJWK(other)), kid: 'k1' }],
      [{ kty: 'oct', k: 'AAAA', kid: 'k1' }],
    ];
    for (const keys of wrong) {
      await expect(
        identity.createClient(db, {
          organisationId: 'housing',
          name: 'system',
          jwks: { keys },
          scopes: [],
        }),
      ).rejects.toMatchObject({ code: 'identity.client_invalid', kind: 'invalid' });
    }
  });

  it('are refused with an id that is taken', async () => {
    await identity.putOrganisation(db, HOUSING);
    const client = {
      organisationId: 'housing',
      name: 'system',
      clientId: 'housing-main',
      jwks: { keys: [await makeKey()] },
      scopes: [],
    };
    expect(await identity.createClient(db, client)).toBe('housing-main');
    await expect(identity.createClient(db, client)).rejects.toMatchObject({
      code: 'identity.client_invalid',
    });
  });
});

describe('the app role', () => {
  it('may do on each table what the house does, and no more', async () => {
    const rows = await ownerSql<{ name: string; rights: string }[]>`
      select table_name as name, string_agg(privilege_type, ' ' order by privilege_type) as rights
      from information_schema.role_table_grants
      where table_schema = 'identity' and grantee like '%\\_app' group by table_name
      order by table_name`;
    expect(Object.fromEntries(rows.map(({ name, rights }) => [name, rights]))).toEqual({
      acting_sessions: 'DELETE INSERT SELECT UPDATE',
      assertion_jtis: 'DELETE INSERT SELECT',
      // Columns of these may be updated one by one; see the migration.
      client_changes: 'INSERT SELECT',
      client_keys: 'INSERT SELECT',
      clients: 'INSERT SELECT',
      data_keys: 'DELETE INSERT SELECT UPDATE',
      // And three columns of where a delegation stands.
      delegations: 'INSERT SELECT',
      dpop_epochs: 'INSERT SELECT',
      dpop_proofs: 'INSERT SELECT',
      ...Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7].map((n) => [`dpop_proofs_${n}`, 'TRUNCATE'])),
      enrolments: 'DELETE INSERT SELECT UPDATE',
      key_versions: 'INSERT SELECT',
      known_devices: 'DELETE INSERT SELECT UPDATE',
      local_secrets: 'INSERT SELECT UPDATE',
      officers: 'INSERT SELECT',
      openid_records: 'DELETE INSERT SELECT UPDATE',
      operator_recoveries: 'INSERT SELECT',
      organisations: 'INSERT SELECT UPDATE',
      party_logins: 'INSERT SELECT',
      passkey_challenges: 'DELETE INSERT SELECT',
      passkey_resets: 'INSERT SELECT',
      passkeys: 'DELETE INSERT SELECT',
      people: 'INSERT SELECT UPDATE',
      provider_flows: 'DELETE INSERT SELECT',
      relying_parties: 'INSERT SELECT',
      relying_party_keys: 'INSERT SELECT',
      role_grants: 'DELETE INSERT SELECT',
      role_requests: 'INSERT SELECT',
      session_posts: 'DELETE INSERT SELECT UPDATE',
      set_up: 'INSERT SELECT',
      sessions: 'DELETE INSERT SELECT UPDATE',
      sign_in_tries: 'DELETE INSERT SELECT UPDATE',
    });
  });
});
