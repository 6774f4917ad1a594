// A rule run over history: what it would have raised, beside what was raised. A job that goes on where it
// was cut off; a published version finds exactly the alarms that were raised while it was in force.
import { scopeOfLog } from '../audit/index.ts';
import { type Actor, requireScope } from '../identity/index.ts';
import { cityDay, dbNow, startOfCityDay, systemScope } from '../platform/index.ts';
import { alarmsOf } from './alarms.ts';
import type { VigilanceDeps } from './deps.ts';
import { oversightErrors } from './errors.ts';
import { listViews } from './look-store.ts';
import { isId, pageOfRows, readCursor } from './operator.ts';
import { readPeriod } from './page.ts';
import {
  addReplayAlarm,
  type ComparedAlarm,
  compareAlarms,
  countUnfinished,
  findReplay,
  insertReplay,
  listReplays,
  moveReplay,
  nextReplay,
  type ReplayRow,
  type ReplayState,
} from './replay-store.ts';
import { findRule } from './rule-store.ts';
import { checkExpression } from './rules.ts';
import { type Judge, VIEWS_AT_ONCE } from './vigilance-judge.ts';
import { VigilanceRule } from './vigilance-rule.ts';
import type { Watch } from './watched.ts';

/** What an auditor asks: a version of a rule, or a draft of one, over a period. */
export type ReplayInput = {
  rule: string;
  version?: number | undefined;
  expression?: string | undefined;
  params?: Record<string, string | number | boolean> | undefined;
  group?: VigilanceRule['group'] | undefined;
  from: string;
  to: string;
};

/** One alarm of a replay; `alert` is the alarm that was raised for the same. */
export type ReplayAlarm = {
  look: number;
  /** Looks of the same group and day that the rule holds of; null for an alarm it did not find. */
  looks: number | null;
  day: string;
  department: string | null;
  actor: string | null;
  alert: string | null;
};

export type Replay = {
  id: string;
  rule: string;
  version: number | null;
  expression: string;
  params: Record<string, string | number | boolean>;
  group: VigilanceRule['group'];
  from: string;
  to: string;
  askedBy: string;
  askedAt: string;
  state: ReplayState;
  /** In entries of the log. */
  progress: { done: number; total: number };
  fault: string | null;
  endedAt: string | null;
};

export type ReplayResult = Replay & {
  alarms: ReplayAlarm[];
  difference: {
    /** Found by the replay, and never raised. */
    onlyFound: ReplayAlarm[];
    /** Raised, and not found by the replay. */
    onlyRaised: ReplayAlarm[];
  };
};

const MOST_ALARMS = 1000;
/** Replays of one auditor that wait or run at once. */
const MOST_UNFINISHED = 5;

export function createReplays(deps: VigilanceDeps, watch: Watch, judge: Judge) {
  const { ids, logger, cityTz } = deps;
  const house = deps.database.as(scopeOfLog);
  const system = deps.database.as(systemScope);

  /** Judges the next looks of the oldest replay; false when there is nothing to do. */
  async function step(): Promise<boolean> {
    const next = await system.transaction(async (tx) => {
      const row = await nextReplay(tx);
      if (!row) return undefined;
      const period = { first: row.dayStart, last: row.toAt };
      const { position, until } = row;
      return { row, views: await listViews(tx, position, until, VIEWS_AT_ONCE, period) };
    });
    if (!next) return false;
    const { row, views } = next;
    const last = views.at(-1);
    const [verdict] = last
      ? await judge(
          [row.definition],
          views.map(({ view }) => view),
        )
      : [];
    const fault = verdict?.fault ?? null;
    if (fault !== null) logger.warn({ replay: row.id, fault }, 'A replay was ended.');
    await system.transaction(async (tx) => {
      const isEnd = views.length < VIEWS_AT_ONCE;
      const to = {
        position: last && !isEnd ? last.idx + 1 : row.until,
        ...(fault === null
          ? { state: isEnd ? ('done' as const) : ('running' as const) }
          : { state: 'failed' as const, fault }),
      };
      if (!(await moveReplay(tx, row, to)) || !verdict || fault !== null) return;
      const held = verdict.holds.flatMap((at) => views[at] ?? []);
      for (const { groupKey, day, first, others } of alarmsOf(row.definition.group, held)) {
        const alarm = { groupKey, day, lookIndex: first.idx, looks: 1 + others.length };
        await addReplayAlarm(tx, row.id, alarm);
      }
    });
    return true;
  }

  /** The rule that is asked for: a published version, or a draft after one. */
  async function definitionOf(
    input: ReplayInput,
    published: VigilanceRule | undefined,
  ): Promise<VigilanceRule> {
    const { expression, params, group } = input;
    if (expression === undefined) {
      if (!published) throw oversightErrors.rule_not_found('There is no such version of a rule.');
      return published;
    }
    const words = { titleZh: input.rule, titleEn: input.rule, textZh: '-', textEn: '-' };
    const draft = VigilanceRule.safeParse({
      ...(published ?? {
        id: input.rule,
        group: 'actor',
        severity: 'low',
        deadlineDays: 7,
        ...words,
      }),
      version: 1,
      expression,
      ...(params && { params }),
      ...(group && { group }),
    });
    if (!draft.success) {
      throw oversightErrors.rule_invalid('This is no rule that could be published.', {
        fields: draft.error.issues.map(({ path, message }) => ({
          pointer: `/${path.join('/')}`,
          detail: message,
        })),
      });
    }
    checkExpression(draft.data);
    return draft.data;
  }

  return {
    /** Runs a rule over history; answers at once, the job goes on by itself. */
    startReplay(actor: Actor, input: ReplayInput): Promise<Replay> {
      const call = {
        type: 'vigilance.replay_asked',
        question: [
          `rule=${/^[a-z0-9-]{1,40}$/.test(input.rule) ? input.rule : '?'}`,
          ...(input.version === undefined ? [] : [`version=${input.version}`]),
          ...(input.expression === undefined ? [] : ['draft']),
        ].join(' '),
      };
      return watch.change(actor, call, scopeOfLog, async (tx) => {
        requireScope(actor, 'audit:read');
        const askedBy = actor.onBehalfOf ?? actor.officerKey ?? actor.clientId ?? actor.kind;
        const { from, to } = readPeriod(input, cityTz);
        if (!from || !to || from > to) {
          throw oversightErrors.period_invalid('Give a period that ends after it begins.', {
            fields: [{ pointer: '/from', detail: 'Give from and to.' }],
          });
        }
        if ((await countUnfinished(tx, askedBy)) >= MOST_UNFINISHED) {
          throw oversightErrors.replays_open('Wait until one of your replays has ended.');
        }
        const isDraft = input.expression !== undefined;
        const known = await findRule(tx, input.rule, input.version);
        const definition = await definitionOf(input, known?.definition);
        const id = ids.uuid();
        const now = await dbNow(tx);
        await insertReplay(tx, {
          id,
          ruleId: definition.id,
          ruleVersion: isDraft ? null : definition.version,
          definition,
          askedBy,
          fromAt: from,
          dayStart: startOfCityDay(cityDay(from, cityTz), cityTz),
          toAt: new Date(Math.min(to.getTime(), now.getTime())),
        });
        const row = await findReplay(tx, id);
        if (!row) throw new TypeError('What was stored is there.');
        return asReplay(row);
      });
    },

    /** How far it is, and what it has found so far. */
    getReplay: (actor: Actor, id: string): Promise<ReplayResult> =>
      watch.look(
        actor,
        { type: 'audit.replay_read', question: `replay=${isId(id) ? id : '?'}` },
        () =>
          house.transaction(async (tx) => {
            const row = isId(id) ? await findReplay(tx, id) : undefined;
            if (!row) throw oversightErrors.replay_not_found('There is no such replay.');
            const compared = await compareAlarms(tx, row, MOST_ALARMS);
            return {
              ...asReplay(row),
              alarms: compared.filter(({ isFound }) => isFound).map(asAlarm),
              difference: {
                onlyFound: compared.filter((one) => one.isFound && !one.alert).map(asAlarm),
                onlyRaised: compared.filter((one) => !one.isFound).map(asAlarm),
              },
            };
          }),
      ),

    /** Replays, latest first. */
    listReplays: (
      actor: Actor,
      { limit = 50, cursor }: { limit?: number; cursor?: string | undefined } = {},
    ): Promise<{ items: Replay[]; nextCursor: string | null }> =>
      watch.look(actor, { type: 'audit.replays_read' }, () =>
        house.transaction(async (tx) => {
          const page = { beforeId: readCursor(cursor), limit: limit + 1 };
          return pageOfRows(await listReplays(tx, page), limit, asReplay);
        }),
      ),

    /** Goes on with what was asked for, until all is done or the process stops. */
    async runReplays(signal?: AbortSignal): Promise<void> {
      while (!signal?.aborted && (await step()));
    },
  };
}

function asReplay(row: ReplayRow): Replay {
  const { definition, done, total } = row;
  return {
    id: row.id,
    rule: row.ruleId,
    version: row.ruleVersion,
    expression: definition.expression,
    params: definition.params,
    group: definition.group,
    from: row.fromAt,
    to: row.toAt,
    askedBy: row.askedBy,
    askedAt: row.askedAt,
    state: row.state,
    progress: { done, total },
    fault: row.fault,
    endedAt: row.endedAt,
  };
}

function asAlarm({ look, looks, day, department, actorTag, alert }: ComparedAlarm): ReplayAlarm {
  return {
    look,
    looks,
    day,
    department,
    actor: actorTag?.toString('base64url') ?? null,
    alert,
  };
}
