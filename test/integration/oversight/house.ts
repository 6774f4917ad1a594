// Oversight over a real log and a real identity: people, looks at them, and those who ask.

import pino from 'pino';
import { type Actor, anonymousActor } from '../../../identity/index.ts';
import { createOversight } from '../../../oversight/index.ts';
import { systemIds } from '../../../platform/index.ts';
import type { TestDatabase } from '../../support/database.ts';
import { citizenId, HOUSING, makeAudit, makeIdentity } from '../identity/house.ts';

export function makeHouse({ database, logDatabase }: TestDatabase) {
  const audit = makeAudit(database, logDatabase);
  const identity = makeIdentity(database, { audit });
  const oversight = createOversight({
    database,
    ids: systemIds,
    logger: pino({ level: 'silent' }),
    audit,
    identity,
    citationOf: (id, lang) => `${lang}:${id}`,
    cityTz: 'Asia/Shanghai',
    ticketDays: { answer: 10, escalate: 5 },
    ownRecords: async () => ({}),
  });
  let people = 0;

  return {
    audit,
    identity,
    oversight,

    /** A person known to the house, with her identifier and the actor she is when signed in. */
    async aPerson() {
      people += 1;
      const identifier = { scheme: 'cn-id' as const, value: citizenId('19811224', people) };
      const personId = await identity.ensurePerson(database.db, identifier);
      const actor: Actor = { ...anonymousActor('r'), kind: 'citizen', personId, sessionId: 's' };
      return { identifier, personId, actor };
    },

    /** A look at somebody, already in the tree; its index. */
    async look(entry: Partial<Parameters<typeof identity.recordAccess>[2]>): Promise<number> {
      const { stageId } = await database.transaction((tx) =>
        identity.recordAccess(tx, desk, {
          type: 'verification.answered',
          outcome: 'ok',
          service: 'VS-MARITAL',
          question: '婚姻登记状况',
          legalBasis: 'LB-716-7',
          purpose: 'public rental housing',
          caseId: 'GZF-1',
          answerKind: 'match',
          verification: systemIds.uuid(),
          ...entry,
        }),
      );
      const [index = -1] = await audit.sequenced([stageId]);
      return index;
    },

    /** The audit office with two officers whom a system can name. */
    anAuditOffice: () =>
      database.transaction(async (tx) => {
        await identity.putOrganisation(tx, AUDIT);
        for (const at of [1, 2]) {
          const key = `audit-auditor-${at}`;
          await identity.putOfficer(tx, {
            key,
            username: key,
            password: 'a-password-of-the-test',
            organisationId: 'audit',
            roles: ['auditor'],
            stretching: 'first-use',
          });
        }
      }),

    start: async () => {
      await database.transaction((tx) => identity.putOrganisation(tx, HOUSING));
      await audit.startSequencer();
    },
  };
}

const AUDIT = {
  ...HOUSING,
  id: 'audit',
  nameZh: '云珠市审计局',
  nameEn: 'Yunzhu Audit Office',
  shortZh: '审计局',
  uscc: '11990100009900144P',
};

export const desk: Actor = {
  ...anonymousActor('request-desk'),
  kind: 'officer',
  organisationId: 'housing',
  officerId: '019a0000-0000-7000-8000-000000000001',
  officerKey: 'housing-desk-1',
  roles: ['desk'],
};

export const auditClient: Actor = {
  ...anonymousActor('request-audit'),
  kind: 'client',
  organisationId: 'audit',
  clientId: 'audit',
  scopes: ['audit:read'],
  onBehalfOf: 'audit-auditor-1',
};

export const auditOfficer: Actor = {
  ...anonymousActor('request-auditor'),
  kind: 'officer',
  organisationId: 'audit',
  officerId: '019a0000-0000-7000-8000-000000000002',
  officerKey: 'audit-auditor-2',
  roles: ['auditor'],
};
