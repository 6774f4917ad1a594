// Departments' systems as operators see them: all that are registered, and one of them.
import {
  CLIENT_CHANGE_KINDS,
  type Client,
  type ClientChange,
  isClientChangeAllowed,
} from '../identity/index.ts';
import { type ChangesProps, scopeWords } from './ops-client-changes.tsx';
import { RegisteredOnePage, RegisteredPage, StateTag } from './ops-registered.tsx';

const LIST = '/ops/clients';

interface ListProps extends Omit<ChangesProps, 'changes'> {
  clients: { items: Client[]; nextCursor: string | null };
  waiting: ClientChange[];
}

export function ClientsPage(props: ListProps) {
  const { c, clients, organisationName } = props;
  return (
    <RegisteredPage
      {...props}
      at={LIST}
      words={c.get('text').clients}
      isEmpty={clients.items.length === 0}
      nextCursor={clients.nextCursor}
    >
      {clients.items.map((client) => (
        <li>
          <a href={`${LIST}/${client.id}`}>
            <strong>{organisationName(client.organisation)}</strong> <code>{client.id}</code>
          </a>{' '}
          <StateTag c={c} state={client.state} />
        </li>
      ))}
    </RegisteredPage>
  );
}

export function ClientPage(props: ChangesProps & { client: Client }) {
  const { c, client, organisationName } = props;
  const words = c.get('text').clients;
  return (
    <RegisteredOnePage
      {...props}
      at={LIST}
      title={`${organisationName(client.organisation)} · ${client.id}`}
      registered={client}
      rows={[
        [words.name, client.name],
        [words.method, words.methods[client.method]],
        [words.scopes, scopeWords(c, client.scopes)],
      ]}
      possible={CLIENT_CHANGE_KINDS.filter((kind) => isClientChangeAllowed(kind, client.state))}
    />
  );
}
