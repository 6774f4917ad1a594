// The provider's side at the desk: questions no rule answers, and answers that wait for a second officer.
import type { Proposal, ProposalOutline, Question, QuestionOutline } from '../exchange/index.ts';
import { SchemaFields } from './desk.tsx';
import { ErrorSummary, Field, FormToken, Frame, type PageContext, showTime, Tag } from './page.tsx';
import { propertiesOf, type Told, titleWords, valueWords } from './words.ts';

interface Common {
  c: PageContext;
  cityTz: string;
  serviceName: (code: string) => string;
  organisationName: (id: string) => string;
  error?: Told | undefined;
}

interface ListProps extends Common {
  questions: QuestionOutline[];
  proposals: ProposalOutline[];
  mayAnswer: boolean;
  mayApprove: boolean;
}

export function QuestionsPage(props: ListProps) {
  const { c, cityTz, questions, proposals, mayAnswer, mayApprove, error } = props;
  const words = c.get('text').questions;
  const factsOf = (one: QuestionOutline | ProposalOutline) => (
    <>
      <strong>{props.serviceName(one.service)}</strong>
      <p class="muted">
        {props.organisationName(one.requester)} · {words.deadline} {showTime(one.deadline, cityTz)}
      </p>
    </>
  );
  return (
    <Frame c={c} title={words.title} at="desk">
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      {mayAnswer ? (
        <section>
          <h2>{words.open}</h2>
          {questions.length === 0 ? <p class="muted">{words.none}</p> : null}
          <ul class="plain">
            {questions.map((one) => (
              <li>
                {factsOf(one)}
                {one.isProposed ? <Tag tone="warn">{words.waits}</Tag> : null}
                {one.isClaimed && !one.isClaimedByMe ? <Tag tone="warn">{words.taken}</Tag> : null}
                {one.isProposed && one.isClaimedByMe ? (
                  <form method="post" action={`/desk/questions/${one.id}/withdraw`}>
                    <FormToken c={c} />
                    <button class="quiet" type="submit">
                      {words.withdraw}
                    </button>
                  </form>
                ) : null}
                {!one.isProposed && (!one.isClaimed || one.isClaimedByMe) ? (
                  <form method="post" action={`/desk/questions/${one.id}/claim`}>
                    <FormToken c={c} />
                    <button type="submit">{one.isClaimed ? words.goOn : words.take}</button>
                  </form>
                ) : null}
              </li>
            ))}
          </ul>
        </section>
      ) : null}
      {mayApprove ? (
        <section>
          <h2>{words.toApprove}</h2>
          {proposals.length === 0 ? <p class="muted">{words.noneToApprove}</p> : null}
          <ul class="plain">
            {proposals.map((one) => (
              <li>
                {factsOf(one)}
                {one.isMine ? (
                  <p class="notice">{words.own}</p>
                ) : (
                  <form method="post" action={`/desk/approvals/${one.id}/read`}>
                    <FormToken c={c} />
                    <button type="submit">{words.read}</button>
                  </form>
                )}
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </Frame>
  );
}

type Whole = Pick<Question, 'question' | 'requesterName' | 'subject' | 'params'>;

function Facts({ c, one, paramsSchema }: { c: PageContext; one: Whole; paramsSchema: unknown }) {
  const words = c.get('text').questions;
  const titles = propertiesOf(paramsSchema);
  return (
    <section class="card">
      <p class="notice">
        <strong>{one.question}</strong>
      </p>
      <dl>
        <dt>{words.requester}</dt>
        <dd>{one.requesterName}</dd>
        <dt>{words.subject}</dt>
        <dd>
          {one.subject.name} <code>{one.subject.value}</code>
        </dd>
        {Object.entries(one.params).map(([name, value]) => (
          <>
            <dt>{titleWords(c, name, titles[name])}</dt>
            <dd>{valueWords(c, value)}</dd>
          </>
        ))}
      </dl>
    </section>
  );
}

interface AnswerProps extends Common {
  question: Question;
  paramsSchema: unknown;
  values: Record<string, string>;
}

/** A question in hand: answered or refused here. */
export function QuestionPage(props: AnswerProps) {
  const { c, question, paramsSchema, values, error } = props;
  const words = c.get('text').questions;
  return (
    <Frame c={c} title={props.serviceName(question.service)} at="desk">
      <h1>{props.serviceName(question.service)}</h1>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      <Facts c={c} one={question} paramsSchema={paramsSchema} />
      {question.sentBack === null ? null : (
        <p class="notice">
          {words.sentBack}
          {c.get('text').colon}
          {question.sentBack}
        </p>
      )}
      <h2>{words.answer}</h2>
      <form class="stack" method="post" action={`/desk/questions/${question.id}/answer`}>
        <FormToken c={c} />
        <SchemaFields
          c={c}
          schema={question.answerSchema}
          values={values}
          errors={error?.fields?.map(({ pointer, detail }) => ({
            pointer: pointer.replace(/^\/answer\//, '/params/'),
            detail,
          }))}
        />
        {question.answerFourEyes ? <p class="hint">{words.fourEyes}</p> : null}
        <button type="submit">{question.answerFourEyes ? words.propose : words.send}</button>
      </form>
      <h2>{words.refuse}</h2>
      <form class="stack" method="post" action={`/desk/questions/${question.id}/refuse`}>
        <FormToken c={c} />
        <Field name="text" label={words.reason} value={values.text} required={true} />
        <button class="quiet" type="submit">
          {words.refuse}
        </button>
      </form>
    </Frame>
  );
}

/** A proposed answer: approved or sent back here. */
export function ProposalPage(props: Common & { proposal: Proposal; paramsSchema: unknown }) {
  const { c, proposal, paramsSchema, error } = props;
  const words = c.get('text').questions;
  const titles = propertiesOf(proposal.answerSchema);
  return (
    <Frame c={c} title={words.toApprove} at="desk">
      <h1>{props.serviceName(proposal.service)}</h1>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={error.fields} /> : null}
      <Facts c={c} one={proposal} paramsSchema={paramsSchema} />
      <h2>{words.proposed}</h2>
      <dl>
        {Object.entries(proposal.answer).map(([name, value]) => (
          <>
            <dt>{titleWords(c, name, titles[name])}</dt>
            <dd>
              <strong>{valueWords(c, value)}</strong>
            </dd>
          </>
        ))}
      </dl>
      <form method="post" action={`/desk/approvals/${proposal.id}/approve`}>
        <FormToken c={c} />
        <input type="hidden" name="proposal" value={proposal.proposal} />
        <button type="submit">{words.approve}</button>
      </form>
      <form class="stack" method="post" action={`/desk/approvals/${proposal.id}/return`}>
        <FormToken c={c} />
        <input type="hidden" name="proposal" value={proposal.proposal} />
        <Field name="reason" label={words.returnReason} required={true} />
        <button class="quiet" type="submit">
          {words.sendBack}
        </button>
      </form>
    </Frame>
  );
}
