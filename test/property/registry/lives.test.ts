// Random lives on PostgreSQL: whatever is done in whatever order, register, keys, status list, log and
// numbers agree with the model of the act table.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AppError, systemScope } from '../../../platform/index.ts';
import { parseLicenceNumber } from '../../../registry/index.ts';
import {
  ACTS,
  type Act,
  isLive,
  isSuccession,
  type LicenceStatus,
  statusAfterAct,
  statusListValue,
} from '../../../registry/licence.ts';
import {
  department,
  healthCertificate,
  issued,
  withRegistry,
} from '../../integration/registry/house.ts';

const house = withRegistry();
const LIVES = 30;

interface Version {
  number: string;
  issuer: string;
  status: LicenceStatus;
  events: number;
}

const steps = fc.array(fc.record({ on: fc.nat(9), act: fc.constantFrom(...ACTS) }), {
  minLength: 1,
  maxLength: 8,
});

test('the register agrees with the act table over random lives', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (life) => {
      const { number } = await issued(house, department('health'), healthCertificate());
      const versions: Version[] = [{ number, issuer: 'health', status: 'valid', events: 1 }];
      for (const { on, act } of life) {
        const version = versions[on % versions.length];
        if (version) await step(versions, version, act);
      }
      await compareWithRegister(versions);
    }),
    { numRuns: LIVES },
  );
}, 120_000);

async function step(versions: Version[], version: Version, act: Act): Promise<void> {
  const after = statusAfterAct(version.status, act);
  const other = version.issuer === 'health' ? 'market' : 'health';
  const done = house.registry.act(department(version.issuer), version.number, act, {
    reason: '随机',
    legalBasis: 'LB-716-7',
    ...(act === 'transfer' ? { toAuthority: other } : {}),
  });
  if (!after) {
    const refusal = await done.catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(AppError);
    expect(refusal).toMatchObject({ code: 'registry.act_not_allowed' });
    return;
  }
  const result = await done;
  version.status = after;
  version.events += 1;
  if (!isSuccession(act)) return;
  const issuer = act === 'transfer' ? other : version.issuer;
  versions.push({ number: result.number, issuer, status: 'valid', events: 1 });
}

async function compareWithRegister(versions: readonly Version[]): Promise<void> {
  const rows = await house.ownerSql<
    { number: string; status: string; is_live: boolean; uri: string; idx: number; events: number }[]
  >`
    select l.number, l.status, k.is_live, l.status_list_uri as uri, l.status_list_index as idx,
      (select count(*)::int from registry.licence_events e where e.number = l.number) as events
    from registry.licence_keys k join registry.licences l using (number)
    where k.lineage = (select lineage from registry.licence_keys where number = ${versions[0]?.number ?? ''})
    order by k.version`;
  expect(rows.map(({ number, status, events }) => ({ number, status, events }))).toEqual(
    versions.map(({ number, status, events }) => ({ number, status, events })),
  );
  expect(rows.filter(({ is_live }) => is_live).length).toBeLessThanOrEqual(1);
  const logged = await house.audit.as(systemScope).findEntries({ outcome: 'ok', limit: 100 });
  for (const [at, row] of rows.entries()) {
    const version = versions[at];
    if (!version) throw new Error('The register holds a version the model has not.');
    expect(row.is_live).toBe(isLive(version.status));
    const listed = await house.signing.getStatus(house.database.db, { uri: row.uri, idx: row.idx });
    expect(listed).toBe(statusListValue(version.status));
    expect(parseLicenceNumber(row.number)?.version).toBe(at + 1);
    const entries = logged.filter(({ licence }) => licence === row.number);
    expect(entries.length).toBe(version.events);
  }
}
