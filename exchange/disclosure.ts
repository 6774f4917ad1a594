// Minimal disclosure: of all a rule or a desk may say, what one agreement lets through. Pure.
import type { JsonObject } from '../platform/index.ts';
import type { ObjectSchema } from './schema-check.ts';

/** The three lists an answer is cut by. */
export interface DisclosureTerms {
  answerSchema: ObjectSchema;
  /** The service's minimal-disclosure fields. */
  minimalFields: readonly string[];
  /** The fields the agreement grants. */
  agreementFields: readonly string[];
}

/** The fields that may leave: answer schema ∩ minimal disclosure ∩ agreement, in the schema's order. */
export function disclosedFields(terms: DisclosureTerms): string[] {
  return Object.keys(terms.answerSchema.properties).filter(
    (name) => terms.minimalFields.includes(name) && terms.agreementFields.includes(name),
  );
}

/** The answer cut to the disclosed fields; a field the answer hasn't got is left out. */
export function disclose(answer: JsonObject, terms: DisclosureTerms): JsonObject {
  const kept = disclosedFields(terms).filter((name) => Object.hasOwn(answer, name));
  return Object.fromEntries(kept.map((name) => [name, answer[name]]));
}
