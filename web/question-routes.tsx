// /desk/questions for who answers by hand, /desk/approvals for who approves it.
import { Hono } from 'hono';
import { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { paramsFromForm, type Service } from './desk.tsx';
import { statusOf } from './error-page.tsx';
import { readOwnForm, requireKind } from './forms.ts';
import { nameIn, type PageContext, type PageEnv } from './page.tsx';
import { ProposalPage, QuestionPage, QuestionsPage } from './questions.tsx';
import { told } from './words.ts';

export function questionPages(deps: Pick<PageDeps, 'identity' | 'exchange' | 'config'>) {
  const { identity, exchange } = deps;
  const { cityTz } = deps.config;

  async function commonOf(c: PageContext, error?: AppError) {
    const lang = c.get('lang');
    const [services, organisations] = await Promise.all([
      exchange.listServices(c.get('actor')),
      identity.listOrganisations(),
    ]);
    const serviceOf = (code: string): Service | undefined => services.find(({ id }) => id === code);
    const nameOf = (found: { nameZh: string; nameEn: string } | undefined, id: string) =>
      found ? nameIn(lang, found) : id;
    return {
      c,
      cityTz,
      serviceName: (code: string) => nameOf(serviceOf(code), code),
      organisationName: (id: string) =>
        nameOf(
          organisations.find((one) => one.id === id),
          id,
        ),
      paramsSchemaOf: (code: string) => serviceOf(code)?.paramsSchema,
      error: error && told(c, error),
    };
  }

  async function listPage(c: PageContext, error?: AppError) {
    const actor = c.get('actor');
    const mayAnswer = actor.roles.includes('provider');
    const mayApprove = actor.roles.includes('approver');
    const [questions, proposals, common] = await Promise.all([
      mayAnswer ? exchange.listQuestions(actor, { limit: 50 }) : undefined,
      mayApprove ? exchange.listProposals(actor, { limit: 50 }) : undefined,
      commonOf(c, error),
    ]);
    return (
      <QuestionsPage
        {...common}
        questions={questions?.items ?? []}
        proposals={proposals?.items ?? []}
        mayAnswer={mayAnswer}
        mayApprove={mayApprove}
      />
    );
  }

  async function questionPage(
    c: PageContext,
    id: string,
    values: Record<string, string> = {},
    error?: AppError,
  ) {
    const question = await exchange.claimQuestion(c.get('actor'), id);
    const common = await commonOf(c, error);
    const paramsSchema = common.paramsSchemaOf(question.service);
    return (
      <QuestionPage {...common} question={question} paramsSchema={paramsSchema} values={values} />
    );
  }

  async function proposalPage(c: PageContext, id: string, error?: AppError) {
    const proposal = await exchange.readProposal(c.get('actor'), id);
    const common = await commonOf(c, error);
    const paramsSchema = common.paramsSchemaOf(proposal.service);
    return <ProposalPage {...common} proposal={proposal} paramsSchema={paramsSchema} />;
  }

  /** Does it and goes back to the list; what is refused is said on `page`. */
  async function act(
    c: PageContext,
    what: () => Promise<unknown>,
    page: (error: AppError) => ReturnType<typeof listPage>,
  ) {
    try {
      await what();
      return c.redirect('/desk/questions', 303);
    } catch (error) {
      if (!(error instanceof AppError) || error.kind === 'not_found') throw error;
      return c.html(await page(error), statusOf(error));
    }
  }

  return new Hono<PageEnv>()
    .get('/desk/questions', async (c) => {
      requireKind(c, 'officer');
      return c.html(await listPage(c));
    })
    .post('/desk/questions/:id/claim', async (c) => {
      requireKind(c, 'officer');
      await readOwnForm(c, identity);
      try {
        return c.html(await questionPage(c, c.req.param('id')));
      } catch (error) {
        if (!(error instanceof AppError) || error.kind !== 'conflict') throw error;
        return c.html(await listPage(c, error), statusOf(error));
      }
    })
    .post('/desk/questions/:id/answer', async (c) => {
      requireKind(c, 'officer');
      const actor = c.get('actor');
      const form = await readOwnForm(c, identity);
      const id = c.req.param('id');
      const { answerSchema } = await exchange.claimQuestion(actor, id);
      const answer = paramsFromForm(answerSchema, form);
      return act(
        c,
        () => exchange.answerQuestion(actor, id, { answer }),
        (error) => questionPage(c, id, form, error),
      );
    })
    .post('/desk/questions/:id/refuse', async (c) => {
      requireKind(c, 'officer');
      const form = await readOwnForm(c, identity);
      const id = c.req.param('id');
      const refusal = { reason: 'by_officer', text: (form.text ?? '').trim() };
      return act(
        c,
        () => exchange.refuseQuestion(c.get('actor'), id, refusal),
        (error) => questionPage(c, id, form, error),
      );
    })
    .post('/desk/questions/:id/withdraw', async (c) => {
      requireKind(c, 'officer');
      await readOwnForm(c, identity);
      return act(
        c,
        () => exchange.withdrawAnswer(c.get('actor'), c.req.param('id')),
        (error) => listPage(c, error),
      );
    })
    .post('/desk/approvals/:id/read', async (c) => {
      requireKind(c, 'officer');
      await readOwnForm(c, identity);
      return c.html(await proposalPage(c, c.req.param('id')));
    })
    .post('/desk/approvals/:id/:decision{approve|return}', async (c) => {
      requireKind(c, 'officer');
      const actor = c.get('actor');
      const { proposal = '', reason = '' } = await readOwnForm(c, identity);
      const { id, decision } = c.req.param();
      return act(
        c,
        () =>
          decision === 'approve'
            ? exchange.approveAnswer(actor, id, { proposal })
            : exchange.returnAnswer(actor, id, { proposal, reason: reason.trim() }),
        (error) => proposalPage(c, id, error),
      );
    });
}
