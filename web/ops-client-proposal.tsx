// The form that proposes a change of a client: one page for each kind, with the fields of that kind.
import { CLIENT_METHODS, type Client, type ClientChangeKind, SCOPES } from '../identity/index.ts';
import type { FieldError } from '../platform/index.ts';
import { scopeField } from './ops-client-form.ts';
import { Back } from './ops-clients.tsx';
import { ErrorSummary, Field, FormToken, Frame, type PageContext } from './page.tsx';
import { TextArea } from './text-area.tsx';
import type { Told } from './words.ts';

interface ProposalProps {
  c: PageContext;
  kind: ClientChangeKind | 'create';
  /** Absent while there is none yet. */
  client?: Client | undefined;
  departments: { id: string; name: string }[];
  values: Record<string, string>;
  error?: Told | undefined;
}

export function ProposalPage(props: ProposalProps) {
  const { c, kind, client, departments, values, error } = props;
  const words = c.get('text').clients;
  const errors = error?.fields?.map(withoutIndex);
  const common = { c, values, errors };
  const title = kind === 'create' ? words.register : words.kinds[kind];
  return (
    <Frame c={c} title={title} at="ops">
      <h1>
        {title}
        {client ? ` · ${client.id}` : ''}
      </h1>
      <p class="lead">{words.kindLeads[kind]}</p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={errors} /> : null}
      <form
        class="stack"
        method="post"
        action={`/ops/clients/${client ? `${client.id}/${kind}` : 'new'}`}
      >
        <FormToken c={c} />
        {kind === 'create' ? <Identity {...common} departments={departments} /> : null}
        {kind === 'create' || kind === 'rotate_keys' ? <KeysField {...common} /> : null}
        {kind === 'rotate_keys' ? (
          <Field
            name="oldKeysUntil"
            label={words.oldKeysUntil}
            hint={words.oldKeysHint}
            type="date"
            value={values.oldKeysUntil}
            errors={errors}
          />
        ) : null}
        {kind === 'create' || kind === 'change_scopes' ? <ScopesField {...common} /> : null}
        <Field
          name="reason"
          label={words.reason}
          hint={words.reasonHint}
          value={values.reason}
          required={true}
          errors={errors}
        />
        <button type="submit">{kind === 'hold' ? words.kinds.hold : words.propose}</button>
      </form>
      <Back c={c} />
    </Frame>
  );
}

/** Of all keys the form has one field: /keys/1 leads to it, and the line says which key. */
export function withoutIndex({ pointer, detail }: FieldError): FieldError {
  const [, index] = /^\/keys\/(\d+)/.exec(pointer) ?? [];
  return index === undefined
    ? { pointer, detail }
    : { pointer: '/keys', detail: `${Number(index) + 1}: ${detail}` };
}

interface FieldsProps {
  c: PageContext;
  values: Record<string, string>;
  errors: FieldError[] | undefined;
}

function Identity({
  c,
  values,
  errors,
  departments,
}: FieldsProps & Pick<ProposalProps, 'departments'>) {
  const words = c.get('text').clients;
  return (
    <>
      <Field
        name="organisation"
        label={words.organisation}
        value={values.organisation}
        errors={errors}
        options={departments.map(({ id, name }) => ({ value: id, label: name }))}
      />
      <Field
        name="client"
        label={words.id}
        hint={words.idHint}
        value={values.client}
        required={true}
        errors={errors}
      />
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

export function KeysField({ c, values, errors }: FieldsProps) {
  const { keys, keysHint } = c.get('text').clients;
  return (
    <TextArea
      name="keys"
      label={keys}
      hint={keysHint}
      value={values.keys}
      rows={8}
      required={true}
      errors={errors}
    />
  );
}

function ScopesField({ c, values }: FieldsProps) {
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
