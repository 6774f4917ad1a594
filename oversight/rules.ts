// Rules of vigilance: those that come with the house, and the versions that two auditors publish. Who
// operates the house has no say: these rules watch operators too.
import { scopeOfLog } from '../audit/index.ts';
import { type Actor, containsCitizenId, identityErrors, requireScope } from '../identity/index.ts';
import { databaseFault, RuleFault, type Tx } from '../platform/index.ts';
import { ruleName, watchActor } from './alarms.ts';
import type { VigilanceDeps } from './deps.ts';
import { oversightErrors } from './errors.ts';
import {
  decideRule,
  type FaultRow,
  findRule,
  insertProposal,
  insertShipped,
  listFaults,
  listRules,
  lockRule,
  type RuleRow,
} from './rule-store.ts';
import { compileVigilance, ruleHash, VigilanceRule } from './vigilance-rule.ts';
import { SHIPPED_RULES } from './vigilance-shipped.ts';
import type { Watch } from './watched.ts';

/** A version as auditors read it. */
export type PublishedRule = Omit<VigilanceRule, 'version'> & {
  version: number;
  hash: string;
  origin: RuleRow['origin'];
  state: RuleRow['state'];
  proposedBy: string | null;
  proposedAt: string;
  decidedBy: string | null;
  decidedAt: string | null;
};

export type RuleFaultSeen = {
  rule: string;
  version: number;
  from: number;
  to: number;
  reason: string;
  at: string;
};

/** What an auditor proposes: the next version of a rule, or the first of a new one. */
export const RuleProposal = VigilanceRule.omit({ version: true });
export type RuleProposal = Omit<VigilanceRule, 'version'>;

const SHOWN_FAULTS = 20;

export function createRules(deps: VigilanceDeps, watch: Watch) {
  const house = deps.database.as(scopeOfLog);

  /** The auditor behind an act of four eyes: an account, not a name that a system gives. */
  function auditorOf(actor: Actor): string {
    requireScope(actor, 'audit:read');
    if (actor.kind === 'officer' && actor.officerId !== undefined) return actor.officerId;
    throw identityErrors.role_missing('Only a signed-in auditor does this.');
  }

  async function getVersion(tx: Tx, id: string, version: number): Promise<PublishedRule> {
    const row = await findRule(tx, id, version);
    if (!row) throw oversightErrors.rule_not_found('There is no such version of a rule.');
    return asRule(row);
  }

  function decide(actor: Actor, id: string, version: number, state: 'active' | 'refused') {
    const call = {
      type: state === 'active' ? 'vigilance.rule_published' : 'vigilance.rule_refused',
      service: ruleName(shortened(id), version),
    };
    return watch.change(actor, call, scopeOfLog, async (tx) => {
      const decidedBy = auditorOf(actor);
      const row = (await lockRule(tx, id)).find((one) => one.version === version);
      if (!row) throw oversightErrors.rule_not_found('There is no such version of a rule.');
      if (row.state !== 'proposed') {
        throw oversightErrors.rule_decided('This version has been decided already.');
      }
      if (row.proposedBy === decidedBy) {
        throw oversightErrors.own_rule(
          'Four eyes: another auditor than the one who proposed it decides.',
        );
      }
      Object.assign(call, { purpose: `sha256:${row.hash}` });
      await decideRule(tx, { id, version, state, decidedBy });
      return getVersion(tx, id, version);
    });
  }

  return {
    /** All versions of all rules, and the looks that a rule lately could not judge. */
    listRules: (actor: Actor): Promise<{ items: PublishedRule[]; faults: RuleFaultSeen[] }> =>
      watch.look(actor, { type: 'audit.rules_read' }, () =>
        house.transaction(async (tx) => ({
          items: (await listRules(tx)).map(asRule),
          faults: (await listFaults(tx, SHOWN_FAULTS)).map(asFault),
        })),
      ),

    /** Proposes the next version; one at a time for a rule. The expression must compile. */
    proposeRule(actor: Actor, proposal: RuleProposal): Promise<PublishedRule> {
      const call = {
        type: 'vigilance.rule_proposed',
        service: ruleName(shortened(proposal.id), 0),
      };
      return watch.change(actor, call, scopeOfLog, async (tx) => {
        const proposedBy = auditorOf(actor);
        checkProposal(proposal);
        const versions = await lockRule(tx, proposal.id);
        if (versions.some(({ state }) => state === 'proposed')) {
          throw oversightErrors.rule_open('A version of this rule waits for a decision already.');
        }
        const version = (versions[0]?.version ?? 0) + 1;
        const rule = { ...proposal, version };
        const hash = ruleHash(rule);
        Object.assign(call, { service: ruleName(rule.id, version), purpose: `sha256:${hash}` });
        await insertProposal(tx, rule, hash, proposedBy).catch((error: unknown) => {
          // An account that is no auditor's, whatever its session says.
          if (databaseFault(error)?.code !== '23503') throw error;
          throw identityErrors.role_missing('Only a signed-in auditor does this.');
        });
        return getVersion(tx, rule.id, version);
      });
    },

    /** Publishes what another auditor proposed; it judges looks from now on. */
    approveRule: (actor: Actor, id: string, version: number) =>
      decide(actor, id, version, 'active'),

    refuseRule: (actor: Actor, id: string, version: number) =>
      decide(actor, id, version, 'refused'),
  };
}

/** Refuses what doesn't compile, and texts that name a person. */
export function checkProposal(proposal: RuleProposal): void {
  const { titleZh, titleEn, textZh, textEn } = proposal;
  const params = Object.values(proposal.params).map(String);
  if ([titleZh, titleEn, textZh, textEn, proposal.expression, ...params].some(containsCitizenId)) {
    throw oversightErrors.identifier_in_text('A rule names no person by a citizen ID.');
  }
  checkExpression(proposal);
}

export function checkExpression(rule: Pick<VigilanceRule, 'expression' | 'params'>): void {
  try {
    compileVigilance(rule);
  } catch (cause) {
    if (!(cause instanceof RuleFault)) throw cause;
    throw oversightErrors.rule_invalid(`The rule can't be run: ${cause.message}`, {
      fields: [{ pointer: '/expression', detail: cause.message }],
      cause,
    });
  }
}

/** Publishes what comes with the house and the city doesn't know; harmless twice and at the same time. */
export async function publishShipped(
  tx: Tx,
  { identity, ids }: Pick<VigilanceDeps, 'identity' | 'ids'>,
): Promise<void> {
  for (const rule of SHIPPED_RULES) {
    const hash = ruleHash(rule);
    if (!(await insertShipped(tx, rule, hash))) continue;
    await identity.recordAccess(tx, watchActor(ids), {
      type: 'vigilance.rule_published',
      outcome: 'ok',
      service: ruleName(rule.id, rule.version),
      // Committed to in the leaf, and readable by auditors.
      purpose: `sha256:${hash}`,
      answerKind: 'none',
    });
  }
}

function asRule({ definition, hash, origin, state, ...row }: RuleRow): PublishedRule {
  return {
    ...definition,
    hash,
    origin,
    state,
    proposedBy: row.proposedByKey,
    proposedAt: row.proposedAt,
    decidedBy: row.decidedByKey,
    decidedAt: row.decidedAt,
  };
}

function asFault({ ruleId, ruleVersion, fromIdx, toIdx, reason, at }: FaultRow): RuleFaultSeen {
  return { rule: ruleId, version: ruleVersion, from: fromIdx, to: toIdx, reason, at };
}

const shortened = (id: string): string => (/^[a-z][a-z0-9-]{1,39}$/.test(id) ? id : '?');
