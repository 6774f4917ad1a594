// Reads of licences: for the issuer and the holder, each look logged; and for the exchange, which logs
// what it does with them itself.
import { type Actor, hasScope } from '../identity/index.ts';
import { dbNow, type JsonObject, type Tx } from '../platform/index.ts';
import type { RegistryDeps } from './deps.ts';
import { purposeRequired, registryErrors } from './errors.ts';
import type { LicenceStatus } from './licence.ts';
import { parseLicenceNumber } from './licence-number.ts';
import { markSessionRead } from './public-store.ts';
import type { Refusals } from './refusals.ts';
import { openBodies, openText, sealContexts } from './sealed-licence.ts';
import {
  findByHolder,
  findByMention,
  findLicence,
  getCredentialSealed,
  type LicenceRow,
  listEvents,
} from './store.ts';
import { verificationUrl } from './verification-code.ts';
import { etagOf, type LicenceView, viewOf } from './view.ts';

/** A licence as its issuer and its holder read it: references turned back into citizen IDs. */
export interface WholeLicence {
  number: string;
  type: string;
  typeVersion: number;
  version: number;
  status: LicenceStatus;
  issuer: string;
  holder: { scheme: string; value: string; name: string };
  validFrom: string;
  validTo: string | null;
  issuedAt: string;
  changedAt: string;
  statusListIndex: number;
  supersedes?: string;
  supersededBy?: string;
  fields: JsonObject;
  etag: string;
}

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

/** What the exchange reads for a department that may. */
export interface LicenceForReading extends LicenceView {
  holderId: string;
  holderName: string;
  credential: string;
}

/** A licence that names someone besides its holder. */
export interface NamingLicence extends LicenceView {
  holderId: string;
}

type Reader = 'issuer' | 'holder';

/** Binds the reads. */
export function createReads(deps: RegistryDeps, { refusals }: { refusals: Refusals }) {
  const { database, audit, identity, publicUrl, cityTz } = deps;
  const { db } = database;

  /** Only the issuing department and the holder pass; to anyone else every licence looks alike. */
  async function admit(
    tx: Tx,
    actor: Actor,
    number: string,
  ): Promise<{ row: LicenceRow; reader: Reader }> {
    const isDepartment = actor.organisationId !== null;
    const row = parseLicenceNumber(number) ? await findLicence(tx, number) : undefined;
    if (row && actor.kind === 'citizen' && actor.personId === row.holderId) {
      return { row, reader: 'holder' };
    }
    const mayRead = hasScope(actor, 'licences:read') || hasScope(actor, 'licences:issue');
    if (row && isDepartment && mayRead && actor.organisationId === row.issuerId) {
      return { row, reader: 'issuer' };
    }
    // That a number exists is no secret to a department, and one to a stranger.
    if (!row && (isDepartment || !parseLicenceNumber(number)) && actor.kind !== 'anonymous') {
      throw registryErrors.licence_not_found('There is no licence of this number.');
    }
    throw purposeRequired();
  }

  /** Stages the entry of a look; the holder's own looks leave one per session. */
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
    number: string,
    read: (tx: Tx, row: LicenceRow, reader: Reader) => Promise<Result>,
  ): Promise<Result> {
    const attempt = async () => {
      const row = parseLicenceNumber(number) ? await findLicence(db, number) : undefined;
      return {
        type: 'licence.read',
        answerKind: 'document',
        ...(row ? { subject: row.holderId, licence: number } : {}),
      };
    };
    const { result, stageIds } = await refusals.logged(actor, attempt, () =>
      database.transaction(async (tx) => {
        const { row, reader } = await admit(tx, actor, number);
        const logged = await logLook(tx, actor, { holderId: row.holderId, number, reader });
        return { result: await read(tx, row, reader), stageIds: logged };
      }),
    );
    if (stageIds.length > 0) await audit.sequenced(stageIds);
    return result;
  }

  /** These licences as their holder and issuer read them; those of an erased person are missing. */
  async function openWholes(tx: Tx, rows: readonly LicenceRow[]): Promise<WholeLicence[]> {
    const bodies = await openBodies(tx, identity, rows);
    const people = await identity.revealPeople(
      tx,
      rows.map(({ holderId }) => holderId),
    );
    const whole: WholeLicence[] = [];
    for (const [at, row] of rows.entries()) {
      const body = bodies[at];
      const person = people.get(row.holderId);
      if (!body || !person) continue;
      const { issuerId: issuer, fields, ...view } = viewOf(row, body, cityTz);
      whole.push({
        ...view,
        issuer,
        holder: { scheme: person.scheme, value: person.value, name: body.holderName },
        changedAt: row.changedAt,
        statusListIndex: row.statusListIndex,
        ...(row.supersedes === null ? {} : { supersedes: row.supersedes }),
        ...(row.supersededBy === null ? {} : { supersededBy: row.supersededBy }),
        fields: await identity.resolveReferences(tx, fields),
        etag: etagOf(row),
      });
    }
    return whole;
  }

  async function openCredential(tx: Tx, { number, holderId }: LicenceRow): Promise<string> {
    const sealed = await getCredentialSealed(tx, number);
    const context = sealContexts.credential(number);
    const credential = await openText(tx, identity, holderId, sealed, context);
    if (credential === null) throw erased();
    return credential;
  }

  const facesOf = (verificationCode: string) => ({
    verificationCode,
    verificationUrl: verificationUrl(publicUrl, verificationCode),
  });

  async function openCodes(tx: Tx, rows: readonly LicenceRow[]): Promise<Map<string, string>> {
    const codes = await identity.openMany(
      tx,
      rows.map(({ number, holderId, codeSealed }) => ({
        personId: holderId,
        sealed: codeSealed,
        context: sealContexts.code(number),
      })),
    );
    return new Map(rows.map(({ number }, at) => [number, codes[at]?.toString('utf8') ?? '']));
  }

  async function openReasons(
    tx: Tx,
    personId: string,
    events: readonly { id: string; reasonSealed: Buffer | null }[],
  ): Promise<Map<string, string | undefined>> {
    const given = events.flatMap(({ id, reasonSealed: sealed }) =>
      sealed ? [{ id, sealed }] : [],
    );
    const opened = await identity.openMany(
      tx,
      given.map(({ id, sealed }) => ({ personId, sealed, context: sealContexts.reason(id) })),
    );
    return new Map(given.map(({ id }, at) => [id, opened[at]?.toString('utf8')]));
  }

  async function openViews(tx: Tx, rows: readonly LicenceRow[]): Promise<LicenceView[]> {
    const bodies = await openBodies(tx, identity, rows);
    return rows.flatMap((row, at) => {
      const body = bodies[at];
      return body ? [viewOf(row, body, cityTz)] : [];
    });
  }

  return {
    /** The licence, for its issuer and its holder; anyone else is refused exchange.purpose_required. */
    get: (actor: Actor, number: string): Promise<WholeLicence> =>
      look(actor, number, async (tx, row) => {
        const [whole] = await openWholes(tx, [row]);
        if (!whole) throw erased();
        return whole;
      }),

    /** The signed credential, for the same. */
    credential: (actor: Actor, number: string): Promise<string> =>
      look(actor, number, openCredential),

    /**
     * What happened to the licence through its versions, oldest first, for the same. An authority
     * that handed it on sees no more of it; the one that took it over sees all before.
     */
    history: (actor: Actor, number: string): Promise<HistoryItem[]> =>
      look(actor, number, async (tx, row, reader) => {
        const events = (await listEvents(tx, row.lineage)).filter(
          ({ version, issuerId }) =>
            reader === 'holder' || version <= row.version || issuerId === row.issuerId,
        );
        const reasons = await openReasons(tx, row.holderId, events);
        return events.map(({ id, organisationId, reasonSealed: _, issuerId: __, ...event }) => ({
          ...event,
          organisation: organisationId,
          reason: reasons.get(id) ?? null,
        }));
      }),

    /** All licences of the citizen who asks, newest first, with their codes; one log entry a session. */
    async ownLicences(actor: Actor): Promise<OwnLicence[]> {
      const { personId } = actor;
      if (actor.kind !== 'citizen' || personId === undefined) throw purposeRequired();
      const { licences, stageIds } = await database.transaction(async (tx) => {
        const rows = await findByHolder(tx, personId);
        const stageIds = await logLook(tx, actor, { holderId: personId, reader: 'holder' });
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

    /** A person's licences that this department issued. The caller logs. */
    async searchOwn(
      tx: Tx,
      organisationId: string,
      personId: string,
      types?: readonly string[],
    ): Promise<LicenceView[]> {
      const only = { issuerId: organisationId, typeIds: types };
      return openViews(tx, await findByHolder(tx, personId, only));
    },

    /** A person's licences of these types in every status, newest first, for rules. The caller logs. */
    async licencesOf(tx: Tx, personId: string, typeIds: readonly string[]): Promise<LicenceView[]> {
      return openViews(tx, await findByHolder(tx, personId, { typeIds }));
    },

    /**
     * Licences of these types that name a person besides their holder (a child's birth certificate,
     * a company's licence), in every status, newest first, for rules. The caller logs.
     */
    async licencesNaming(
      tx: Tx,
      personId: string,
      typeIds: readonly string[],
    ): Promise<NamingLicence[]> {
      const rows = await findByMention(tx, personId, typeIds);
      const holders = new Map(rows.map(({ number, holderId }) => [number, holderId]));
      return (await openViews(tx, rows)).map((view) => ({
        ...view,
        holderId: holders.get(view.number) ?? '',
      }));
    },

    /** One licence for a department the exchange lets read it; null when there is none. The caller logs. */
    async getForReading(tx: Tx, number: string): Promise<LicenceForReading | null> {
      const row = parseLicenceNumber(number) ? await findLicence(tx, number) : undefined;
      if (!row) return null;
      const [body] = await openBodies(tx, identity, [row]);
      if (!body) throw erased();
      return {
        ...viewOf(row, body, cityTz),
        holderId: row.holderId,
        holderName: body.holderName,
        credential: await openCredential(tx, row),
      };
    },
  };
}

function erased() {
  return registryErrors.licence_erased('The data of this licence has been erased.');
}
