// Misuse in the sample city, made up for auditors to find: real acts of real officers' accounts, at times
// of the past day. Only for a house with the sample city.
import type { Services } from '../../api/index.ts';
import type { Actor, PersonIdentifier } from '../../identity/index.ts';
import { AppError, cityDay, startOfCityDay, systemScope } from '../../platform/index.ts';
import { sampleOfficers } from './access.ts';
import type { World } from './world.ts';

const HOUR_MS = 3_600_000;

export interface MisuseDeps {
  services: Services;
  world: World;
  /** Of whom some hold a marriage certificate. */
  residents: readonly PersonIdentifier[];
  /** Moves the clock of the services. */
  moveTo(time: Date): void;
}

/**
 * Looks at 40 certificates without a case, asks 20 questions in the night, one about the officer herself and
 * one about somebody on the watch list. The residents must have got their licences.
 */
export async function misuse({ services, world, residents, moveTo }: MisuseDeps): Promise<void> {
  const { identity, registry, exchange, vigilance, database, config, ids } = services;
  const now = services.clock.now();
  const today = startOfCityDay(cityDay(now, config.cityTz), config.cityTz);
  const people = residents.filter(({ scheme }) => scheme === 'cn-id');
  const auditor = await actorOf('audit-auditor-1');
  const [self, listed, ...others] = people.slice(100);
  if (!self || !listed) throw new TypeError('The city has more people than that.');
  const reason = 'sample misuse';
  // Run twice, the marks stand already.
  const tolerated = (error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'oversight.mark_stands') throw error;
  };
  await vigilance
    .addMark(auditor, { kind: 'listed', subject: idOf(listed), reason })
    .catch(tolerated);
  await vigilance
    .addMark(auditor, {
      kind: 'officer',
      subject: idOf(self),
      reason,
      department: 'housing',
      officer: 'housing-desk-1',
    })
    .catch(tolerated);

  // In the night past.
  const night = new Date(today.getTime() + 2.5 * HOUR_MS);
  const nightOwl = await actorOf('housing-desk-2');
  moveTo(night <= now ? night : new Date(night.getTime() - 24 * HOUR_MS));
  for (const person of others.slice(0, 20)) await ask(nightOwl, person);
  moveTo(now);

  const snoop = await actorOf('civil-issuer-1');
  let read = 0;
  for (const person of people) {
    if (read === 40) break;
    const personId = await identity.findPerson(database.db, idOf(person));
    const [certificate] = personId
      ? await database
          .as(systemScope)
          .transaction((tx) => registry.licencesOf(tx, personId, ['LT-MARRIAGE']))
      : [];
    if (!certificate) continue;
    await registry.get(snoop, certificate.number);
    read += 1;
  }
  const clerk = await actorOf('housing-desk-1');
  await ask(clerk, self);
  await ask(clerk, listed);
  for (const actor of [auditor, nightOwl, snoop, clerk]) await identity.signOut(actor);

  async function ask(actor: Actor, person: PersonIdentifier): Promise<void> {
    await exchange.ask(
      actor,
      {
        service: 'VS-MARITAL',
        subject: idOf(person),
        params: { declared: 'married' },
        legalBasis: 'LB-MCA266',
        purpose: '公共租赁住房资格审核',
        caseId: `M-${ids.uuid()}`,
      },
      { waitSeconds: 5 },
    );
  }

  async function actorOf(key: string): Promise<Actor> {
    const officer = sampleOfficers(world, services.sampleKey()).find((one) => one.key === key);
    if (!officer) throw new TypeError(`There is no ${key} in the sample city.`);
    const { username, password } = officer;
    const place = { requestId: ids.uuid(), address: 'sample-misuse', device: ids.uuid() };
    const opened = await identity.signIn({ username, password }, place);
    return opened.actor;
  }
}

const idOf = ({ scheme, value }: PersonIdentifier) => ({ scheme, value });
