// Looks recorded by a second process, each in a transaction of its own and waiting until its entry is
// sequenced by the first.
import { attachHouse } from '../cli/house.ts';
import type { Config } from '../platform/index.ts';
import { type LoadFigures, runLoad } from './load.ts';

/** Appends through a second process's rooms to the running instance's log. */
export async function appendLoad(
  config: Config,
  callers: number,
  seconds: number,
): Promise<LoadFigures> {
  const house = await attachHouse(config, console.log);
  const { database, identity, audit, ids } = house.services;
  const actor = {
    kind: 'system',
    requestId: ids.uuid(),
    organisationId: 'govsvc',
    roles: [],
    scopes: [],
  } as const;
  try {
    return await runLoad(callers, seconds, async () => {
      const { stageId } = await database.transaction((tx) =>
        identity.recordAccess(tx, actor, { type: 'bench.appended', outcome: 'ok' }),
      );
      await audit.sequenced([stageId]);
    });
  } finally {
    await house.close();
  }
}
