// Reads of licences for the issuer and the holder, each look logged (contract sections 4.1 and 7).
import { type Actor, hasScope, type PersonalAct, rowScopeOf } from '../identity/index.ts';
import { dbNow, openRows, type Tx } from '../platform/index.ts';
import type { RegistryDeps } from './deps.ts';
import type { Documents } from './documents.ts';
import { licenceErased, purposeRequired, registryErrors } from './errors.ts';
import { listEvents } from './event-store.ts';
import type { LicenceStatus } from './licence.ts';
import { parseLicenceNumber } from './licence-number.ts';
import type { Opening, WholeLicence } from './opening.ts';
import { markSessionRead } from './public-store.ts';
import type { Refusals } from './refusals.ts';
import { scopeOfLicences } from './row-scope.ts';
import { findByHolder, findLicence, type LicenceRow, numbersOf } from './store.ts';
import { verificationUrl } from './verification-code.ts';

/** One of the holder's own licences. */
export interface OwnLicence extends Omit<WholeLicence, 'holder' | 'etag'> {
  verificationCode: string;
  /** What the QR code on its face points to. */
  verificationUrl: string;
}

/** Something that happened in a licence's life. */
export interface HistoryItem {
  number: string;
  version: number;
  at: string;
  act: string;
  status: LicenceStatus;
  organisation: string | null;
  legalBasis: string | null;
  reason: string | null;
  related: string | null;
}

type Reader = 'issuer' | 'holder' | 'agent';

/** Binds the reads. */
export function createReads(
  deps: RegistryDeps,
  { refusals, opening, documents }: { refusals: Refusals; opening: Opening; documents: Documents },
) {
  const { database, audit, identity, publicUrl } = deps;
  const { openWholes, openCredential, openCodes, openReasons } = opening;

  /**
   * Only the issuing department, the holder and her agent pass (`subjectId`: for whom a citizen asks);
   * to anyone else every licence looks alike.
   */
  async function admit(
    tx: Tx,
    actor: Actor,
    number: string,
    subjectId: string | null,
  ): Promise<{ row: LicenceRow; reader: Reader }> {
    const isDepartment = actor.organisationId !== null;
    const isNumber = parseLicenceNumber(number) !== undefined;
    const row = isNumber ? await findLicence(tx, number) : undefined;
    if (row && subjectId === row.holderId) return { row, reader: readerOf(actor) };
    const mayRead = hasScope(actor, 'licences:read') || hasScope(actor, 'licences:issue');
    if (row && isDepartment && mayRead && actor.organisationId === row.issuerId) {
      return { row, reader: 'issuer' };
    }
    // That a number exists is no secret to a department, and one to a stranger.
    const isNone = !isNumber || (isDepartment && !row && !(await exists(tx, number)));
    if (isNone && actor.kind !== 'anonymous') {
      throw registryErrors.licence_not_found('There is no licence of this number.');
    }
    throw purposeRequired();
  }

  /** Is there such a licence, whoever's it is? */
  async function exists(tx: Tx, number: string): Promise<boolean> {
    await openRows(tx, scopeOfLicences(number));
    return (await findLicence(tx, number)) !== undefined;
  }

  /** Stages the entry of a look; the holder's own looks leave one per session, her agent's one each. */
  async function logLook(
    tx: Tx,
    actor: Actor,
    look: { holderId: string; number?: string; reader: Reader },
  ): Promise<string[]> {
    const { holderId, number, reader } = look;
    if (reader === 'holder' && actor.sessionId !== undefined) {
      if (!(await markSessionRead(tx, actor.sessionId, await dbNow(tx)))) return [];
      const { stageId } = await identity.recordAccess(tx, actor, {
        type: 'licence.own_read',
        outcome: 'ok',
        subject: holderId,
        role: 'holder',
        answerKind: 'document',
      });
      return [stageId];
    }
    const { stageId } = await identity.recordAccess(tx, actor, {
      type: 'licence.read',
      outcome: 'ok',
      subject: holderId,
      ...(reader === 'holder' ? { role: 'holder' } : {}),
      ...(number === undefined ? {} : { licence: number }),
      answerKind: 'document',
    });
    return [stageId];
  }

  /** Admits, logs, reads; what was read leaves when its entry has its place in the log. */
  async function look<Result>(
    actor: Actor,
    act: PersonalAct,
    number: string,
    read: (tx: Tx, row: LicenceRow, reader: Reader) => Promise<Result>,
  ): Promise<Result> {
    const attempt = async () => {
      const row = parseLicenceNumber(number)
        ? await database.as(scopeOfLicences(number)).transaction((tx) => findLicence(tx, number))
        : undefined;
      return {
        type: 'licence.read',
        answerKind: 'document',
        ...(row ? { subject: row.holderId, licence: number } : {}),
      };
    };
    const subjectId = await identity.subjectOf(actor, act);
    const { result, stageIds } = await refusals.logged(actor, attempt, () =>
      database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const { row, reader } = await admit(tx, actor, number, subjectId);
        const logged = await logLook(tx, actor, { holderId: row.holderId, number, reader });
        return { result: await read(tx, row, reader), stageIds: logged };
      }),
    );
    if (stageIds.length > 0) await audit.sequenced(stageIds);
    return result;
  }

  const facesOf = (verificationCode: string) => ({
    verificationCode,
    verificationUrl: verificationUrl(publicUrl, verificationCode),
  });

  return {
    /** The licence, for its issuer, its holder and her agent; anyone else is refused exchange.purpose_required. */
    get: (actor: Actor, number: string): Promise<WholeLicence> =>
      look(actor, 'licence.read', number, async (tx, row) => {
        const [whole] = await openWholes(tx, [row]);
        if (!whole) throw licenceErased();
        return whole;
      }),

    /** The signed credential, for the same. */
    credential: (actor: Actor, number: string): Promise<string> =>
      look(actor, 'licence.credential', number, openCredential),

    /** The sealed document as PDF, for the same; made after the look has its place in the log. */
    document: async (actor: Actor, number: string): Promise<Buffer> => {
      await look(actor, 'licence.document', number, async () => {});
      return documents.obtain(number, null);
    },

    /**
     * What happened to the licence through its versions, oldest first, for the same. An authority
     * that handed it on sees no more of it; the one that took it over sees all before.
     */
    history: (actor: Actor, number: string): Promise<HistoryItem[]> =>
      look(actor, 'licence.history', number, async (tx, row, reader) => {
        // Versions another authority issued are part of the history.
        await openRows(tx, scopeOfLicences(...(await numbersOf(tx, row.lineage))));
        const events = (await listEvents(tx, row.lineage)).filter(
          ({ version, issuerId }) =>
            reader !== 'issuer' || version <= row.version || issuerId === row.issuerId,
        );
        const reasons = await openReasons(tx, row.holderId, events);
        return events.map(({ id, organisationId, reasonSealed: _, issuerId: __, ...event }) => ({
          ...event,
          organisation: organisationId,
          reason: reasons.get(id) ?? null,
        }));
      }),

    /**
     * All licences of the citizen who asks, or of the one she acts for, newest first, with their codes;
     * one log entry a session, or one each time when an agent asks.
     */
    async ownLicences(actor: Actor): Promise<OwnLicence[]> {
      const holderId = await identity.subjectOf(actor, 'licence.list');
      if (holderId === null) throw purposeRequired();
      const { licences, stageIds } = await database
        .as(rowScopeOf(actor))
        .transaction(async (tx) => {
          const rows = await findByHolder(tx, holderId);
          const stageIds = await logLook(tx, actor, { holderId, reader: readerOf(actor) });
          const codes = await openCodes(tx, rows);
          const licences = (await openWholes(tx, rows)).map(({ holder: _, etag: __, ...own }) => ({
            ...own,
            ...facesOf(codes.get(own.number) ?? ''),
          }));
          return { licences, stageIds };
        });
      if (stageIds.length > 0) await audit.sequenced(stageIds);
      return licences;
    },
  };
}

/** As what a citizen reads who was let in: the holder herself, or her agent. */
function readerOf(actor: Actor): Reader {
  return actor.actingFor ? 'agent' : 'holder';
}
