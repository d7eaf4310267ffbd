// Fields with their label, hint and error.
import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';

type Around = {
  label: string;
  hint?: ComponentChildren;
  /** Why the value is refused. */
  error?: string | null;
  /** Shows the label to screen readers alone. */
  hideLabel?: boolean;
};

type Changed = { value: string | number; onValue: (value: string) => void };

export type FieldProps = Around &
  Changed &
  Omit<JSX.IntrinsicElements['input'], 'class' | 'value' | 'onInput' | 'id' | 'label'>;

export function Field({ label, hint, error, hideLabel, onValue, ...input }: FieldProps) {
  const around = { label, hint, error, hideLabel };
  return (
    <Labeled {...around}>
      {(attributes) => (
        <input
          class="input"
          {...(input as JSX.IntrinsicElements['input'])}
          {...attributes}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Labeled>
  );
}

export type TextAreaProps = Around &
  Changed &
  Omit<JSX.IntrinsicElements['textarea'], 'class' | 'value' | 'onInput' | 'id' | 'label'>;

export function TextArea({ label, hint, error, hideLabel, onValue, ...input }: TextAreaProps) {
  const around = { label, hint, error, hideLabel };
  return (
    <Labeled {...around}>
      {(attributes) => (
        <textarea
          class="input"
          {...input}
          {...attributes}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Labeled>
  );
}

export type SelectProps = Around &
  Changed & {
    options: readonly { value: string | number; label: string }[];
    disabled?: boolean;
    required?: boolean;
    name?: string;
  };

export function Select({ label, hint, error, hideLabel, onValue, options, value, ...select }: SelectProps) {
  const around = { label, hint, error, hideLabel };
  return (
    <Labeled {...around}>
      {(attributes) => (
        <select
          class="input"
          {...select}
          {...attributes}
          value={value}
          onChange={(event) => onValue(event.currentTarget.value)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Labeled>
  );
}

type Attributes = { id: string; 'aria-describedby'?: string; 'aria-invalid'?: 'true' };

function Labeled({
  label,
  hint,
  error,
  hideLabel,
  children,
}: Around & { children: (attributes: Attributes) => ComponentChildren }) {
  const id = useId();
  const described = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ');
  const attributes: Attributes = { id };
  if (described) attributes['aria-describedby'] = described;
  if (error) attributes['aria-invalid'] = 'true';
  return (
    <div class="field">
      <label for={id} class={hideLabel ? 'visually-hidden' : ''}>
        {label}
      </label>
      {children(attributes)}
      {hint && (
        <div class="field-hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
      {error && (
        <div class="field-error" id={`${id}-error`} role="alert">
          {error}
        </div>
      )}
    </div>
  );
}
