// A field of several lines, as machines write them: keys, addresses.
import type { FieldError } from '../platform/index.ts';

export function TextArea(props: {
  name: string;
  label: string;
  hint: string;
  value: string | undefined;
  rows: number;
  required?: boolean;
  errors: FieldError[] | undefined;
}) {
  const { name, label, hint, value = '', rows, required = false } = props;
  const faults = props.errors?.filter(({ pointer }) => pointer === `/${name}`) ?? [];
  return (
    <div class={faults.length > 0 ? 'field wrong' : 'field'}>
      <label for={name}>{label}</label>
      <p class="hint" id={`${name}-hint`}>
        {hint}
      </p>
      {faults.map(({ detail }, at) => (
        <p class="message" id={at === 0 ? `${name}-error` : undefined}>
          {detail}
        </p>
      ))}
      <textarea
        id={name}
        name={name}
        rows={rows}
        class="mono"
        required={required}
        spellcheck={false}
        autocomplete="off"
        aria-describedby={faults.length > 0 ? `${name}-hint ${name}-error` : `${name}-hint`}
        aria-invalid={faults.length > 0 ? 'true' : undefined}
      >
        {value}
      </textarea>
    </div>
  );
}
