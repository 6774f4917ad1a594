// What must hold before a licence is issued, as pure checks that throw the refusal (contract 4.1).
import type { Actor } from '../identity/index.ts';
import { containsCitizenId, foldIdentifier, isCitizenId } from '../identity/index.ts';
import type { FieldError, Json, JsonObject } from '../platform/index.ts';
import { missingCharacters } from '../signing/index.ts';
import { identifierInText, pointerOf, registryErrors } from './errors.ts';
import type { Holder } from './licence.ts';
import type { LicenceType } from './licence-type.ts';
import type { PublishedType } from './type-book.ts';
import { decideValidTo } from './validity.ts';

const FIRST_DAY = '1900-01-01';

/** Refuses who is not the type's issuer. The platform itself acts for the issuer (sample, imports). */
export function checkIssuer(actor: Actor, type: LicenceType): void {
  const isPlatform = actor.kind === 'system' && actor.organisationId === null;
  if (isPlatform || actor.organisationId === type.issuer) return;
  throw registryErrors.not_issuer(
    `Only ${type.issuer} issues ${type.id}. Ask through the exchange if you need what it says.`,
  );
}

/** Refuses a text that holds a citizen ID: it would outlive the person's erasure in other hands. */
export function checkText(text: string | undefined, pointer: string): void {
  if (text !== undefined && containsCitizenId(text)) throw identifierInText(pointer);
}

/** Refuses a purpose the type's issue rule leaves to the exchange. */
export function checkPurpose(type: LicenceType, purpose: string | undefined): void {
  if (!type.issueRule) return;
  if (purpose !== undefined && type.issueRule.allowedPurposes.includes(purpose)) return;
  throw registryErrors.use_exchange_instead(
    `${type.id} is issued only for ${type.issueRule.allowedPurposes.join(', ')}. For anything else the asking department checks the fact through the exchange; no paper is needed.`,
    { fields: [{ pointer: '/purpose', detail: 'is not a purpose this type is issued for' }] },
  );
}

/** Refuses a company as the holder of a person's licence, and the reverse. */
export function checkHolderKind(type: LicenceType, holder: Holder): void {
  const scheme = type.holderKind === 'person' ? 'cn-id' : 'uscc';
  if (holder.scheme === scheme) return;
  throw registryErrors.holder_kind(
    `The holder of ${type.id} is named by ${scheme}, not ${holder.scheme}.`,
    { fields: [{ pointer: '/holder/scheme', detail: `must be ${scheme}` }] },
  );
}

/** Refuses fields the type's schema doesn't hold, naming each. */
export function checkFields(type: PublishedType, fields: JsonObject): void {
  const faults = type.checkFields(fields);
  if (faults.length === 0) return;
  throw registryErrors.fields_invalid(`These are not the fields of ${type.id}; see errors.`, {
    fields: faults,
  });
}

/** Refuses a name or field with a character that no document can show: never an empty box. */
export function checkCharacters(name: string, fields: JsonObject): void {
  const faults = [
    ...charactersMissing(name, '/holder/name'),
    ...charactersMissing(fields, '/fields'),
  ];
  if (faults.length === 0) return;
  throw registryErrors.character_missing(
    'A character here is in no typeface that documents are made with; see errors. Use a character of Unicode’s Han, Latin, Greek or Cyrillic blocks.',
    { fields: faults },
  );
}

function charactersMissing(value: Json | undefined, pointer: string): FieldError[] {
  if (typeof value === 'string') {
    const missing = missingCharacters(value).map(
      (character) =>
        `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`,
    );
    if (missing.length === 0) return [];
    return [{ pointer, detail: `can't be shown: ${missing.join(', ')}` }];
  }
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    charactersMissing(inner, pointer + pointerOf([name])),
  );
}

/** The validity asked for, or the refusal of it. `today` is the city's. */
export function decidePeriod(
  type: LicenceType,
  asked: { validFrom?: string | undefined; validTo?: string | null | undefined },
  holder: Pick<Holder, 'scheme' | 'value'>,
  today: string,
): { validFrom: string; validTo: string | null } {
  const validFrom = asked.validFrom ?? today;
  if (validFrom > today || validFrom < FIRST_DAY) {
    throw registryErrors.validity_invalid(`validFrom lies between ${FIRST_DAY} and today.`, {
      fields: [{ pointer: '/validFrom', detail: `must lie between ${FIRST_DAY} and ${today}` }],
    });
  }
  const decision = decideValidTo(type.validity, {
    validFrom,
    validTo: asked.validTo,
    birthDay: holder.scheme === 'cn-id' ? birthDayOf(holder.value) : undefined,
  });
  if ('refusal' in decision) {
    throw registryErrors.validity_invalid(decision.refusal, {
      fields: [{ pointer: '/validTo', detail: decision.refusal }],
    });
  }
  return { validFrom, validTo: decision.validTo };
}

/** The day of birth inside a citizen ID (GB 11643). */
function birthDayOf(value: string): string | undefined {
  const id = foldIdentifier(value);
  if (!isCitizenId(id)) return undefined;
  return `${id.slice(6, 10)}-${id.slice(10, 12)}-${id.slice(12, 14)}`;
}
