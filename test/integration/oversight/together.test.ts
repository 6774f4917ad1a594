// What auditors do by two and what they keep: unmaskings, exports checked from disk, saved searches.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Actor } from '../../../identity/index.ts';
import { createExportBuild } from '../../../oversight/export-build.ts';
import { createSearching } from '../../../oversight/search-conditions.ts';
import { systemIds, systemScope } from '../../../platform/index.ts';
import { verifyBundle } from '../../../verifier/index.ts';
import { offlineVerifier } from '../../../web/offline-verifier.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { auditClient, auditOfficer, desk, makeHouse } from './house.ts';

const databases = withDatabase();
const { database, ownerSql, setClockOffset } = databases;
const house = makeHouse(databases);
const { audit, oversight, identity } = house;

const first = auditOfficer;
const second: Actor = {
  ...auditOfficer,
  officerId: '019a0000-0000-7000-8000-000000000003',
  officerKey: 'audit-auditor-3',
};
const steward: Actor = { ...desk, officerKey: 'housing-steward-1', roles: ['steward'] };

beforeAll(async () => {
  await house.start();
  await house.anAuditOffice();
});
afterAll(() => audit.stop());

async function lastCall() {
  const [entry] = await audit.as(systemScope).findEntries({ limit: 1 });
  return { type: entry?.type, outcome: entry?.outcome, code: entry?.code };
}

describe('an officer is unmasked', () => {
  test('by two, for a day, and her department and the subject learn of it', async () => {
    const anna = await house.aPerson();
    const index = await house.look({ subject: anna.personId });
    const asked = await oversight.requestUnmasking(first, { index, reason: 'complaint 17' });
    expect(asked).toMatchObject({
      state: 'requested',
      index,
      officer: null,
      department: 'housing',
    });
    await expect(oversight.approveUnmasking(first, asked.id)).rejects.toMatchObject({
      code: 'oversight.own_act',
    });
    expect(await lastCall()).toEqual({
      type: 'unmasking.approved',
      outcome: 'refused',
      code: 'oversight.own_act',
    });
    await expect(
      oversight.requestUnmasking(second, { index, reason: 'the same' }),
    ).rejects.toMatchObject({ code: 'oversight.unmasking_open' });
    const approved = await oversight.approveUnmasking(second, asked.id);
    expect(approved).toMatchObject({ state: 'approved', officer: 'housing-desk-1' });
    await expect(oversight.refuseUnmasking(second, asked.id)).rejects.toMatchObject({
      code: 'oversight.unmasking_decided',
    });
    for (const one of [first, second]) {
      expect(await oversight.unmasking(one, asked.id)).toMatchObject({ officer: 'housing-desk-1' });
    }
    const third = { ...second, officerKey: 'audit-auditor-4' };
    expect(await oversight.unmasking(third, asked.id)).toMatchObject({ officer: null });
    const { items } = await oversight.listUnmaskings(third);
    expect(JSON.stringify(items)).not.toContain('housing-desk-1');
    expect((await oversight.unmaskingNotices(steward)).items).toMatchObject([{ index }]);
    expect(
      (await oversight.unmaskingNotices({ ...steward, organisationId: 'civil' })).items,
    ).toEqual([]);
    const told = (await oversight.accessLog(anna.actor)).items;
    expect(told.map(({ type, purpose }) => [type, purpose])).toEqual(
      expect.arrayContaining([
        ['unmasking.requested', 'complaint 17'],
        ['unmasking.approved', 'complaint 17'],
      ]),
    );
    // Who it was lies nowhere at rest.
    const [row] = await ownerSql`select row_to_json(u)::text as said from oversight.unmaskings u`;
    expect(row?.said).not.toContain('housing-desk-1');
    await setClockOffset(25 * 3_600_000);
    expect(await oversight.unmasking(first, asked.id)).toMatchObject({ officer: null });
    await setClockOffset(0);
  });

  test('by her pseudonym, too, through a system that names two auditors, and not two it made up', async () => {
    const { personId } = await house.aPerson();
    const index = await house.look({ subject: personId });
    const { actor } = await audit.as(systemScope).getEntry(index);
    const named = (officer: string): Actor => ({ ...auditClient, onBehalfOf: officer });
    for (const nobody of [{ ...auditClient, onBehalfOf: undefined }, named('audit-nobody-9')]) {
      const made = oversight.requestUnmasking(nobody as Actor, { actor, reason: 'r' });
      await expect(made).rejects.toMatchObject({ code: 'identity.officer_needed' });
    }
    const { id } = await oversight.requestUnmasking(named('audit-auditor-1'), {
      actor,
      reason: 'r',
    });
    await expect(oversight.approveUnmasking(named('audit-auditor-1'), id)).rejects.toMatchObject({
      code: 'oversight.own_act',
    });
    expect(await oversight.approveUnmasking(named('audit-auditor-2'), id)).toMatchObject({
      officer: 'housing-desk-1',
      index,
    });
  });

  test('never where the table sees one account only, nor where no officer acted', async () => {
    const index = await house.look({ subject: (await house.aPerson()).personId });
    const { id } = await oversight.requestUnmasking(first, { index, reason: 'r' });
    const alone = ownerSql`update oversight.unmaskings set state = 'approved',
      decided_by = requested_by, decided_at = now(), shown_until = now() where id = ${id}`;
    await expect(alone).rejects.toThrow('unmaskings_four_eyes');
    const { actor } = await house.aPerson();
    const own = await database.transaction((tx) =>
      identity.recordAccess(tx, actor, { type: 'licence.own_read', outcome: 'ok' }),
    );
    const [ownIndex = -1] = await audit.sequenced([own.stageId]);
    await expect(
      oversight.requestUnmasking(first, { index: ownIndex, reason: 'r' }),
    ).rejects.toMatchObject({ code: 'oversight.no_officer' });
  });

  test('and a covert look stays covert from its subject', async () => {
    const anna = await house.aPerson();
    const discloseAt = new Date(Date.now() + 86_400_000);
    const index = await house.look({ subject: anna.personId, discloseAt });
    const { id } = await oversight.requestUnmasking(first, { index, reason: 'covert' });
    await oversight.approveUnmasking(second, id);
    expect((await oversight.accessLog(anna.actor)).items).toEqual([]);
  });
});

describe('an export', () => {
  const dir = mkdtempSync(join(tmpdir(), 'yihao-export-'));
  afterAll(() => rmSync(dir, { recursive: true }));

  const fileOf = async (actor: Actor, id: string): Promise<string> => {
    const parts: Buffer[] = [];
    for await (const part of (await oversight.exportFile(actor, id)).parts) parts.push(part);
    return Buffer.concat(parts).toString('utf8');
  };
  const written = (id: string) =>
    eventually(async () => {
      await oversight.writeExports();
      const one = await oversight.export(first, id);
      if (one.state !== 'ready') throw new Error(`It is ${one.state}.`);
      return one;
    });

  test('is asked for, approved by another, written, and holds offline', async () => {
    const { personId } = await house.aPerson();
    const looks: number[] = [];
    for (let at = 0; at < 5; at++) {
      looks.push(await house.look({ subject: personId, service: 'VS-EXPORT' }));
    }
    await house.look({ subject: personId, service: 'VS-OTHER' });
    const asked = await oversight.requestExport(first, { service: 'VS-EXPORT', reason: 'yearly' });
    expect(asked).toMatchObject({ state: 'requested', conditions: { service: 'VS-EXPORT' } });
    await expect(oversight.approveExport(first, asked.id)).rejects.toMatchObject({
      code: 'oversight.own_act',
    });
    await expect(oversight.exportFile(first, asked.id)).rejects.toMatchObject({
      code: 'oversight.export_not_ready',
    });
    await oversight.approveExport(second, asked.id);
    expect(await written(asked.id)).toMatchObject({ done: 5, total: 5 });
    const text = await fileOf(second, asked.id);
    expect(await lastCall()).toMatchObject({ type: 'audit.export_taken', outcome: 'ok' });
    await expect(
      oversight.exportFile({ ...first, officerKey: 'audit-auditor-9' }, asked.id),
    ).rejects.toMatchObject({ code: 'oversight.not_yours' });

    const lines = text.trimEnd().split('\n');
    expect(lines).toHaveLength(7);
    const verdict = await verifyBundle(lines, audit.vkey);
    expect(verdict).toMatchObject({
      valid: true,
      facts: { bundle: { id: asked.id, entries: 5, sealType: 'audit.export_sealed' } },
    });
    expect(lines.slice(1, 6).map((line) => JSON.parse(line).index)).toEqual([...looks].reverse());
    // What was said is proved; whose data it was is not told.
    expect(Object.keys(JSON.parse(lines[1] ?? '').opening).sort()).toEqual(['case', 'purpose']);

    const spoilt: [string, string[]][] = [
      ['left out', lines.filter((_, at) => at !== 2)],
      ['twice', [...lines.slice(0, 2), ...lines.slice(1)]],
      ['turned round', [lines[0], lines[2], lines[1], ...lines.slice(3)].map(String)],
      ['broken off', lines.slice(0, 4)],
      [
        'changed',
        lines.map((line, at) => (at === 3 ? line.replace('"index":', '"index":1') : line)),
      ],
      [
        'reason',
        lines.map((line, at) => (at === 0 ? line.replace('VS-EXPORT', 'VS-OTHER') : line)),
      ],
      ['more', [...lines, lines[1] ?? '']],
    ];
    for (const [what, changed] of spoilt) {
      expect([what, (await verifyBundle(changed, audit.vkey)).valid]).toEqual([what, false]);
    }

    writeFileSync(join(dir, 'verifier.mjs'), offlineVerifier().program);
    writeFileSync(join(dir, 'bundle.ndjson'), text);
    writeFileSync(join(dir, 'cut.ndjson'), lines.slice(0, 4).join('\n'));
    writeFileSync(join(dir, 'vkey'), audit.vkey);
    const run = (file: string) =>
      spawnSync(process.execPath, ['verifier.mjs', file, '--vkey', 'vkey'], {
        cwd: dir,
        env: {},
        encoding: 'utf8',
      });
    expect(run('bundle.ndjson')).toMatchObject({ status: 0 });
    expect(run('cut.ndjson')).toMatchObject({ status: 1 });
  });

  test('lies sealed, runs out, and goes with the person it tells of', async () => {
    const anna = await house.aPerson();
    await house.look({ subject: anna.personId, service: 'VS-GONE', purpose: 'a purpose to find' });
    const made: string[] = [];
    for (const at of [0, 1]) {
      const reason = `reason ${at}`;
      const { id } = await oversight.requestExport(first, { service: 'VS-GONE', reason });
      await oversight.approveExport(second, id);
      await written(id);
      made.push(id);
    }
    const [outdated = '', withdrawn = ''] = made;
    const stored = await ownerSql`select sealed from oversight.export_parts`;
    for (const { sealed } of stored) expect(sealed.includes('a purpose to find')).toBe(false);

    const { withdrawExports } = await import('../../../oversight/export-store.ts');
    await ownerSql`delete from oversight.export_people where export_id = ${outdated}`;
    await database.as(systemScope).transaction((tx) => withdrawExports(tx, anna.personId));
    await expect(oversight.exportFile(first, withdrawn)).rejects.toMatchObject({ kind: 'gone' });
    expect(await oversight.export(first, withdrawn)).toMatchObject({
      state: 'withdrawn',
      reason: null,
    });
    expect(await oversight.export(first, outdated)).toMatchObject({ state: 'ready' });

    await setClockOffset(8 * 86_400_000);
    await expect(oversight.exportFile(first, outdated)).rejects.toMatchObject({ kind: 'gone' });
    await oversight.writeExports();
    await setClockOffset(0);
    expect(await oversight.export(first, outdated)).toMatchObject({ state: 'expired' });
    const left = await ownerSql`select 1 from oversight.export_parts
      where export_id in (${outdated}, ${withdrawn})`;
    expect(left).toHaveLength(0);
  });

  test('that would be too large is refused by the job, and one of a person names her nowhere', async () => {
    const anna = await house.aPerson();
    for (let at = 0; at < 3; at++) await house.look({ subject: anna.personId, service: 'VS-BIG' });
    const deps = {
      database,
      ids: systemIds,
      logger: pino({ level: 'silent' }),
      audit,
      identity,
      citationOf: (id: string) => id,
      cityTz: 'Asia/Shanghai',
      ticketDays: { answer: 10, escalate: 5 },
      ownRecords: async () => ({}),
    };
    const small = createExportBuild(deps, createSearching(deps), { mostEntries: 2 });
    const big = await oversight.requestExport(first, { service: 'VS-BIG', reason: 'r' });
    await oversight.approveExport(second, big.id);
    const refused = await eventually(async () => {
      await small.writeExports();
      const one = await oversight.export(first, big.id);
      return one.state === 'running' ? undefined : one;
    });
    expect(refused).toMatchObject({ state: 'failed', failure: 'too_large' });
    const { id } = await oversight.requestExport(first, {
      subject: anna.identifier,
      reason: 'hers',
    });
    await oversight.approveExport(second, id);
    await written(id);
    const text = await fileOf(first, id);
    expect(text).not.toContain(anna.identifier.value);
    expect(await verifyBundle(text.trimEnd().split('\n'), audit.vkey)).toMatchObject({
      valid: true,
    });
    expect(text).toContain('"subj"');
    const told = (await oversight.accessLog(anna.actor)).items.map(({ type }) => type);
    expect(told).toEqual(expect.arrayContaining(['audit.export_requested', 'audit.export_taken']));
  });

  test('cut off anywhere is gone on with, and two writers make one file', async () => {
    const { personId } = await house.aPerson();
    for (let at = 0; at < 3; at++) await house.look({ subject: personId, service: 'VS-CUT' });
    const { id } = await oversight.requestExport(first, { service: 'VS-CUT', reason: 'r' });
    await oversight.approveExport(second, id);
    // One step and no more: the signal says stop after each.
    const oneStep = () => {
      const stopping = new AbortController();
      return new Proxy(stopping.signal, {
        get: (target, name) => {
          if (name !== 'aborted') return Reflect.get(target, name);
          const before = target.aborted;
          stopping.abort();
          return before;
        },
      });
    };
    const begun = await eventually(async () => {
      await oversight.writeExports(oneStep());
      const one = await oversight.export(first, id);
      return one.total === null ? undefined : one;
    });
    expect(begun).toMatchObject({ state: 'running', done: 0, total: 3 });
    await Promise.all([oversight.writeExports(), oversight.writeExports()]);
    await written(id);
    const text = await fileOf(first, id);
    expect(await verifyBundle(text.trimEnd().split('\n'), audit.vkey)).toMatchObject({
      valid: true,
      facts: { bundle: { entries: 3 } },
    });
  });
});

describe('a saved search', () => {
  test('is run again with a reason, by who may see it, and taken away by who saved it', async () => {
    const anna = await house.aPerson();
    const index = await house.look({ subject: anna.personId, service: 'VS-SAVED' });
    const own = await oversight.saveSearch(first, {
      name: 'Anna, complaint 17',
      subject: anna.identifier,
      service: 'VS-SAVED',
    });
    expect(own).toMatchObject({ isByPerson: true, isShared: false, isMine: true });
    const shared = await oversight.saveSearch(first, {
      name: 'refused ones',
      outcome: 'refused',
      shared: true,
    });
    const idsOf = async (actor: Actor) =>
      (await oversight.listSearches(actor)).items.map(({ id }) => id);
    expect(await idsOf(first)).toEqual(expect.arrayContaining([own.id, shared.id]));
    expect(await idsOf(second)).toEqual([shared.id]);
    const [row] = await ownerSql`select row_to_json(s)::text as said from oversight.saved_searches s
      where id = ${own.id}`;
    expect(row?.said).not.toMatch(/Anna|VS-SAVED/);
    const found = await oversight.runSearch(first, own.id, { reason: 'again' });
    expect(found.items.map((item) => item.index)).toEqual([index]);
    expect((await oversight.accessLog(anna.actor)).items[0]).toMatchObject({
      type: 'audit.searched',
      purpose: 'again',
    });
    await expect(oversight.runSearch(first, own.id, { reason: ' ' })).rejects.toMatchObject({
      code: 'oversight.reason_required',
    });
    await expect(oversight.runSearch(second, own.id, { reason: 'r' })).rejects.toMatchObject({
      code: 'oversight.search_not_found',
    });
    await expect(oversight.deleteSearch(second, shared.id)).rejects.toMatchObject({
      code: 'oversight.not_yours',
    });
    await oversight.deleteSearch(first, shared.id);
    expect(await idsOf(second)).toEqual([]);
  });
});

test('a search by purpose narrows what the other conditions find, page by page', async () => {
  const { personId } = await house.aPerson();
  const hits: number[] = [];
  for (let at = 0; at < 6; at++) {
    const purpose = at % 2 === 0 ? 'loan check' : 'other';
    const index = await house.look({ subject: personId, service: 'VS-PURPOSE', purpose });
    if (at % 2 === 0) hits.unshift(index);
  }
  const seen: number[] = [];
  for (let cursor: string | undefined; ; ) {
    const query = { service: 'VS-PURPOSE', purpose: 'loan', limit: 2, cursor };
    const page = await oversight.search(first, query);
    seen.push(...page.items.map(({ index }) => index));
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  expect(seen).toEqual(hits);
});
