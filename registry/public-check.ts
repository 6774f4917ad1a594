// What anyone may ask with a code from a licence's face: is it genuine, and does what stands on the
// paper agree (contract section 6). Neither may become a way to learn about a person.
import { anonymousActor, foldIdentifier, maskName } from '../identity/index.ts';
import { cityDay, endOfCityDay, type JsonObject } from '../platform/index.ts';
import type { Authorities } from './authorities.ts';
import type { RegistryDeps } from './deps.ts';
import { licenceErased, pointerOf, registryErrors } from './errors.ts';
import { objectOf } from './field-schema.ts';
import type { LicenceStatus } from './licence.ts';
import { comparableFields, foldForComparison, type LicenceType } from './licence-type.ts';
import { maskText } from './masks.ts';
import { countComparison } from './public-store.ts';
import type { Refusals } from './refusals.ts';
import { openBodies } from './sealed-licence.ts';
import { findByCodeKey, type LicenceRow, lookUp } from './store.ts';
import type { TypeBook } from './type-book.ts';
import { foldVerificationCode, verificationCodeKey } from './verification-code.ts';
import { statusOf } from './view.ts';

/** Tries a day and code, from anywhere (contract section 6). */
const COMPARISONS_A_DAY = 5;

/** The status as a verdict: a valid licence is genuine. */
export type LookupResult = 'genuine' | Exclude<LicenceStatus, 'valid'> | 'unknown';

/** The reply of a public look-up. */
export type Lookup =
  | { result: 'unknown'; checkedAt: string }
  | {
      result: Exclude<LookupResult, 'unknown'>;
      type: string;
      typeName: { zh: string; en: string };
      issuer: string;
      issuerName: { zh: string; en: string };
      holderName: string | null;
      validTo: string | null;
      publicFields: JsonObject;
      checkedAt: string;
    };

/** Who asks, as far as the log needs it. */
export interface PublicCaller {
  requestId: string;
}

/** Binds the public questions. */
export function createPublicCheck(
  deps: RegistryDeps,
  parts: { book: TypeBook; refusals: Refusals; authorities: Authorities },
) {
  const { database, audit, clock, ids, identity, cityTz, keys } = deps;
  const { book, refusals, authorities } = parts;
  const { db } = database;

  function codeKeyOf(typed: string): Buffer | undefined {
    const code = foldVerificationCode(typed);
    return code === undefined ? undefined : verificationCodeKey(keys.lookup, code);
  }

  /** Refuses keys that are no one's to compare, before a try is counted. */
  function checkKeys(type: LicenceType, fields: JsonObject): void {
    const comparable = new Set(['holderName', 'holderId', 'validTo', ...comparableFields(type)]);
    const faults = Object.entries(fields).flatMap(([name, value]) => {
      const pointer = `/fields${pointerOf([name])}`;
      if (!comparable.has(name)) return [{ pointer, detail: 'can not be compared' }];
      const isNoEnd = name === 'validTo' && value === null;
      if (typeof value === 'string' && value.trim() !== '') return [];
      return isNoEnd ? [] : [{ pointer, detail: 'must be a text that is not empty' }];
    });
    if (faults.length === 0 && Object.keys(fields).length > 0) return;
    throw registryErrors.not_comparable(
      `Give one or more of: ${[...comparable].join(', ')}. Other fields have too few values: they would be guessed.`,
      { fields: faults.length > 0 ? faults : [{ pointer: '/fields', detail: 'is empty' }] },
    );
  }

  /** Counts a try; the first one over the limit is logged as a refusal, the rest only refused. */
  async function spendTry(row: LicenceRow, caller: PublicCaller): Promise<void> {
    const now = new Date(row.readAt);
    const day = cityDay(now, cityTz);
    const tries = await countComparison(db, row.number, day);
    if (tries <= COMPARISONS_A_DAY) return;
    const retryAfterSeconds = Math.ceil(
      (endOfCityDay(day, cityTz).getTime() - now.getTime()) / 1000,
    );
    const refuse = () => {
      throw registryErrors.compare_limit(
        `This code was compared ${COMPARISONS_A_DAY} times today. Try again tomorrow.`,
        { retryAfterSeconds },
      );
    };
    if (tries > COMPARISONS_A_DAY + 1) refuse();
    await refusals.logged(
      anonymousActor(caller.requestId),
      () => ({ type: 'licence.compared', subject: row.holderId, licence: row.number }),
      async () => refuse(),
    );
  }

  return {
    /**
     * What anyone may know of the licence with this code: masked name, public fields, how it stands. A
     * code nobody has is unknown, not an error. Looks are counted and logged by the hour. 1,330/s
     * with 16 at once on 2 cores shared with PostgreSQL; counting writes a row.
     */
    async lookup(typed: string): Promise<Lookup> {
      const codeKey = codeKeyOf(typed);
      const row = codeKey && (await lookUp(db, codeKey));
      if (!row) return { result: 'unknown', checkedAt: clock.now().toISOString() };
      const [type, [body], issuer] = await Promise.all([
        book.getVersion(db, row.typeId, row.typeVersion),
        openBodies(db, identity, [row]),
        authorities.get(row.issuerId),
      ]);
      const status = statusOf(row, cityTz);
      return {
        result: status === 'valid' ? 'genuine' : status,
        type: type.id,
        typeName: { zh: type.nameZh, en: type.nameEn },
        issuer: issuer.id,
        issuerName: { zh: issuer.nameZh, en: issuer.nameEn },
        holderName: body ? maskHolder(type, body.holderName) : null,
        validTo: row.validTo,
        publicFields: body ? publicFields(type, body.fields) : {},
        checkedAt: new Date(row.readAt).toISOString(),
      };
    },

    /**
     * Do these values agree with the licence? Five tries a day and code, each logged and shown to the
     * holder before the answer leaves. Fields of few values are refused and cost no try.
     */
    async compare(
      typed: string,
      fields: JsonObject,
      caller: PublicCaller = { requestId: ids.uuid() },
    ): Promise<{ fields: Record<string, boolean> }> {
      const codeKey = codeKeyOf(typed);
      const row = codeKey && (await findByCodeKey(db, codeKey));
      if (!row) throw registryErrors.licence_not_found('No licence has this code.');
      const type = await book.getVersion(db, row.typeId, row.typeVersion);
      checkKeys(type, fields);
      await spendTry(row, caller);
      const { answer, stageId } = await database.transaction(async (tx) => {
        const [body] = await openBodies(tx, identity, [row]);
        if (!body) throw licenceErased();
        const { value } = await identity.revealPerson(tx, row.holderId);
        const { stageId } = await identity.recordAccess(tx, anonymousActor(caller.requestId), {
          type: 'licence.compared',
          outcome: 'ok',
          subject: row.holderId,
          licence: row.number,
          question: Object.keys(fields).join(', '),
          answerKind: 'match',
        });
        const agrees = ([name, asked]: [string, unknown]): [string, boolean] => {
          if (name === 'validTo') return [name, asked === row.validTo];
          const text = typeof asked === 'string' ? asked : '';
          if (name === 'holderId') return [name, foldIdentifier(text) === value];
          const ours = name === 'holderName' ? body.holderName : body.fields[name];
          return [
            name,
            typeof ours === 'string' && foldForComparison(ours) === foldForComparison(text),
          ];
        };
        return { answer: Object.fromEntries(Object.entries(fields).map(agrees)), stageId };
      });
      await audit.sequenced([stageId]);
      return { fields: answer };
    },
  };
}

/** A person's name masked; a company's name is public. */
function maskHolder(type: LicenceType, name: string): string {
  return type.holderKind === 'person' ? maskName(name) : name;
}

/** The fields the type shows to anyone, under their masks. */
function publicFields(type: LicenceType, fields: JsonObject): JsonObject {
  const properties = objectOf(type.schema.properties);
  return Object.fromEntries(
    type.publicFields.flatMap((name) => {
      const value = fields[name];
      if (value === undefined) return [];
      const { mask } = objectOf(properties[name]);
      return [
        [
          name,
          typeof mask === 'string' && typeof value === 'string' ? maskText(mask, value) : value,
        ],
      ];
    }),
  );
}
