// `npm run bench`: what the log does by itself. A filled stage beside rows inserted in batches, callers'
// own transactions beside rows inserted one by one, and both again as the log grows.
import { setTimeout as wait } from 'node:timers/promises';
import { type LoadFigures, medianRun, runLoad } from './load.ts';
import { machine } from './own-house.ts';
import { anEntry, fillStage, type OwnLog, withOwnLog } from './own-log.ts';

const callers = 128;
const seconds = 6;
const rounds = 3;
const filled = 40_000;
// As many as the sequencer takes in one transaction.
const batch = 2048;

/** Measures and prints. `upTo`: how far the log is filled to see what an entry costs then. */
export async function printLogLoad(upTo: number): Promise<void> {
  await withOwnLog(async (log) => {
    await log.owner`create schema bench`;
    await log.owner`create table bench.rows (id bigserial primary key, body bytea not null)`;
    await printEndToEnd(log);
    await printFilledStage(log);
    await printGrowth(log, upTo);
  });
}

async function printEndToEnd(log: OwnLog): Promise<void> {
  const runs: Record<string, LoadFigures[]> = {};
  const measured = async (what: string, run: () => Promise<LoadFigures>) => {
    runs[what] = [...(runs[what] ?? []), await run()];
  };
  await appendBy(log, callers, 2); // warms up
  for (let round = 1; round <= rounds; round += 1) {
    console.log(`log: callers' own transactions, round ${round} of ${rounds}`);
    await measured('one row inserted and committed', () => insertRows(log, callers, seconds / 2));
    await measured('one entry appended, committed, sequenced', () =>
      appendBy(log, callers, seconds),
    );
  }
  console.log(`\n${callers} callers, median of ${rounds} runs of ${seconds} s, ${machine()}`);
  console.table(
    Object.entries(runs).map(([what, figures]) => {
      const { perSecond, p50Ms, p95Ms, p99Ms, failures } = medianRun(figures);
      return {
        what,
        'per s': Math.round(perSecond),
        ...rounded({ p50Ms, p95Ms, p99Ms }),
        failures,
      };
    }),
  );
}

async function printFilledStage(log: OwnLog): Promise<void> {
  const rows: number[] = [];
  const entries: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    console.log(`log: a filled stage, round ${round} of ${rounds}`);
    rows.push(await insertBatches(log));
    entries.push(await drain(log, filled));
  }
  console.log(`\n${filled} at a time, ${batch} to a transaction, median of ${rounds}`);
  console.table([
    { what: 'rows of the same bytes inserted', 'per s': Math.round(median(rows)) },
    { what: 'entries sequenced from a filled stage', 'per s': Math.round(median(entries)) },
  ]);
}

/** What an entry costs when the log has 10^5 of them, and ten times as many, and so on. */
async function printGrowth(log: OwnLog, upTo: number): Promise<void> {
  const table = [];
  for (let size = 100_000; size <= upTo; size *= 10) {
    for (let have = await sizeOf(log); have < size; have = await sizeOf(log)) {
      await drain(log, Math.min(size - have, 100_000));
      console.log(`log: filled up to ${await sizeOf(log)} of ${size}`);
    }
    await log.owner`vacuum analyze`;
    const rates: number[] = [];
    const runs: LoadFigures[] = [];
    const rows: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      rows.push((await insertRows(log, callers, seconds / 2)).perSecond);
      rates.push(await drain(log, filled / 2));
      runs.push(await appendBy(log, callers, seconds / 2));
    }
    const { perSecond, p99Ms } = medianRun(runs);
    table.push({
      entries: size,
      'sequenced per s': Math.round(median(rates)),
      'µs each': Math.round(1e6 / median(rates)),
      'end to end per s': Math.round(perSecond),
      ...rounded({ p99Ms }),
      'one-row inserts per s': Math.round(median(rows)),
    });
  }
  console.log('\nAs the log grows');
  console.table(table);
}

async function appendBy({ openAudit, database }: OwnLog, by: number, forSeconds: number) {
  const audit = openAudit();
  await audit.startSequencer();
  let serial = 0;
  const figures = await runLoad(by, forSeconds, async () => {
    serial += 1;
    const draft = anEntry(serial);
    const { stageId } = await database.transaction((tx) => audit.append(tx, draft));
    await audit.sequenced([stageId]);
  });
  await audit.stop();
  return figures;
}

async function sizeOf({ openAudit }: OwnLog): Promise<number> {
  return (await openAudit().head()).size;
}

function insertRows({ owner }: OwnLog, by: number, forSeconds: number) {
  const body = Buffer.alloc(700, 1);
  return runLoad(by, forSeconds, async () => {
    await owner`insert into bench.rows (body) values (${body})`;
  });
}

/** Rows per second. */
async function insertBatches({ owner }: OwnLog): Promise<number> {
  const begun = performance.now();
  for (let at = 0; at < filled; at += batch) {
    await owner`
      insert into bench.rows (body)
      select convert_to(repeat('x', 700), 'UTF8') from generate_series(1, ${batch}::int)`;
  }
  return filled / ((performance.now() - begun) / 1000);
}

/** Fills the stage while nobody sequences, and has it sequenced; entries per second. */
async function drain({ openAudit, owner }: OwnLog, count: number): Promise<number> {
  const audit = openAudit();
  await fillStage(owner, count);
  const { size } = await audit.head();
  const begun = performance.now();
  await audit.startSequencer();
  while ((await audit.head()).size < size + count) await wait(10);
  const perSecond = count / ((performance.now() - begun) / 1000);
  await audit.stop();
  return perSecond;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function rounded(milliseconds: Record<string, number>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(milliseconds).map(([name, value]) => [
      name.replace('Ms', ' ms'),
      Number(value.toFixed(1)),
    ]),
  );
}
