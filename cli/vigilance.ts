// `audit vigilance`: how often the rules raise alarms, and how those ended; `sample misuse`: something for
// them to find.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AppError, findHouseFact, loadConfig, systemClock } from '../platform/index.ts';
import { type Command, readArgs } from './command.ts';
import { attachHouse, type House, withHouse } from './house.ts';
import { PersonFile } from './person-client.ts';
import { misuse } from './sample/misuse.ts';

export const auditVigilanceCommand: Command = {
  name: 'audit vigilance',
  summary: 'Say how often the rules of vigilance raise alarms, and how those ended',
  help: `audit vigilance

Works on a running or a stopped instance. For each rule: alarms, alarms per 1,000 looks judged, how many are
open, and the share of false alarms among those that auditors have closed. Names nobody.`,
  async run(args) {
    readArgs(args, {});
    return withHouse(async (house) => {
      printFigures(await house.services.vigilance.figures());
      return 0;
    });
  },
};

type Figures = Awaited<ReturnType<House['services']['vigilance']['figures']>>;

function printFigures({ looks, rules }: Figures): void {
  console.log(`${looks} looks judged`);
  console.table(
    rules.map(({ rule, raised, open, justified, unjustified, falseAlarms }) => {
      const closed = raised - open;
      return {
        rule,
        alarms: raised,
        'per 1,000 looks': ((raised / Math.max(looks, 1)) * 1000).toFixed(2),
        open,
        justified,
        unjustified,
        'false alarms': falseAlarms,
        'false of closed': closed === 0 ? '-' : `${Math.round((falseAlarms / closed) * 100)} %`,
      };
    }),
  );
}

export const sampleMisuseCommand: Command = {
  name: 'sample misuse',
  summary: 'Let officers of the sample city misuse it, for auditors to find',
  help: `sample misuse

Only on a running house with the sample city. Officers look at 40 certificates without a case, ask 20
questions in the night, one about themselves and one about somebody on the watch list; the alarms are at
/audit/alerts a moment later. For demonstrations: never on a house in use.`,
  async run(args) {
    readArgs(args, {});
    const config = loadConfig();
    let past: Date | undefined;
    const clock = { now: () => past ?? systemClock.now() };
    const house = await attachHouse(config, (line) => console.error(line), clock);
    try {
      const { services, world } = house;
      if ((await findHouseFact(services.database.db, 'sample')) === undefined) {
        throw new AppError(
          'conflict',
          'platform.sample_refused',
          'This house does not hold the sample city; misuse is made up for the sample city alone.',
        );
      }
      const people = await readFile(join(config.dataDir, 'people.json'), 'utf8');
      await misuse({
        services,
        world,
        residents: PersonFile.parse(JSON.parse(people)),
        moveTo: (time) => {
          past = time;
        },
      });
      past = undefined;
      await wait(3_000);
      printFigures(await services.vigilance.figures());
      return 0;
    } finally {
      await house.close();
    }
  },
};
