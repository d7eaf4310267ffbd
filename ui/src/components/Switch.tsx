// A setting that is on or off, and takes effect at once.
import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';

export type SwitchProps = {
  label: string;
  hint?: ComponentChildren;
  checked: boolean;
  /** If this takes time, the switch shows what was chosen until then, and `checked` again afterwards. */
  onChecked: (checked: boolean) => unknown;
  disabled?: boolean;
};

export function Switch({ label, hint, checked, onChecked, disabled }: SwitchProps) {
  const id = useId();
  const isOn = useRef(checked);
  isOn.current = checked;
  return (
    <div class="switch">
      <input
        id={id}
        type="checkbox"
        role="switch"
        checked={checked}
        disabled={disabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={async ({ currentTarget }) => {
          await onChecked(currentTarget.checked);
          currentTarget.checked = isOn.current;
        }}
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
