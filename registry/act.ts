// Acts on a licence: those that change how a version stands, and those that open the next version.
// Each locks the row, asks the act table, writes, and tells the status list, the log and the outbox
// in one transaction.
import { type Actor, type Organisation, requireScope, rowScopeOf } from '../identity/index.ts';
import { type AppError, cityDay, type JsonObject, openRows, type Tx } from '../platform/index.ts';
import type { Authorities } from './authorities.ts';
import type { RegistryDeps } from './deps.ts';
import { licenceErased, parseInput, registryErrors } from './errors.ts';
import { insertEvents } from './event-store.ts';
import { checkCharacters, checkFields, checkText, decidePeriod } from './issue-rules.ts';
import {
  type Act,
  ActInput,
  actsPossible,
  eventOfAct,
  isAct,
  isLive,
  isSuccession,
  type LicenceStatus,
  type StatusAct,
  type Succession,
  statusAfterAct,
  statusListValue,
  statusOn,
} from './licence.ts';
import { hasNextVersion, parseLicenceNumber } from './licence-number.ts';
import { type Draft, type IssuedLicence, type Recorder, successorNumber } from './record.ts';
import type { Refusals } from './refusals.ts';
import { REPRESENTATIVE_FIELD } from './representation.ts';
import { scopeOfLicences } from './row-scope.ts';
import { openBodies, sealContexts } from './sealed-licence.ts';
import { findLicence, type LicenceRow, lockLicence, updateStatuses } from './store.ts';
import type { TypeBook } from './type-book.ts';
import { etagOf } from './view.ts';

/** The reply of an act that only changes the status. */
export interface ChangedLicence {
  number: string;
  status: LicenceStatus;
  changedAt: string;
}

interface Turn {
  actor: Actor;
  act: Act;
  input: ActInput;
  row: LicenceRow;
  status: LicenceStatus;
  now: Date;
}

/** Binds the acts on licences. */
export function createActs(
  deps: RegistryDeps,
  parts: { book: TypeBook; record: Recorder; refusals: Refusals; authorities: Authorities },
) {
  const { database, audit, identity, signing, outbox, ids, cityTz } = deps;
  const { book, record, refusals, authorities } = parts;

  /** Locks the licence and refuses who may not, what is impossible now, and a stale If-Match. */
  async function take(
    tx: Tx,
    actor: Actor,
    number: string,
    act: Act,
    ifMatch: string | undefined,
  ): Promise<Pick<Turn, 'row' | 'status' | 'now'>> {
    const row = await lockLicence(tx, number);
    if (!row) throw await notOurs(tx, number);
    checkAuthority(row, actor);
    if (ifMatch !== undefined && ifMatch !== etagOf(row)) {
      throw registryErrors.changed_meanwhile('The licence has changed since you read it.');
    }
    const now = new Date(row.readAt);
    const status = statusOn(cityDay(now, cityTz), row.status, row.validTo);
    if (!statusAfterAct(status, act)) {
      const possible = actsPossible(status).join(', ') || 'none';
      throw registryErrors.act_not_allowed(
        `This licence is ${status}: ${act} is not possible. Possible acts: ${possible}.`,
      );
    }
    return { row, status, now };
  }

  /** Writes how the version stands after the act: row, key, status list, history, log, outbox. */
  async function settle(tx: Tx, turn: Turn, successor?: string): Promise<{ stageId: string }> {
    const { actor, act, input, row, now } = turn;
    const status = statusAfterAct(turn.status, act);
    if (!status) throw new TypeError('The act table was asked before.');
    const id = ids.uuid();
    const [reasonSealed = null] = await identity.sealMany(tx, [
      {
        personId: row.holderId,
        plaintext: Buffer.from(input.reason),
        context: sealContexts.reason(id),
      },
    ]);
    const { number } = row;
    const change = successor === undefined ? {} : { supersededBy: successor };
    await updateStatuses(tx, [{ number, status, isLive: isLive(status), ...change }], now);
    if (!isLive(status)) {
      // Who speaks for a company does so by its licence: what she gave in its name goes on with the
      // next version unless the act says anything of her, and ends otherwise.
      const namesAnew = input.fields !== undefined && REPRESENTATIVE_FIELD in input.fields;
      const next = namesAnew ? null : (successor ?? null);
      await identity.settleDelegationsUnder(tx, actor, number, next);
    }
    const listed = statusListValue(status);
    if (listed !== null) {
      const reference = { uri: row.statusListUri, idx: row.statusListIndex };
      await signing.setStatus(tx, reference, listed);
    }
    await insertEvents(
      tx,
      [
        {
          number,
          id,
          act,
          status,
          organisationId: row.issuerId,
          legalBasis: input.legalBasis,
          related: successor ?? null,
          reasonSealed,
        },
      ],
      now,
    );
    await outbox.add(tx, {
      topic: eventOfAct(act),
      key: number,
      payload: { number, type: row.typeId, ...(successor === undefined ? {} : { successor }) },
    });
    return identity.recordAccess(tx, actor, {
      type: eventOfAct(act),
      outcome: 'ok',
      subject: row.holderId,
      licence: number,
      legalBasis: input.legalBasis,
    });
  }

  async function changeStatus(
    actor: Actor,
    number: string,
    act: StatusAct,
    input: ActInput,
    ifMatch: string | undefined,
  ): Promise<ChangedLicence> {
    const { changed, stageId } = await database.as(rowScopeOf(actor)).transaction(async (tx) => {
      const turn = { actor, act, input, ...(await take(tx, actor, number, act, ifMatch)) };
      const staged = await settle(tx, turn);
      const status = statusAfterAct(turn.status, act) ?? turn.status;
      return { changed: { number, status, changedAt: turn.now.toISOString() }, ...staged };
    });
    await audit.sequenced([stageId]);
    return changed;
  }

  /** The next version's draft: what the old one said, with what the act changes. */
  async function draftNext(
    tx: Tx,
    turn: Turn & { act: Succession },
    authority: Organisation,
  ): Promise<Draft> {
    const { act, input, row, now } = turn;
    const parts = parseLicenceNumber(row.number);
    if (!parts) throw new TypeError('A licence in the register has a sound number.');
    if (!hasNextVersion(row.version)) {
      throw registryErrors.act_not_allowed(
        'GB/T 36904 has 999 versions of a licence and this is the last: issue a new one.',
      );
    }
    const type = (await book.getCurrent(tx, [row.typeId])).get(row.typeId);
    const [body] = await openBodies(tx, identity, [row]);
    if (!type) throw new TypeError('A type stays published.');
    if (!body) throw licenceErased();
    const { scheme, value } = await identity.revealPerson(tx, row.holderId);
    const fields = merge(await identity.resolveReferences(tx, body.fields), input.fields);
    checkFields(type, fields);
    checkCharacters(body.holderName, fields);
    const today = cityDay(now, cityTz);
    const period =
      act === 'renew'
        ? decidePeriod(type, { validTo: input.validTo }, { scheme, value }, today)
        : input.validTo === undefined
          ? { validFrom: row.validFrom, validTo: row.validTo }
          : decidePeriod(
              type,
              { validFrom: row.validFrom, validTo: input.validTo },
              { scheme, value },
              today,
            );
    const { number, lineage, version } = row;
    return {
      type,
      authority,
      holder: { scheme, value, name: body.holderName },
      holderId: row.holderId,
      fields,
      ...period,
      status: statusOn(today, 'valid', period.validTo) === 'valid' ? 'valid' : 'expired',
      legalBasis: input.legalBasis,
      predecessor: { number, lineage, serial: parts.serial, version },
    };
  }

  async function succeed(
    actor: Actor,
    number: string,
    act: Succession,
    input: ActInput,
    ifMatch: string | undefined,
  ): Promise<IssuedLicence> {
    // Before the transaction: a second connection asked for inside one could wait for ever.
    const authority = await nextAuthority(actor, number, act, input.toAuthority);
    const { licence, stageIds } = await database.as(rowScopeOf(actor)).transaction(async (tx) => {
      const taken = await take(tx, actor, number, act, ifMatch);
      const turn = { actor, act, input, ...taken };
      const draft = await draftNext(tx, turn, authority);
      // The old version ends first: of one lineage the database allows one live version.
      const { stageId } = await settle(tx, turn, successorNumber(draft));
      // Another authority's from its first moment where the act is a transfer.
      await openRows(tx, scopeOfLicences(successorNumber(draft)));
      const recorded = await record(tx, actor, [draft], turn.now);
      return { licence: recorded.licences[0], stageIds: [stageId, ...recorded.stageIds] };
    });
    await audit.sequenced(stageIds);
    if (!licence) throw new TypeError('One draft in, one licence out.');
    return licence;
  }

  /** Who issues the next version: for a transfer another authority, otherwise the same one. */
  async function nextAuthority(
    actor: Actor,
    number: string,
    act: Succession,
    toAuthority: string | undefined,
  ): Promise<Organisation> {
    const row = await database.as(rowScopeOf(actor)).transaction(async (tx) => {
      const own = await findLicence(tx, number);
      if (!own) throw await notOurs(tx, number);
      return own;
    });
    checkAuthority(row, actor);
    if (act !== 'transfer') return authorities.get(row.issuerId);
    const other = (await identity.listOrganisations()).find(
      ({ id, uscc }) => id === toAuthority || uscc === toAuthority,
    );
    if (other && other.id !== row.issuerId && other.roles.includes('issuer')) return other;
    throw registryErrors.unknown_authority(
      'Name another authority that issues licences, by its id or its USCC.',
      { fields: [{ pointer: '/toAuthority', detail: 'is not another issuing authority' }] },
    );
  }

  return {
    /**
     * Does an act of the contract on a licence of the actor's own department. Renew, amend and
     * transfer answer with the next version; the others with the new status. `ifMatch` is an ETag.
     */
    async act(
      actor: Actor,
      number: string,
      act: string,
      written: unknown,
      { ifMatch }: { ifMatch?: string | undefined } = {},
    ): Promise<IssuedLicence | ChangedLicence> {
      requireScope(actor, 'licences:issue');
      if (!isAct(act)) throw registryErrors.input_invalid('There is no such act on a licence.');
      const input = parseInput(ActInput, written);
      checkText(input.reason, '/reason');
      if (!parseLicenceNumber(number)) {
        throw registryErrors.licence_not_found('There is no licence of this number.');
      }
      const attempt = async () => {
        const row = await database
          .as(scopeOfLicences(number))
          .transaction((tx) => findLicence(tx, number));
        const { legalBasis } = input;
        return {
          type: 'licence.act_refused',
          question: act,
          legalBasis,
          ...(row ? { subject: row.holderId, licence: number } : {}),
        };
      };
      return refusals.logged<IssuedLicence | ChangedLicence>(actor, attempt, () =>
        isSuccession(act)
          ? succeed(actor, number, act, input, ifMatch)
          : changeStatus(actor, number, act, input, ifMatch),
      );
    },
  };
}

/** Why a licence is not in the actor's sight: that it exists is no secret to a department. */
async function notOurs(tx: Tx, number: string): Promise<AppError> {
  await openRows(tx, scopeOfLicences(number));
  return (await findLicence(tx, number))
    ? notIssuer()
    : registryErrors.licence_not_found('There is no licence of this number.');
}

function notIssuer(): AppError {
  return registryErrors.not_issuer('Only the authority that issued a licence acts on it.');
}

/** Refuses whoever isn't the authority that issued this version. */
function checkAuthority(row: LicenceRow, actor: Actor): void {
  if (row.issuerId === actor.organisationId) return;
  throw notIssuer();
}

/** JSON Merge Patch (RFC 7396) of the first level: a value replaces, null takes away. */
function merge(old: JsonObject, changes: JsonObject | undefined): JsonObject {
  return Object.fromEntries(
    Object.entries({ ...old, ...changes }).filter(([, value]) => value !== null),
  );
}
