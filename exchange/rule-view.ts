// What a rule sees: the licences of the people a question is about, references as plain ids.
import { type JsonObject, openRows, type Tx } from '../platform/index.ts';
import { type LicenceView, scopeOfSubjects } from '../registry/index.ts';
import { type CompiledRule, toCelObject, toCelValues } from './answer-rule.ts';
import type { ExchangeDeps } from './deps.ts';
import { referencesIn } from './request.ts';
import { LicenceInRule, type RuleVariables } from './rule-language.ts';
import type { Service } from './service-book.ts';

/** A service that answers by rule. */
type RuledService = Service & { rule: CompiledRule };

/** Whom a question is about, and with what. */
export interface RuleQuestion {
  subjectId: string;
  /** Identifiers in it stand as references. */
  params: JsonObject;
  /** The day it is asked on, in the city. */
  today: string;
}

/** The variables of a service's rule. */
export async function viewFor(
  tx: Tx,
  deps: Pick<ExchangeDeps, 'registry' | 'identity'>,
  { definition, rule }: RuledService,
  question: RuleQuestion,
): Promise<RuleVariables> {
  const types = definition.sourceLicenceTypes;
  const named = rule.peopleFrom.flatMap((name) => referencesIn(question.params[name]));
  const people = [...new Set([question.subjectId, ...named])];
  const licences: LicenceInRule[] = [];
  await openRows(tx, scopeOfSubjects(...people));
  if (types.length > 0) {
    for (const holder of people) {
      const held = await deps.registry.licencesOf(tx, holder, types);
      licences.push(...held.map((licence) => toRule(licence, holder, '')));
    }
  }
  const naming = rule.usesNaming ? await namingLicences(tx, deps, question.subjectId, types) : [];
  return {
    params: toCelObject(question.params, definition.paramsSchema),
    licences,
    naming,
    facts: [],
    subject: question.subjectId,
    today: question.today,
  };
}

async function namingLicences(
  tx: Tx,
  { registry, identity }: Pick<ExchangeDeps, 'registry' | 'identity'>,
  subjectId: string,
  types: readonly string[],
): Promise<LicenceInRule[]> {
  const naming = await registry.licencesNaming(tx, subjectId, types);
  const holders = await identity.revealPeople(
    tx,
    naming.map(({ holderId }) => holderId),
  );
  return naming.map((licence) => {
    const holder = holders.get(licence.holderId);
    return toRule(licence, licence.holderId, holder?.scheme === 'uscc' ? holder.value : '');
  });
}

function toRule(licence: LicenceView, holder: string, holderUscc: string): LicenceInRule {
  return new LicenceInRule({
    number: licence.number,
    type: licence.type,
    status: licence.status,
    holder,
    holderUscc,
    issuer: licence.issuerId,
    validFrom: licence.validFrom,
    validTo: licence.validTo ?? '',
    fields: toCelValues(licence.fields),
  });
}
