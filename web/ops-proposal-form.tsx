// The form by which an operator proposes a change of a department's system or of a relying party, and the
// fields that both have.
import type { Child } from 'hono/jsx';
import { type ClientProposal, isHoldKind, type PartyProposal } from '../identity/index.ts';
import type { FieldError } from '../platform/index.ts';
import { Back } from './ops-client-changes.tsx';
import type { ClientList } from './ops-registered.tsx';
import { ErrorSummary, Field, FormToken, Frame, type PageContext } from './page.tsx';
import { TextArea } from './text-area.tsx';
import type { Told } from './words.ts';

export interface Departments {
  departments: { id: string; name: string }[];
}

export interface ProposalProps extends Departments {
  c: PageContext;
  values: Record<string, string>;
  error?: Told | undefined;
}

/** What each field of the form is given. */
export interface ClientFields {
  c: PageContext;
  values: Record<string, string>;
  errors: FieldError[] | undefined;
}

/** The same with faults that lead to fields the form has. */
export const placesIn = ({
  c,
  values,
  error,
}: Omit<ProposalProps, 'departments'>): ClientFields => ({
  c,
  values,
  errors: error?.fields?.map(withoutIndex),
});

interface FormProps extends Omit<ProposalProps, 'departments'> {
  at: ClientList;
  kind: (ClientProposal | PartyProposal)['kind'];
  title: string;
  /** Whose change it is; absent while there is none yet. */
  of?: string | undefined;
  /** The fields of this kind. */
  children?: Child;
}

/** The form with the fields of its kind, and the reason. */
export function ProposalForm(props: FormProps) {
  const { c, at, kind, title, of, values, error, children } = props;
  const words = c.get('text').clients;
  const { errors } = placesIn(props);
  return (
    <Frame c={c} title={title} at="ops">
      <h1>
        {title}
        {of === undefined ? '' : ` · ${of}`}
      </h1>
      <p class="lead">{words.kindLeads[kind]}</p>
      {error ? <ErrorSummary c={c} detail={error.detail} fields={errors} /> : null}
      <form
        class="stack"
        method="post"
        action={`${at}/${of === undefined ? 'new' : `${of}/${kind}`}`}
      >
        <FormToken c={c} />
        {children}
        <Field
          name="reason"
          label={words.reason}
          hint={words.reasonHint}
          value={values.reason}
          required={true}
          errors={errors}
        />
        <button type="submit">{isHoldKind(kind) ? words.kinds[kind] : words.propose}</button>
      </form>
      <Back c={c} to={at} />
    </Frame>
  );
}

/** Of all keys the form has one field: /keys/1 leads to it, and the line says which key. */
function withoutIndex({ pointer, detail }: FieldError): FieldError {
  const [, index] = /^\/keys\/(\d+)/.exec(pointer) ?? [];
  return index === undefined
    ? { pointer, detail }
    : { pointer: '/keys', detail: `${Number(index) + 1}: ${detail}` };
}

/** Whose it is, and under which id it is registered. */
export function Department({ c, values, errors, departments }: ClientFields & Departments) {
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
    </>
  );
}

export function KeysField({ c, values, errors }: ClientFields) {
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

/** How long the keys of before serve beside the new ones. */
export function OldKeysField({ c, values, errors }: ClientFields) {
  const words = c.get('text').clients;
  return (
    <Field
      name="oldKeysUntil"
      label={words.oldKeysUntil}
      hint={words.oldKeysHint}
      type="date"
      value={values.oldKeysUntil}
      errors={errors}
    />
  );
}
