// What a rule's word about a question comes to: an answer cut to what may leave, a refusal because
// the records can't tell, or the provider's desk where the service has one behind its rule.
import type { Tx } from '../platform/index.ts';
import type { ExchangeDeps } from './deps.ts';
import { disclose } from './disclosure.ts';
import type { Outcome } from './ending.ts';
import { type RuleQuestion, viewFor } from './rule-view.ts';
import { hasNoFaults } from './schema-check.ts';
import type { Service } from './service-book.ts';

/** Binds the rules to the rooms their licences come from. */
export function createOutcomes(deps: Pick<ExchangeDeps, 'registry' | 'identity' | 'logger'>) {
  /** Reads the licences and runs the rule; `disclosed` are the fields that may leave. */
  return async function outcomeOf(
    tx: Tx,
    service: Service,
    question: RuleQuestion,
    disclosed: readonly string[],
  ): Promise<Outcome | 'to desk'> {
    const { definition, rule } = service;
    if (!rule) throw new TypeError('A service without a rule was asked to answer by one.');
    const told = rule.evaluate(await viewFor(tx, deps, { ...service, rule }, question));
    if (told.kind === 'cannot_tell') {
      const { code, version, mode } = definition;
      if (told.fault !== undefined) {
        deps.logger.warn({ service: code, version, fault: told.fault }, 'A rule failed on a view.');
      }
      return mode === 'auto_then_manual' ? 'to desk' : cannotTell;
    }
    const answer = disclose(told.answer, {
      answerSchema: definition.answerSchema,
      minimalFields: definition.minimalDisclosure.fields,
      agreementFields: disclosed,
    });
    if (!hasNoFaults(service.checkDisclosed(disclosed)(answer, '/answer'))) {
      throw new TypeError('An answer left the rule that its schema does not allow.');
    }
    return { state: 'answered', answer, asOf: question.today };
  };
}

export type OutcomeOf = ReturnType<typeof createOutcomes>;

const cannotTell: Outcome = {
  state: 'refused',
  reason: 'cannot_tell',
  text: '提供部门的电子记录不足以回答此问题。The provider’s records do not tell.',
};
