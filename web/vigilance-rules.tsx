// /audit/rules: the rules and their versions, a draft run over history, a proposal and its decision.
import type { PublishedRule, Vigilance } from '../oversight/index.ts';
import { AuditSections } from './audit-sections.tsx';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime, Tag } from './page.tsx';
import { TextArea } from './text-area.tsx';
import type { Told } from './words.ts';

type RuleList = Awaited<ReturnType<Vigilance['listRules']>>;

interface RulesProps {
  c: PageContext;
  cityTz: string;
  rules: RuleList;
  /** Of the draft's form. */
  values: Record<string, string>;
  error?: Told | undefined;
}

export function RulesPage(props: RulesProps) {
  const { c, cityTz, rules, error } = props;
  const words = c.get('text').vigilance.rules;
  const { items, faults } = rules;
  return (
    <Frame c={c} title={words.title} at="audit">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      <AuditSections c={c} at="/audit/rules" />
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      {items.length === 0 ? <p class="notice">{words.none}</p> : null}
      {items.map((rule) => (
        <Rule c={c} rule={rule} />
      ))}
      {faults.length > 0 ? (
        <section>
          <h2>{words.faults}</h2>
          <p class="muted">{words.faultsLead}</p>
          <ul>
            {faults.map((fault) => (
              <li>
                {showTime(fault.at, cityTz)} ·{' '}
                {words.fault(`${fault.rule}@${fault.version}`, fault.from, fault.to - 1)} ·{' '}
                <code>{fault.reason}</code>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
      <Draft {...props} />
    </Frame>
  );
}

function Rule({ c, rule }: { c: PageContext; rule: PublishedRule }) {
  const text = c.get('text').vigilance;
  const words = text.rules;
  const isChinese = c.get('lang') === 'zh';
  const tone = ({ proposed: 'warn', active: 'good', refused: 'bad', replaced: 'warn' } as const)[
    rule.state
  ];
  const isOwn = rule.proposedBy !== null && rule.proposedBy === c.get('actor').officerKey;
  return (
    <details open={rule.state === 'proposed'}>
      <summary>
        {isChinese ? rule.titleZh : rule.titleEn} <code>{rule.id}</code>{' '}
        {words.version(rule.version)} <Tag tone={tone}>{words.states[rule.state]}</Tag>{' '}
        {rule.isOn ? null : <Tag tone="bad">{words.off}</Tag>}
      </summary>
      <p>{isChinese ? rule.textZh : rule.textEn}</p>
      <pre class="mono scroll">{rule.expression}</pre>
      <p>
        {Object.entries(rule.params).map(([name, value]) => (
          <code>
            {name}={String(value)}{' '}
          </code>
        ))}
        {text.alerts.severities[rule.severity]} · {words.hash}: <code>{rule.hash}</code>
      </p>
      {rule.state === 'active' ? (
        <p>
          <a href={`/audit/rules?rule=${rule.id}#draft`}>{words.change}</a>
        </p>
      ) : null}
      {rule.state === 'proposed' && isOwn ? <p class="notice">{words.own}</p> : null}
      {rule.state === 'proposed' && !isOwn ? (
        <form method="post" action={`/audit/rules/${rule.id}/${rule.version}`} class="row">
          <FormToken c={c} />
          <button type="submit" name="decision" value="approve">
            {words.approve}
          </button>
          <button class="quiet" type="submit" name="decision" value="refuse">
            {words.refuse}
          </button>
        </form>
      ) : null}
    </details>
  );
}

function Draft({ c, values, error }: RulesProps) {
  const text = c.get('text').vigilance;
  const words = text.rules;
  const errors = error?.fields;
  const field = (name: 'titleZh' | 'titleEn' | 'textZh' | 'textEn') => (
    <Field name={name} label={words[name]} value={values[name]} errors={errors} />
  );
  return (
    <form method="post" action="/audit/rules" class="stack" id="draft">
      <FormToken c={c} />
      <h2>{words.draft}</h2>
      <p class="muted">{words.draftLead}</p>
      <Field
        name="id"
        label={words.id}
        hint={words.idHint}
        value={values.id}
        required
        errors={errors}
      />
      <TextArea
        name="expression"
        label={words.expression}
        hint={words.expressionHint}
        value={values.expression}
        rows={4}
        required
        errors={errors}
      />
      <TextArea
        name="params"
        label={words.params}
        hint={words.paramsHint}
        value={values.params}
        rows={3}
        errors={errors}
      />
      <Field
        name="group"
        label={words.group}
        value={values.group}
        options={(['actor', 'subject', 'look'] as const).map((value) => ({
          value,
          label: words.groups[value],
        }))}
      />
      <Field name="from" type="date" label={words.from} value={values.from} errors={errors} />
      <Field name="to" type="date" label={words.to} value={values.to} errors={errors} />
      <button type="submit" name="act" value="rehearse">
        {words.rehearse}
      </button>
      <Field
        name="severity"
        label={text.alerts.severity}
        value={values.severity}
        options={(['low', 'medium', 'high'] as const).map((value) => ({
          value,
          label: text.alerts.severities[value],
        }))}
      />
      <Field
        name="deadlineDays"
        type="number"
        label={words.deadlineDays}
        value={values.deadlineDays}
        errors={errors}
      />
      <Field
        name="isOn"
        label={words.isOn}
        value={values.isOn}
        options={[
          { value: 'on', label: words.on },
          { value: 'off', label: words.off },
        ]}
      />
      {field('titleZh')}
      {field('titleEn')}
      {field('textZh')}
      {field('textEn')}
      <button type="submit" name="act" value="propose">
        {words.propose}
      </button>
    </form>
  );
}
