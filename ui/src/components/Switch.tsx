// A setting that is on or off, and takes effect at once.
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

export type SwitchProps = {
  label: string;
  hint?: ComponentChildren;
  checked: boolean;
  onChecked: (checked: boolean) => void;
  disabled?: boolean;
};

export function Switch({ label, hint, checked, onChecked, disabled }: SwitchProps) {
  const id = useId();
  return (
    <div class="switch">
      <input
        id={id}
        type="checkbox"
        role="switch"
        checked={checked}
        disabled={disabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onChecked(event.currentTarget.checked)}
      />
      <div class="switch-text">
        <label for={id}>{label}</label>
        {hint && (
          <span class="field-hint" id={`${id}-hint`}>
            {hint}
          </span>
        )}
      </div>
    </div>
  );
}
