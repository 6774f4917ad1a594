// How operators' proposals come in: of a change of a department's system, and of a relying party.
import type { ClientProposal, PartyProposal } from '../identity/index.ts';
import { AppError } from '../platform/index.ts';
import type { PageDeps } from './deps.ts';
import { statusOf } from './error-page.tsx';
import { readOwnForm, requireOperator } from './forms.ts';
import { nameIn, type PageContext } from './page.tsx';
import type { Text } from './text/zh.ts';

interface Proposing {
  /** The proposal that the form says; web.form_invalid. */
  read: (
    form: Record<string, string>,
    how: { words: Text['clients']; cityTz: string },
  ) => ClientProposal | PartyProposal;
  /** The form again, with what was refused. */
  again: (
    form: Record<string, string>,
    error: AppError,
  ) => Promise<Parameters<PageContext['html']>[0]>;
}

export function opsProposals({ identity, config }: Pick<PageDeps, 'identity' | 'config'>) {
  const { cityTz } = config;

  async function departmentsOf(c: PageContext) {
    const all = await identity.listOrganisations();
    return all.map((one) => ({ id: one.id, name: nameIn(c.get('lang'), one) }));
  }

  /** What each of the pages is given. */
  async function commonOf(c: PageContext) {
    const names = new Map((await departmentsOf(c)).map(({ id, name }) => [id, name]));
    return { c, cityTz, organisationName: (id: string) => names.get(id) ?? id };
  }

  /** Proposes what the form says of `of`, or of a new one, and leads to the page of the change. */
  async function propose(c: PageContext, of: string | undefined, { read, again }: Proposing) {
    requireOperator(c);
    const form = await readOwnForm(c, identity);
    const given = { ...form, client: of ?? form.client ?? '' };
    try {
      const proposal = read(given, { words: c.get('text').clients, cityTz });
      const { id } = await identity.proposeClientChange(c.get('actor'), proposal);
      return c.redirect(`/ops/clients/changes/${id}`, 303);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return c.html(await again(given, error), statusOf(error));
    }
  }

  return { commonOf, departmentsOf, propose };
}
