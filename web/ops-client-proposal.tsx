// The form that proposes a change of a department's system: one page for each kind, with its fields.
import { CLIENT_METHODS, type Client, type ClientChangeKind, SCOPES } from '../identity/index.ts';
import { scopeField } from './ops-client-form.ts';
import {
  type ClientFields,
  Department,
  type Departments,
  KeysField,
  OldKeysField,
  ProposalForm,
  type ProposalProps,
  placesIn,
} from './ops-proposal-form.tsx';
import { Field } from './page.tsx';

interface ClientProposalProps extends ProposalProps {
  kind: ClientChangeKind | 'create';
  /** Absent while there is none yet. */
  client?: Client | undefined;
}

export function ProposalPage(props: ClientProposalProps) {
  const { c, kind, client, departments } = props;
  const words = c.get('text').clients;
  const fields = placesIn(props);
  return (
    <ProposalForm
      {...props}
      at="/ops/clients"
      title={kind === 'create' ? words.register : words.kinds[kind]}
      of={client?.id}
    >
      {kind === 'create' ? <Identity {...fields} departments={departments} /> : null}
      {kind === 'create' || kind === 'rotate_keys' ? <KeysField {...fields} /> : null}
      {kind === 'rotate_keys' ? <OldKeysField {...fields} /> : null}
      {kind === 'create' || kind === 'change_scopes' ? <ScopesField {...fields} /> : null}
    </ProposalForm>
  );
}

function Identity(props: ClientFields & Departments) {
  const { c, values, errors } = props;
  const words = c.get('text').clients;
  return (
    <>
      <Department {...props} />
      <Field name="name" label={words.name} value={values.name} required={true} errors={errors} />
      <Field
        name="method"
        label={words.method}
        value={values.method}
        errors={errors}
        options={CLIENT_METHODS.map((method) => ({ value: method, label: words.methods[method] }))}
      />
    </>
  );
}

function ScopesField({ c, values }: ClientFields) {
  const words = c.get('text').clients;
  return (
    <fieldset class="field" id="scopes">
      <legend>{words.scopes}</legend>
      {SCOPES.map((scope) => (
        <p>
          <label class="choice">
            <input
              type="checkbox"
              name={scopeField(scope)}
              checked={values[scopeField(scope)] !== undefined}
            />{' '}
            {words.scopeNames[scope]} <code>{scope}</code>
          </label>
        </p>
      ))}
    </fieldset>
  );
}
