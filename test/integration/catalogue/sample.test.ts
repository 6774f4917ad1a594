// The sample's promises (contract section 2), and that its hidden cells can't be worked out.
import { beforeAll, expect, test } from 'vitest';
import { anyone, installSample } from '../../../catalogue/index.ts';
import { withDatabase } from '../../support/database.ts';
import { catalogueOn } from './setup.ts';

const { database } = withDatabase();
const { catalogue } = catalogueOn(database);

beforeAll(async () => {
  expect(await installSample(catalogue)).toEqual({ datasets: 6, rows: 607 });
});

async function rowsOf(name: string) {
  const { resources } = await catalogue.packageShow(anyone, { id: name });
  return catalogue.datastoreSearch(anyone, { resource_id: resources[0]?.id, limit: 32_000 });
}

test('it holds a dataset of each kind, under two and more organisations', async () => {
  const { results } = await catalogue.packageSearch(anyone, { sort: 'name asc' });
  expect(results.map(({ name, open_level }) => [name, open_level])).toEqual([
    ['bus-stops', 'unconditional'],
    ['food-inspections', 'conditional'],
    ['licence-statistics', 'unconditional'],
    ['question-times', 'unconditional'],
    ['underground-pipelines', 'not_open'],
  ]);
  expect(new Set(results.map(({ owner_org }) => owner_org)).size).toBe(4);
  await expect(catalogue.packageShow(anyone, { id: 'bus-network-plan' })).rejects.toMatchObject({
    code: 'catalogue.dataset_not_found',
  });
});

test('the open table has more than 300 rows with texts, numbers and days', async () => {
  const { total, fields } = await rowsOf('bus-stops');
  expect(total).toBe(336);
  expect(new Set(fields.map(({ type }) => type))).toEqual(
    new Set(['int', 'text', 'numeric', 'date']),
  );
});

test('putting it in again changes no id', async () => {
  const before = await catalogue.packageShow(anyone, { id: 'bus-stops' });
  await installSample(catalogue);
  const after = await catalogue.packageShow(anyone, { id: 'bus-stops' });
  expect(after.resources.map(({ id }) => id)).toEqual(before.resources.map(({ id }) => id));
});

test('in the aggregate totals add up, and no hidden cell follows from what is told', async () => {
  const { records } = await rowsOf('licence-statistics');
  const months = [...new Set(records.map(({ month }) => month))];
  expect(months).toHaveLength(6);
  for (const month of months) {
    const cells = records.filter((record) => record.month === month);
    const hidden = cells.filter(({ count }) => count === null);
    expect(hidden.length).toBeGreaterThanOrEqual(4);
    for (const { count } of cells) expect(count === null || Number(count) >= 10).toBe(true);
    const lines = [...totals(cells, 'licence_type'), ...totals(cells, 'district')];
    for (const { parts, total } of lines) {
      const told = parts.filter(({ count }) => count !== null);
      const sum = told.reduce((add, { count }) => add + Number(count), 0);
      const isWhole = told.length === parts.length;
      expect(isWhole ? sum === total : sum < Number(total)).toBe(true);
    }
    const equations = lines.map(({ parts }) =>
      hidden.map((cell) => (parts.includes(cell) ? 1 : 0)),
    );
    for (const [at] of hidden.entries()) {
      expect([month, isDetermined(equations, at)]).toEqual([month, false]);
    }
  }
});

type Cells = Awaited<ReturnType<typeof rowsOf>>['records'];

/** Each line along one axis: its parts and its published total. */
function totals(cells: Cells, along: 'licence_type' | 'district') {
  const across = along === 'licence_type' ? 'district' : 'licence_type';
  return [...new Set(cells.map((cell) => cell[along]))].map((line) => {
    const inLine = cells.filter((cell) => cell[along] === line);
    return {
      parts: inLine.filter((cell) => cell[across] !== '合计'),
      total: inLine.find((cell) => cell[across] === '合计')?.count,
    };
  });
}

/** Does the unit vector of an unknown lie in the row space of the equations? */
function isDetermined(equations: number[][], unknown: number): boolean {
  const unit = (equations[0] ?? []).map((_, at) => (at === unknown ? 1 : 0));
  return rank([...equations, unit]) === rank(equations);
}

function rank(matrix: number[][]): number {
  const rows = matrix.map((row) => [...row]);
  let found = 0;
  for (let column = 0; column < (rows[0]?.length ?? 0); column++) {
    const pivot = rows.findIndex((row, at) => at >= found && Math.abs(row[column] ?? 0) > 1e-9);
    const chosen = rows[pivot];
    if (chosen === undefined) continue;
    rows.splice(pivot, 1);
    rows.splice(found, 0, chosen);
    for (const row of rows.slice(found + 1)) {
      const factor = (row[column] ?? 0) / (chosen[column] ?? 1);
      for (const [at, value] of chosen.entries()) row[at] = (row[at] ?? 0) - factor * value;
    }
    found++;
  }
  return found;
}
