// A field of several lines for what people write to each other.
import type { FieldError } from '../platform/index.ts';
import { fieldId } from './page.tsx';

export function TextField(props: {
  name: string;
  label: string;
  hint: string;
  value: string | undefined;
  required?: boolean;
  errors: FieldError[] | undefined;
}) {
  const { name, label, hint, value = '', required = false, errors } = props;
  const error = errors?.find(({ pointer }) => fieldId(pointer) === name);
  return (
    <div class={error ? 'field wrong' : 'field'}>
      <label for={name}>{label}</label>
      <p class="hint" id={`${name}-hint`}>
        {hint}
      </p>
      {error ? (
        <p class="message" id={`${name}-error`}>
          {error.detail}
        </p>
      ) : null}
      <textarea
        id={name}
        name={name}
        rows={5}
        maxlength={2000}
        required={required}
        aria-describedby={error ? `${name}-hint ${name}-error` : `${name}-hint`}
        aria-invalid={error ? 'true' : undefined}
      >
        {value}
      </textarea>
    </div>
  );
}
