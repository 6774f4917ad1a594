// A department's right to use licences: its own types are free, others need an agreement over the
// type, decided by the same rule as questions.
import { AppError, cityDay, dbNow, type Tx } from '../platform/index.ts';
import { stateOn } from './agreement.ts';
import { findTypeAgreements } from './agreement-store.ts';
import { decide } from './decision.ts';
import type { ExchangeDeps } from './deps.ts';
import { takeQuota } from './guards-store.ts';
import { refusalOf } from './refusal.ts';

/** A licence type and the department that issues it. */
export interface TypeRef {
  id: string;
  issuer: string;
}

/** The fields a department may see: all of its own types', the agreed ones of another's. */
export type UseRight = 'all' | readonly string[];

export interface UseReason {
  legalBasis: string;
  purpose: string;
}

/** Binds the rights to the rooms below. */
export function createUseRights({ ids, cityTz }: Pick<ExchangeDeps, 'ids' | 'cityTz'>) {
  /** The right to use a type, counted against its quota; throws the refusal when there is none. */
  async function rightTo(
    tx: Tx,
    requester: string,
    type: TypeRef,
    { legalBasis, purpose }: UseReason,
  ): Promise<UseRight> {
    if (type.issuer === requester) return 'all';
    const today = cityDay(await dbNow(tx), cityTz);
    const rows = await findTypeAgreements(tx, requester, [type.id]);
    const decision = decide({
      requester,
      legalBasis,
      purpose,
      isSigned: false,
      wantsDelay: false,
      mayDelay: false,
      today,
      // A type has no legal bases of its own: the agreement's decide.
      service: { code: type.id, legalBases: [legalBasis] },
      isSubjectKindRight: true,
      areParamsValid: true,
      agreements: rows.map((row) => ({
        ...row,
        service: type.id,
        state: stateOn(row.state, row.validTo, today),
      })),
    });
    if (!decision.isAllowed) throw refusalOf(decision.code);
    if (!(await takeQuota(tx, ids, decision.agreement, today))) throw refusalOf('quota');
    return decision.agreement.fields;
  }

  async function agreedTypes(tx: Tx, requester: string): Promise<TypeRef[]> {
    const types = new Map<string, TypeRef>();
    for (const { licenceType, provider } of await findTypeAgreements(tx, requester)) {
      if (licenceType !== null) types.set(licenceType, { id: licenceType, issuer: provider });
    }
    return [...types.values()];
  }

  return {
    rightTo,

    /**
     * Of the wanted types those the caller may use; when it may use none, the first refusal. Without
     * wanted types every type an agreement covers.
     */
    async rightsTo(
      tx: Tx,
      requester: string,
      wanted: readonly TypeRef[] | undefined,
      reason: UseReason,
    ): Promise<Map<string, UseRight>> {
      const rights = new Map<string, UseRight>();
      let refusal: AppError | undefined;
      for (const type of wanted ?? (await agreedTypes(tx, requester))) {
        try {
          rights.set(type.id, await rightTo(tx, requester, type, reason));
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          refusal ??= error;
        }
      }
      if (wanted && rights.size === 0 && refusal) throw refusal;
      return rights;
    },
  };
}
