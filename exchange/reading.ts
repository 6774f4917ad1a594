// Another department's use of licences (contract section 4.1, read and search). Every look is logged,
// and has its index, before anything leaves; every refusal is logged too.
import { z } from 'zod';
import { type Actor, hasScope, type PersonIdentifier, rowScopeOf } from '../identity/index.ts';
import { AppError, type JsonObject, openRows, type Tx } from '../platform/index.ts';
import {
  claimOf,
  type LicenceForReading,
  type LicenceView,
  parseLicenceNumber,
  registryErrors,
  scopeOfLicences,
  scopeOfSubjects,
} from '../registry/index.ts';
import { withClaims } from './credential-cut.ts';
import type { ExchangeDeps } from './deps.ts';
import { exchangeErrors } from './errors.ts';
import { checkFreeTexts, freeTextFaults } from './free-text.ts';
import { departmentOf } from './request.ts';
import { createUseRights, type TypeRef, type UseRight } from './use-right.ts';
import { faultsOfIssues } from './zod-faults.ts';

const Why = z.strictObject({
  legalBasis: z.string(),
  purpose: z.string(),
  caseId: z.string(),
  officer: z.string().optional(),
});
type Why = z.infer<typeof Why>;

const ReadInput = Why.extend({ as: z.enum(['json', 'credential', 'pdf']) });
const SearchInput = Why.extend({
  holder: z.object({ scheme: z.enum(['cn-id', 'uscc']), value: z.string().max(64) }),
  types: z.array(z.string().max(64)).min(1).max(50).optional(),
});

/** A licence as another department reads it: only the fields its agreement lists. */
export interface ReadLicence {
  number: string;
  type: string;
  status: string;
  issuer: string;
  validFrom: string;
  validTo: string | null;
  issuedAt: string;
  holderName?: string;
  fields: JsonObject;
}

/** A document with these fields, or with all, to be made once the look is logged. */
interface CutDocument {
  cut: string[] | null;
}

/** What is known of a look when it is refused. */
interface Look {
  type: 'licence.read' | 'licence.searched';
  subject?: string;
  licence?: string;
}

/** Binds the reads to the rooms below. */
export function createReading(deps: ExchangeDeps) {
  const { database, identity, registry, audit } = deps;
  const rights = createUseRights(deps);

  /** Runs a look in one transaction, logs it, and lets its result go once it is sequenced. */
  async function looking<Result>(
    actor: Actor,
    why: Why,
    look: Look,
    act: (tx: Tx) => Promise<Result>,
  ): Promise<Result> {
    try {
      checkFreeTexts(why);
      const { result, stageId } = await database.as(rowScopeOf(actor)).transaction(async (tx) => {
        const result = await act(tx);
        const entry = { ...look, ...why, answerKind: 'document' };
        const { stageId } = await identity.recordAccess(tx, actor, { ...entry, outcome: 'ok' });
        return { result, stageId };
      });
      await audit.sequenced([stageId]);
      return result;
    } catch (error) {
      if (error instanceof AppError && isRefusal(error)) {
        const { faults, holdsIdentifier } = freeTextFaults(why);
        const isClean = faults.length + holdsIdentifier.length === 0;
        const entry = { ...look, ...(isClean ? why : {}), answerKind: 'none', code: error.code };
        await database.transaction((tx) =>
          identity.recordAccess(tx, actor, { ...entry, outcome: 'refused' }),
        );
      }
      throw error;
    }
  }

  /** The type a licence number names, which is read off the number alone. */
  async function typeOf(number: string): Promise<TypeRef> {
    const parsed = parseLicenceNumber(number);
    if (!parsed) throw noLicence();
    try {
      return await registry.getType(parsed.type);
    } catch (error) {
      throw error instanceof AppError && error.kind === 'not_found' ? noLicence() : error;
    }
  }

  async function typesNamed(words: readonly string[]): Promise<TypeRef[]> {
    const types = new Map<string, TypeRef>();
    for (const [at, word] of words.entries()) {
      try {
        const type = await registry.getType(word);
        types.set(type.id, type);
      } catch (error) {
        if (!(error instanceof AppError) || error.kind !== 'not_found') throw error;
        throw unusable([{ pointer: `/types/${at}`, detail: 'names no licence type' }]);
      }
    }
    return [...types.values()];
  }

  async function ensureHolder(tx: Tx, { scheme, value }: PersonIdentifier): Promise<string> {
    const [personId] = await identity.ensurePeople(tx, [{ scheme, value }], () => '/holder/value');
    if (personId === undefined) throw new TypeError('One person in, one reference out.');
    return personId;
  }

  async function show(tx: Tx, licence: LicenceView, right: UseRight): Promise<ReadLicence> {
    const { number, type, status, issuerId: issuer, validFrom, validTo, issuedAt } = licence;
    const fields = await identity.resolveReferences(tx, cut(licence.fields, right));
    return { number, type, status, issuer, validFrom, validTo, issuedAt, fields };
  }

  async function present(
    tx: Tx,
    licence: LicenceForReading,
    right: UseRight,
    as: 'json' | 'credential' | 'pdf',
  ): Promise<ReadLicence | string | CutDocument> {
    switch (as) {
      case 'json': {
        const shown = await show(tx, licence, right);
        const isNamed = right === 'all' || right.includes('holder_name');
        return isNamed ? { ...shown, holderName: licence.holderName } : shown;
      }
      case 'credential':
        return right === 'all'
          ? licence.credential
          : withClaims(licence.credential, right.map(claimNameOf));
      case 'pdf':
        return { cut: right === 'all' ? null : [...right] };
    }
  }

  return {
    /**
     * One licence, as JSON, as the credential with the agreed claims, or as a PDF with the agreed fields. Without a right to its type
     * every number is refused alike, whether or not there is such a licence.
     */
    async readLicence(
      actor: Actor,
      number: string,
      written: unknown,
    ): Promise<ReadLicence | string | Buffer> {
      requireReader(actor);
      const requester = departmentOf(actor);
      const { as, ...why } = readInput(ReadInput, written);
      const look: Look = { type: 'licence.read' };
      const result = await looking(actor, why, look, async (tx) => {
        const type = await typeOf(number);
        await openRows(tx, scopeOfLicences(number));
        const licence = await registry.getForReading(tx, number);
        if (licence) Object.assign(look, { subject: licence.holderId, licence: number });
        const right = await rights.rightTo(tx, requester, type, why);
        if (!licence) throw noLicence();
        return present(tx, licence, right, as);
      });
      if (typeof result === 'string' || !('cut' in result)) return result;
      return registry.documentCut(number, result.cut);
    },

    /** A person's or company's licences that the caller may use, of these types if any are named. */
    async searchLicences(actor: Actor, written: unknown): Promise<ReadLicence[]> {
      requireReader(actor);
      const requester = departmentOf(actor);
      const { holder, types, ...why } = readInput(SearchInput, written);
      const wanted = types && (await typesNamed(types));
      const look: Look = { type: 'licence.searched' };
      return looking(actor, why, look, async (tx) => {
        const personId = await ensureHolder(tx, holder);
        look.subject = personId;
        const found: ReadLicence[] = [];
        await openRows(tx, scopeOfSubjects(personId));
        for (const [typeId, right] of await rights.rightsTo(tx, requester, wanted, why)) {
          const held = await registry.licencesOf(tx, personId, [typeId]);
          for (const licence of held) found.push(await show(tx, licence, right));
        }
        if (!wanted) {
          const own = await registry.searchOwn(tx, requester, personId);
          for (const licence of own) found.push(await show(tx, licence, 'all'));
        }
        return found;
      });
    },
  };
}

function cut(fields: JsonObject, right: UseRight): JsonObject {
  if (right === 'all') return fields;
  return Object.fromEntries(Object.entries(fields).filter(([name]) => right.includes(name)));
}

/** What an agreed field is called in the credential. */
function claimNameOf(field: string): string {
  return field === 'holder_name' || field === 'holder_id' ? field : claimOf(field);
}

function readInput<T>(schema: z.ZodType<T>, written: unknown): T {
  const read = schema.safeParse(written);
  if (read.success) return read.data;
  throw unusable(faultsOfIssues(read.error));
}

function unusable(fields: { pointer: string; detail: string }[]): AppError {
  return exchangeErrors.request_invalid('The request has members that are not usable.', { fields });
}

/** A no to someone, unlike a licence or a form that isn't there. */
function isRefusal({ kind }: AppError): boolean {
  return kind === 'forbidden' || kind === 'rate_limited' || kind === 'invalid';
}

function requireReader(actor: Actor): void {
  if (hasScope(actor, 'licences:read')) return;
  throw exchangeErrors.scope('This needs the scope licences:read, or a role that reads licences.');
}

function noLicence(): AppError {
  return registryErrors.licence_not_found('There is no licence of this number.');
}
