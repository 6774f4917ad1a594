// A person takes her own out: as JSON, CSV, and as a bundle the offline verifier checks; and runs of the
// integrity check, which auditors start.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIntegrityRuns } from '../../../oversight/integrity-runs.ts';
import type { ExportFormat } from '../../../oversight/own-export.ts';
import { createWatch } from '../../../oversight/watched.ts';
import { systemIds } from '../../../platform/index.ts';
import { verify } from '../../../verifier/index.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { auditOfficer, desk, makeHouse } from './house.ts';

const databases = withDatabase();
const { database, ownerSql } = databases;
const house = makeHouse(databases);
const { audit, oversight, identity } = house;

beforeAll(() => house.start());
afterAll(() => audit.stop());

type Person = Awaited<ReturnType<typeof house.aPerson>>;

async function taken(person: Person, format: ExportFormat): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of (await oversight.exportOwn(person.actor, format)).parts) {
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

describe('her own, taken out', () => {
  let anna: Person;
  let shown: number[];
  let covert: number;
  beforeAll(async () => {
    anna = await house.aPerson();
    shown = [
      await house.look({ subject: anna.personId, purpose: '=cmd|calc' }),
      await house.look({ subject: anna.personId, purpose: 'a, "quoted" one' }),
    ];
    const discloseAt = new Date(Date.now() + 86_400_000);
    covert = await house.look({ subject: anna.personId, discloseAt });
    await house.look({ subject: (await house.aPerson()).personId });
  });

  test('as JSON: every look she may see, none that is not due, and that she took it', async () => {
    const { exportedAt, accessLog } = JSON.parse(await taken(anna, 'json'));
    expect(Date.parse(exportedAt)).not.toBeNaN();
    const indexes = accessLog.map(({ index }: { index: number }) => index);
    expect(indexes).toEqual(expect.arrayContaining(shown));
    expect(indexes).not.toContain(covert);
    expect(accessLog[0]).toMatchObject({ type: 'data.exported' });
    expect(JSON.stringify(accessLog)).not.toContain('housing-desk-1');
  });

  test('as CSV that no spreadsheet runs', async () => {
    const text = await taken(anna, 'csv');
    expect(text).toContain(`,'=cmd|calc,`);
    expect(text).toContain(',"a, ""quoted"" one",');
    expect(text.split('\r\n')[0]).toContain('index,at,type');
  });

  test('as a bundle with openings that holds, and holds no more when a line is gone', async () => {
    const text = await taken(anna, 'bundle');
    const verdict = await verify(text, audit.vkey);
    expect(verdict).toMatchObject({
      valid: true,
      facts: { bundle: { sealType: 'access_log.sealed' } },
    });
    const lines = text.trimEnd().split('\n');
    expect(verdict.facts.bundle?.entries).toBe(lines.length - 2);
    const entries = lines.slice(1, -1).map((line) => JSON.parse(line));
    expect(entries.map(({ index }) => index)).not.toContain(covert);
    expect(Object.keys(entries.at(-1).opening).sort()).toEqual(['case', 'purpose', 'subj']);
    const cut = lines.filter((_, at) => at !== 1).join('\n');
    expect(await verify(cut, audit.vkey)).toMatchObject({ valid: false });
  });

  test('by nobody else', async () => {
    await expect(oversight.exportOwn(desk, 'json')).rejects.toMatchObject({
      code: 'oversight.not_the_subject',
    });
  });

  test('of more than one page, in their order', async () => {
    const many = await house.aPerson();
    const entry = { type: 'x.read', outcome: 'ok', subject: many.personId } as const;
    const staged = await database.transaction((tx) =>
      identity.recordAccessMany(
        tx,
        desk,
        Array.from({ length: 450 }, () => entry),
      ),
    );
    await audit.sequenced(
      staged.map(({ stageId }) => stageId),
      30_000,
    );
    const { accessLog } = JSON.parse(await taken(many, 'json'));
    const indexes = accessLog.map(({ index }: { index: number }) => index);
    expect(indexes).toHaveLength(451);
    expect(indexes).toEqual([...indexes].sort((a, b) => b - a));
  });
});

describe('a run of the integrity check', () => {
  const ended = (id: string) =>
    eventually(async () => {
      await oversight.checkIntegrity();
      const run = await oversight.integrityRun(auditOfficer, id);
      return run.state === 'running' ? undefined : run;
    });

  test('checks the whole log, or a range, and says what it found', async () => {
    const { size } = await audit.head();
    const { id } = await oversight.startIntegrityRun(auditOfficer);
    expect(await ended(id)).toMatchObject({ state: 'done', ok: true, firstBadIndex: null });
    const range = await oversight.startIntegrityRun(auditOfficer, { from: 3, to: size - 1 });
    expect(await ended(range.id)).toMatchObject({ ok: true, done: size - 4, total: size - 4 });
    for (const wrong of [{ from: 9, to: 3 }, { to: 1e9 }]) {
      await expect(oversight.startIntegrityRun(auditOfficer, wrong)).rejects.toMatchObject({
        code: 'oversight.range_invalid',
      });
    }
    await expect(oversight.startIntegrityRun(desk)).rejects.toMatchObject({ kind: 'forbidden' });
  });

  test('goes on piece by piece, also beside another runner, and stops when cancelled', async () => {
    const deps = { database, ids: systemIds, audit };
    const inPieces = createIntegrityRuns(deps, createWatch({ database, audit, identity }), {
      entriesAtOnce: 256,
    });
    const stopped = { aborted: true } as AbortSignal; // all that is asked of a signal here
    const { id, total } = await inPieces.startIntegrityRun(auditOfficer);
    await inPieces.checkIntegrity(stopped);
    expect(await inPieces.integrityRun(auditOfficer, id)).toMatchObject({ done: 0 });
    await Promise.all([inPieces.checkIntegrity(), inPieces.checkIntegrity()]);
    const run = await eventually(async () => {
      await inPieces.checkIntegrity();
      const one = await inPieces.integrityRun(auditOfficer, id);
      return one.state === 'done' ? one : undefined;
    });
    expect(run).toMatchObject({ ok: true, done: total });
    const other = await oversight.startIntegrityRun(auditOfficer);
    expect(await oversight.cancelIntegrityRun(auditOfficer, other.id)).toMatchObject({
      state: 'cancelled',
    });
    await oversight.checkIntegrity();
    expect(await oversight.integrityRun(auditOfficer, other.id)).toMatchObject({ done: 0 });
    await expect(oversight.cancelIntegrityRun(auditOfficer, other.id)).rejects.toMatchObject({
      code: 'oversight.run_ended',
    });
  });

  test('names the first bad index', async () => {
    await ownerSql`alter table audit.entries disable trigger user`;
    const bits = (at: number) => ownerSql`update audit.entries
      set leaf = set_byte(leaf, 20, get_byte(leaf, 20) # 1) where idx = ${at}`;
    for (const at of [7, 5]) await bits(at);
    const { id } = await oversight.startIntegrityRun(auditOfficer, { from: 2, to: 20 });
    expect(await ended(id)).toMatchObject({ state: 'done', ok: false, firstBadIndex: 5 });
    const after = await oversight.startIntegrityRun(auditOfficer, { from: 8, to: 20 });
    expect(await ended(after.id)).toMatchObject({ ok: true });
    for (const at of [7, 5]) await bits(at);
    await ownerSql`alter table audit.entries enable trigger user`;
  });
});
