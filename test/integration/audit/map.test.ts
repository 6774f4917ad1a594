// The map of looks on a real database: what it takes in, what it keeps to itself, and who may see it.

import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CompletenessProof, scopeOfLog, scopeOfTag } from '../../../audit/index.ts';
import { databaseFault, selectRows, systemIds } from '../../../platform/index.ts';
import { openVrf, verifyVrf } from '../../../signing/index.ts';
import { verifyCompleteness } from '../../../verifier/completeness.ts';
import { withDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { aDraft, aLog, write } from './a-log.ts';

const { database, logDatabase, ownerSql, setClockOffset } = withDatabase();
const key = openVrf(Buffer.alloc(32, 5));
const map = { key, everyMs: null };
const audit = aLog({ database, logDatabase, map });

beforeAll(() => audit.startSequencer());
afterAll(() => audit.stop());

const aTag = () => systemIds.bytes(32);
const day = 86_400_000;
const later = (ms: number) => new Date(Date.now() + ms);
const look = (subject: Buffer, discloseAt?: Date) =>
  aDraft({ tags: { subject }, ...(discloseAt && { discloseAt }) });

/** Publishes, waits until a checkpoint covers the root, and proves. */
async function proofOf(tag: Buffer): Promise<CompletenessProof> {
  await audit.publishMap();
  return newestProof(tag);
}

async function newestProof(tag: Buffer): Promise<CompletenessProof> {
  const [newest] = await ownerSql<{ edition: number }[]>`
    select edition::int as edition from audit.map_state`;
  let proof: CompletenessProof | undefined;
  await eventually(async () => {
    proof = (await audit.proveCompleteness(tag).catch(() => undefined))?.proof;
    const leaf = proof && JSON.parse(Buffer.from(proof.root.leaf, 'base64').toString());
    return leaf?.map.edition === newest?.edition;
  });
  if (!proof) throw new Error('There is no proof.');
  return proof;
}

const listIn = async (proof: unknown) => {
  const verdict = await verifyCompleteness(proof, audit.vkey);
  expect(verdict.reasons).toEqual([]);
  return verdict.facts.completeness?.indexes;
};

test('each subject has a proof of exactly her entries, in the order of the log', async () => {
  const [mine, other, nobody] = [aTag(), aTag(), aTag()];
  const indexes = await write(audit, database, [
    look(mine),
    look(other),
    look(mine),
    aDraft({ tags: {} }),
    look(mine),
  ]);
  const proof = await proofOf(mine);
  expect(await listIn(proof)).toEqual([indexes[0], indexes[2], indexes[4]]);
  expect(await listIn(await newestProof(other))).toEqual([indexes[1]]);
  expect(await listIn(await newestProof(nobody))).toEqual([]);
  const label = verifyVrf(key.publicKey, mine, Buffer.from(proof.vrf, 'base64url'));
  expect(label?.subarray(0, 32).toString('base64url')).toBe(proof.end?.label);
});

test('a list goes on over many editions and blocks, and an earlier proof is its beginning', async () => {
  const mine = aTag();
  let expected: number[] = [];
  let earlier: CompletenessProof | undefined;
  for (const count of [255, 1, 1, 300, 0, 3]) {
    const drafts = Array.from({ length: count }, () => look(mine));
    expected = [...expected, ...(count === 0 ? [] : await write(audit, database, drafts))];
    const proof = await proofOf(mine);
    expect(await listIn(proof)).toEqual(expected);
    expect(await verifyCompleteness(proof, audit.vkey, undefined, earlier ?? proof)).toMatchObject({
      valid: true,
    });
    if (earlier && count > 0) {
      const back = await verifyCompleteness(earlier, audit.vkey, undefined, proof);
      expect(back.reasons).toEqual(['The earlier proof is the newer one.']);
    }
    earlier = proof;
  }
});

describe('an entry that is dropped, added or altered', () => {
  test('fails, as does a list, way, label or root of somebody else', async () => {
    const [mine, other, nobody] = [aTag(), aTag(), aTag()];
    await write(audit, database, [look(mine), look(other), look(mine), look(mine)]);
    await audit.publishMap();
    const proof = await newestProof(mine);
    const others = await newestProof(other);
    const nobodys = await newestProof(nobody);
    const indexes = proof.list?.indexes ?? [];
    const withList = (changed: number[]) => ({
      ...proof,
      list: { salt: proof.list?.salt, indexes: changed },
    });
    await fc.assert(
      fc.asyncProperty(fc.nat(2), fc.nat(1000), async (at, index) => {
        fc.pre(index !== indexes[at]);
        for (const changed of [
          indexes.filter((_, n) => n !== at),
          [...indexes.slice(0, at), index, ...indexes.slice(at)],
          indexes.map((each, n) => (n === at ? index : each)),
        ]) {
          expect(await verifyCompleteness(withList(changed), audit.vkey)).toMatchObject({
            valid: false,
            reasons: ['The list is not the one in the map: an entry is missing, added or changed.'],
          });
        }
      }),
      { numRuns: 30 },
    );
    for (const changed of [
      withList([...indexes].reverse()),
      { ...proof, list: null },
      { ...proof, end: null, list: null },
      { ...proof, list: others.list, end: others.end },
      { ...proof, siblings: others.siblings, end: others.end, list: others.list },
      { ...proof, siblings: nobodys.siblings, end: nobodys.end, list: null },
      { ...proof, siblings: proof.siblings.slice(1) },
      { ...proof, vrf: others.vrf },
      { ...proof, tag: others.tag },
      { ...nobodys, list: proof.list },
      { ...nobodys, tag: proof.tag, vrf: proof.vrf },
      { ...proof, root: { ...proof.root, index: proof.root.index - 1 } },
    ]) {
      expect(await verifyCompleteness(changed, audit.vkey)).toMatchObject({ valid: false });
    }
  });

  test('can’t be hidden under a second label: one key gives one tag one label', async () => {
    const mine = aTag();
    await write(audit, database, [look(mine)]);
    const proof = await proofOf(mine);
    const second = openVrf(Buffer.alloc(32, 6));
    const forged = { ...proof, vrf: second.prove(mine).toString('base64url') };
    expect((await verifyCompleteness(forged, audit.vkey)).reasons).toEqual([
      'The label is not the one that the map’s key gives this tag.',
    ]);
  });
});

describe('a look to be disclosed later', () => {
  test('leaves no trace in a proof until then: form and length are those of no such look', async () => {
    const shape = (proof: CompletenessProof) => ({
      members: Object.keys(proof),
      siblings: proof.siblings,
      isEmpty: proof.list === null,
      end: proof.end,
      count: proof.list?.indexes.length,
      leaf: Object.keys(JSON.parse(Buffer.from(proof.root.leaf, 'base64').toString()).map),
    });
    const [watched, unwatched, onlyHidden] = [aTag(), aTag(), aTag()];
    await write(audit, database, [look(watched), look(unwatched)]);
    const [before, never] = [await proofOf(watched), await newestProof(onlyHidden)];
    await write(audit, database, [
      look(watched, later(day)),
      look(watched, later(2 * day)),
      look(onlyHidden, later(day)),
    ]);
    const proof = await proofOf(watched);
    expect(shape(proof)).toEqual(shape(before));
    expect(JSON.stringify(proof.list)).toBe(JSON.stringify(before.list));
    expect(shape(await newestProof(onlyHidden))).toEqual(shape(never));
    const map = (each: CompletenessProof) =>
      JSON.parse(Buffer.from(each.root.leaf, 'base64').toString()).map;
    expect(map(proof).root).toBe(map(before).root);
    // What the hidden map says is salted anew each time, whether it changed or not.
    await write(audit, database, [look(unwatched)]);
    const afterwards = await proofOf(unwatched);
    expect(map(afterwards).pending).not.toBe(map(proof).pending);
    expect(map(afterwards).pending).toHaveLength(map(proof).pending.length);
  });

  test('joins the list when it is due, and the map says by when that is', async () => {
    const mine = aTag();
    const [hidden, open] = await write(audit, database, [look(mine, later(day)), look(mine)]);
    expect(await listIn(await proofOf(mine))).toEqual([open]);
    try {
      await setClockOffset(2 * day);
      const proof = await proofOf(mine);
      expect(await listIn(proof)).toEqual([open, hidden]);
      const { due } = JSON.parse(Buffer.from(proof.root.leaf, 'base64').toString()).map;
      expect(Date.parse(due)).toBeGreaterThan(Date.now() + day);
    } finally {
      await setClockOffset(0);
    }
  });

  test('stands meanwhile in the map that auditors see, with its date', async () => {
    const mine = aTag();
    await write(audit, database, [look(mine, later(30 * day))]);
    await audit.publishMap();
    const pages = (scope: Parameters<typeof database.as>[0]) =>
      database
        .as(scope)
        .transaction((tx) =>
          selectRows(tx, sql`select path from audit.map_pages where map = 1 and path = ''`),
        );
    expect(await pages(scopeOfTag(mine))).toEqual([]);
    expect((await pages(scopeOfLog)).length).toBeGreaterThan(0);
  });
});

describe('nobody', () => {
  test('reads another’s list: without her tag as the scope there is none', async () => {
    const mine = aTag();
    await write(audit, database, [look(mine)]);
    await audit.publishMap();
    const rows = (table: string) => (scope: Parameters<typeof database.as>[0]) =>
      database
        .as(scope)
        .transaction((tx) =>
          selectRows(tx, sql`select from ${sql.raw(`audit.${table}`)} where subject_tag = ${mine}`),
        );
    for (const table of ['map_subjects', 'map_blocks', 'map_counts']) {
      expect(await rows(table)({})).toEqual([]);
      expect(await rows(table)(scopeOfTag(aTag()))).toEqual([]);
      expect((await rows(table)(scopeOfTag(mine))).length).toBe(1);
    }
  });

  test('writes it but the log’s role, and nobody changes what was published', async () => {
    for (const statement of [
      sql`delete from audit.map_subjects`,
      sql`update audit.map_blocks set items = ''`,
      sql`insert into audit.map_pages values (0, '', 99, '')`,
      sql`insert into audit.map_removals values ('')`,
      sql`update audit.map_state set edition = 99`,
    ]) {
      const fault = await database.db.execute(statement).then(
        () => undefined,
        (error: unknown) => databaseFault(error)?.code,
      );
      expect(fault).toBe('42501');
    }
    await expect(ownerSql`update audit.map_editions set root = ''`).rejects.toThrow('only grows');
    await expect(ownerSql`update audit.map_state set edition = 0`).rejects.toThrow('only grows');
  });
});

test('an erased subject’s list is gone at once and her label with the next edition; older proofs hold', async () => {
  const [mine, other] = [aTag(), aTag()];
  await write(audit, database, [look(mine), look(other), look(mine, later(day))]);
  const before = await proofOf(mine);
  const others = await newestProof(other);
  while ((await database.transaction((tx) => audit.forgetSubject(tx, mine))) > 0);
  const left = await ownerSql`
    select from audit.map_subjects where subject_tag = ${mine}
    union all select from audit.map_blocks where subject_tag = ${mine}
    union all select from audit.map_counts where subject_tag = ${mine}`;
  expect(left).toEqual([]);
  expect(await listIn(await proofOf(mine))).toEqual([]);
  expect(await listIn(others)).toEqual(await listIn(await newestProof(other)));
  expect(await verifyCompleteness(before, audit.vkey)).toMatchObject({ valid: true });
});

test('two processes at once make one edition of the same, and none is lost', async () => {
  const mine = aTag();
  const second = aLog({ database, logDatabase, map });
  const indexes: number[] = [];
  for (let round = 0; round < 10; round++) {
    indexes.push(...(await write(audit, database, [look(mine)])));
    await Promise.all([audit.publishMap(), second.publishMap()]);
  }
  expect(await listIn(await newestProof(mine))).toEqual(indexes);
  const editions = await ownerSql<{ edition: number }[]>`
    select edition::int as edition from audit.map_editions order by edition`;
  expect(editions.map(({ edition }) => edition)).toEqual(editions.map((_, at) => at + 1));
  await second.stop();
});

test('where nothing changed nothing is published: the map’s own entries don’t wake it', async () => {
  await audit.publishMap();
  const size = async () => (await audit.head()).size;
  const before = await size();
  expect(await audit.publishMap()).toBeUndefined();
  expect(await audit.publishMap()).toBeUndefined();
  expect((await size()) - before).toBeLessThanOrEqual(1);
});
