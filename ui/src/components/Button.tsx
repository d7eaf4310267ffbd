// Buttons with text, and buttons with an icon alone, which have a name all the same.
import type { ComponentChildren, JSX } from 'preact';
import { Icon, type IconName } from './Icon';

type Native = Omit<JSX.IntrinsicElements['button'], 'class' | 'type' | 'icon'>;

export type ButtonProps = Native & {
  kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  type?: 'button' | 'submit';
  icon?: IconName;
  /** Takes the whole width. */
  wide?: boolean;
  /** Something runs: the button is disabled for the time. */
  busy?: boolean;
  children: ComponentChildren;
};

export function Button({
  kind = 'plain',
  type = 'button',
  icon,
  wide,
  busy,
  disabled,
  children,
  ...rest
}: ButtonProps) {
  const classes = ['button', kind, wide ? 'wide' : ''].join(' ');
  return (
    <button {...rest} type={type} class={classes} disabled={Boolean(disabled) || busy} aria-busy={busy}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

export type IconButtonProps = Native & { icon: IconName; label: string };

export function IconButton({ icon, label, ...rest }: IconButtonProps) {
  return (
    <button {...rest} type="button" class="icon-button" aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  );
}
