// Partitions a test can fill: the first one of an empty log is cut at the given indexes, as the owner.
import type postgres from 'postgres';

export async function splitFirstPartition(owner: postgres.Sql, cuts: number[]): Promise<void> {
  const bounds = [0, ...cuts, 4_194_304];
  for (const parent of ['entries', 'lookups']) {
    await owner.unsafe(`
      alter table audit.${parent} detach partition audit.${parent}_0;
      drop table audit.${parent}_0;`);
    for (const [at, from] of bounds.slice(0, -1).entries()) {
      const name = at === cuts.length ? `${parent}_0` : `${parent}_cut_${at}`;
      await owner.unsafe(`
        create table audit.${name} (like audit.${parent} including all);
        alter table audit.${parent} attach partition audit.${name}
          for values from (${from}) to (${bounds[at + 1]});`);
    }
  }
}
