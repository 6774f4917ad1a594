// Vigilance over a real log, with a clock of the tests' own: who looks at whom, and when, is made up.
import type { AccessEntry, Actor } from '../../../identity/index.ts';
import { anonymousActor } from '../../../identity/index.ts';
import { createVigilance, type Vigilance } from '../../../oversight/index.ts';
import {
  createLogger,
  createMetrics,
  fixedClock,
  type OutboxEvent,
  type OutboxHandler,
  systemIds,
  systemScope,
} from '../../../platform/index.ts';
import type { TestDatabase } from '../../support/database.ts';
import { citizenId, HOUSING, makeAudit, makeIdentity } from '../identity/house.ts';

/** A Wednesday morning in the city: 10:00 in Asia/Shanghai. */
export const WORK_TIME = '2026-03-04T02:00:00.000Z';

export function makeWatchedHouse(
  { database, logDatabase }: TestDatabase,
  options: { seconds?: number } = {},
) {
  const clock = fixedClock(WORK_TIME);
  const audit = makeAudit(database, logDatabase, { clock });
  const identity = makeIdentity(database, { audit, clock });
  const logLines: string[] = [];
  const logger = createLogger({
    level: 'info',
    destination: { write: (line) => logLines.push(line) },
  });
  const handlers = new Map<string, OutboxHandler>();
  const households = new Map<string, string>();
  const open = (): Vigilance =>
    createVigilance(
      {
        database,
        ids: systemIds,
        logger,
        metrics: createMetrics(),
        outbox: { on: (topic, _subscriber, handler) => void handlers.set(topic, handler) },
        audit,
        identity,
        householdOf: async (_tx, personId) => households.get(personId) ?? null,
        cityTz: 'Asia/Shanghai',
      },
      options,
    );
  const vigilance = open();
  let people = 0;

  return {
    audit,
    identity,
    vigilance,
    clock,
    logLines,
    households,
    /** Another process of the same house. */
    open,
    /** An event of another room, as the outbox delivers it. */
    tell: async (topic: string, event: OutboxEvent) => handlers.get(topic)?.(event),

    async aPerson(name = '陈一', birthDay?: string) {
      people += 1;
      const day = birthDay ?? `19${50 + (people % 50)}0${1 + (Math.floor(people / 900) % 9)}11`;
      const value = citizenId(day, 1 + (people % 900));
      const identifier = { scheme: 'cn-id' as const, value };
      const personId = await identity.ensurePerson(database.db, identifier, name);
      return { identifier, personId };
    },

    /** Looks at these people, one after the other, in one transaction; their indexes. */
    async look(
      subjects: readonly (string | undefined)[],
      actor: Actor = officer(),
      entry: Partial<AccessEntry> = {},
    ): Promise<number[]> {
      const staged = await database.transaction((tx) =>
        identity.recordAccessMany(
          tx,
          actor,
          subjects.map((subject) => ({
            type: 'verification.asked',
            outcome: 'ok' as const,
            service: 'VS-MARITAL',
            purpose: 'public rental housing',
            caseId: `GZF-${systemIds.uuid()}`,
            ...(subject !== undefined && { subject }),
            ...entry,
          })),
        ),
      );
      return audit.sequenced(staged.map(({ stageId }) => stageId));
    },

    /** Alarms as an auditor reads them, without what differs from run to run. */
    async alarms(rule?: string) {
      const { items } = await vigilance.listAlerts(auditor(1), { rule, limit: 200 });
      return items;
    },

    start: async () => {
      await database.transaction((tx) => identity.putOrganisation(tx, HOUSING));
      await audit.startSequencer();
      await vigilance.publishShipped();
    },

    rows: <Row extends object>(run: Parameters<typeof database.transaction<Row[]>>[0]) =>
      database.as(systemScope).transaction(run),
  };
}

export const officer = (number = 1, department = 'housing'): Actor => ({
  ...anonymousActor('request-desk'),
  kind: 'officer',
  organisationId: department,
  officerId: `019a0000-0000-7000-8000-0000000001${String(number).padStart(2, '0')}`,
  officerKey: `${department}-desk-${number}`,
  roles: ['desk'],
});

export const auditor = (number: number): Actor => ({
  ...anonymousActor('request-audit'),
  kind: 'client',
  organisationId: 'audit',
  clientId: 'audit',
  scopes: ['audit:read'],
  onBehalfOf: `audit-auditor-${number}`,
});
