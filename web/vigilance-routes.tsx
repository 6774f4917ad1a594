// Pages of vigilance below /audit: alarms, evidence, rules, replays, the watch list. Each act is a form that
// posts and redirects.
import { Hono, type Next } from 'hono';
import { FINDINGS, RuleProposal } from '../oversight/index.ts';
import { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { statusOf } from './error-page.tsx';
import { webErrors } from './errors.ts';
import { readOwnForm, requireKind } from './forms.ts';
import { nameIn, type PageContext, type PageEnv } from './page.tsx';
import { AlertPage, AlertsPage, EntryPage } from './vigilance-alerts.tsx';
import { MarksPage } from './vigilance-marks.tsx';
import { ReplayPage, ReplaysPage } from './vigilance-replays.tsx';
import { RulesPage } from './vigilance-rules.tsx';
import { told } from './words.ts';

type Form = Record<string, string>;

export function vigilanceRoutes(
  deps: Pick<PageDeps, 'identity' | 'oversight' | 'vigilance' | 'config'>,
) {
  const { identity, oversight, vigilance, config } = deps;
  const { cityTz } = config;

  async function common(c: PageContext) {
    requireKind(c, 'officer');
    const organisations = await identity.listOrganisations();
    const departments = organisations.map((one) => ({
      id: one.id,
      name: nameIn(c.get('lang'), one),
    }));
    const names = new Map(departments.map(({ id, name }) => [id, name]));
    return { c, cityTz, departments, organisationName: (id: string) => names.get(id) ?? id };
  }

  async function alertPage(c: PageContext, id: string, values: Form = {}, error?: AppError) {
    const alert = await vigilance.getAlert(c.get('actor'), id);
    return (
      <AlertPage
        {...(await common(c))}
        alert={alert}
        values={values}
        error={error && told(c, error)}
      />
    );
  }

  async function rulesPage(c: PageContext, values: Form, error?: AppError) {
    const rules = await vigilance.listRules(c.get('actor'));
    const chosen = rules.items.find(({ id, state }) => id === values.rule && state === 'active');
    const filled: Form = chosen
      ? {
          ...textsOf(chosen),
          params: Object.entries(chosen.params)
            .map(([name, value]) => `${name}=${value}`)
            .join('\n'),
          isOn: chosen.isOn ? 'on' : 'off',
        }
      : {};
    return (
      <RulesPage
        c={c}
        cityTz={cityTz}
        rules={rules}
        values={{ deadlineDays: '7', ...filled, ...values }}
        error={error && told(c, error)}
      />
    );
  }

  async function marksPage(c: PageContext, values: Form, error?: AppError) {
    const { departments } = await common(c);
    const cursor = c.req.query('cursor');
    const list = await vigilance.listMarks(c.get('actor'), { limit: 50, cursor });
    return (
      <MarksPage
        c={c}
        cityTz={cityTz}
        departments={departments}
        list={list}
        values={values}
        error={error && told(c, error, 'subject-value')}
      />
    );
  }

  /** Runs an act of a form; refused, the page is shown again with what was typed. */
  async function attempt(
    c: PageContext,
    act: () => Promise<string>,
    again: (error: AppError) => Promise<ReturnType<typeof RulesPage>>,
  ) {
    try {
      return c.redirect(await act(), 303);
    } catch (error) {
      if (!(error instanceof AppError) || error.kind === 'not_found') throw error;
      return c.html(await again(error), statusOf(error));
    }
  }

  return new Hono<PageEnv>()
    .get('/audit/alerts', async (c) => {
      const pieces = await common(c);
      const { state = 'open', cursor } = c.req.query();
      const filter = state === 'overdue' || state === 'closed' || state === 'all' ? state : 'open';
      const list = await vigilance.listAlerts(c.get('actor'), {
        state: filter === 'all' ? undefined : filter,
        limit: 50,
        cursor,
      });
      return c.html(<AlertsPage {...pieces} list={list} state={filter} />);
    })
    .get('/audit/alerts/:id', async (c) => c.html(await alertPage(c, c.req.param('id'))))
    .post('/audit/alerts/:id/note', async (c) => {
      requireKind(c, 'officer');
      const [id, form] = [c.req.param('id'), await readOwnForm(c, identity)];
      return attempt(
        c,
        async () => {
          await vigilance.noteAlert(c.get('actor'), id, { note: form.note });
          return `/audit/alerts/${id}`;
        },
        (error) => alertPage(c, id, { ...form, act: 'note' }, error),
      );
    })
    .post('/audit/alerts/:id/close', async (c) => {
      requireKind(c, 'officer');
      const [id, form] = [c.req.param('id'), await readOwnForm(c, identity)];
      const finding = FINDINGS.find((one) => one === form.finding);
      if (!finding) throw webErrors.form_invalid(c.get('text').vigilance.alerts.finding);
      return attempt(
        c,
        async () => {
          await vigilance.closeAlert(c.get('actor'), id, { finding, note: form.note });
          return `/audit/alerts/${id}`;
        },
        (error) => alertPage(c, id, { ...form, act: 'close' }, error),
      );
    })
    .get('/audit/entries/:index', async (c) => {
      const pieces = await common(c);
      const entry = await oversight.entry(c.get('actor'), Number(c.req.param('index')));
      return c.html(<EntryPage {...pieces} entry={entry} />);
    })
    .get('/audit/rules', async (c) => {
      requireKind(c, 'officer');
      const rule = c.req.query('rule');
      return c.html(await rulesPage(c, rule === undefined ? {} : { rule }));
    })
    .post('/audit/rules', async (c) => {
      requireKind(c, 'officer');
      const form = await readOwnForm(c, identity);
      const { id = '', expression = '', from = '', to = '' } = form;
      return attempt(
        c,
        async () => {
          const params = paramsOf(form.params ?? '');
          if (form.act === 'rehearse') {
            const group = RuleProposal.shape.group.safeParse(form.group).data;
            const draft = { rule: id, expression, params, from, to, ...(group && { group }) };
            const replay = await vigilance.startReplay(c.get('actor'), draft);
            return `/audit/replays/${replay.id}`;
          }
          const proposal = RuleProposal.safeParse({
            ...Object.fromEntries(TEXTS.map((name) => [name, form[name] ?? ''])),
            params,
            deadlineDays: Number(form.deadlineDays),
            isOn: form.isOn !== 'off',
          });
          if (!proposal.success) {
            throw webErrors.form_invalid(c.get('text').fieldFaults.other ?? '', {
              fields: proposal.error.issues.map(({ path, message }) => ({
                pointer: `/${path.join('/')}`,
                detail: message,
              })),
            });
          }
          await vigilance.proposeRule(c.get('actor'), proposal.data);
          return '/audit/rules';
        },
        (error) => rulesPage(c, form, error),
      );
    })
    .post('/audit/rules/:rule/:version', async (c) => {
      requireKind(c, 'officer');
      const form = await readOwnForm(c, identity);
      const { rule, version } = c.req.param();
      return attempt(
        c,
        async () => {
          const decide = form.decision === 'approve' ? vigilance.approveRule : vigilance.refuseRule;
          await decide(c.get('actor'), rule, Number(version) || 0);
          return '/audit/rules';
        },
        (error) => rulesPage(c, {}, error),
      );
    })
    .get('/audit/replays', async (c) => {
      const pieces = await common(c);
      const cursor = c.req.query('cursor');
      const list = await vigilance.listReplays(c.get('actor'), { limit: 50, cursor });
      return c.html(<ReplaysPage {...pieces} list={list} />);
    })
    .get('/audit/replays/:id', async (c) => {
      const pieces = await common(c);
      const replay = await vigilance.getReplay(c.get('actor'), c.req.param('id'));
      return c.html(<ReplayPage {...pieces} replay={replay} />);
    })
    .get('/audit/watch-list', async (c) => c.html(await marksPage(c, {})))
    .post('/audit/watch-list', async (c) => {
      requireKind(c, 'officer');
      const form = await readOwnForm(c, identity);
      const { department = '', officer = '', reason = '' } = form;
      const subject = { scheme: 'cn-id' as const, value: (form['subject-value'] ?? '').trim() };
      return attempt(
        c,
        async () => {
          await vigilance.addMark(
            c.get('actor'),
            form.kind === 'officer'
              ? { kind: 'officer', subject, reason, department, officer: officer.trim() }
              : { kind: 'listed', subject, reason },
          );
          return '/audit/watch-list';
        },
        (error) => marksPage(c, form, error),
      );
    })
    .post('/audit/watch-list/:id/remove', async (c) => {
      requireKind(c, 'officer');
      await readOwnForm(c, identity);
      await vigilance.removeMark(c.get('actor'), c.req.param('id'));
      return c.redirect('/audit/watch-list', 303);
    });
}

/** Counts the alarms that wait, for every page of an auditor that is read. */
export function alertCounts({ vigilance }: Pick<PageDeps, 'vigilance'>) {
  return async (c: PageContext, next: Next) => {
    if (c.get('actor').roles.includes('auditor'))
      c.set('openAlerts', await vigilance.countAlerts());
    await next();
  };
}

const TEXTS = [
  'id',
  'expression',
  'group',
  'severity',
  'titleZh',
  'titleEn',
  'textZh',
  'textEn',
] as const;

function textsOf(rule: Record<(typeof TEXTS)[number], string> & { deadlineDays: number }): Form {
  return {
    ...Object.fromEntries(TEXTS.map((name) => [name, rule[name]])),
    deadlineDays: String(rule.deadlineDays),
  };
}

/** Lines of name=value; numbers and yes or no are what they look like. */
function paramsOf(text: string): Record<string, string | number | boolean> {
  return Object.fromEntries(
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .map((line) => {
        const [name = '', ...rest] = line.split('=');
        return [name.trim(), paramOf(rest.join('=').trim())];
      }),
  );
}

function paramOf(word: string): string | number | boolean {
  if (word === 'true' || word === 'false') return word === 'true';
  return word !== '' && Number.isFinite(Number(word)) ? Number(word) : word;
}
