// A button that opens a list of actions, with the keys of a menu.
import { useSignal } from '@preact/signals';
import { useEffect, useId, useRef } from 'preact/hooks';
import { IconButton } from './Button';
import { Icon, type IconName } from './Icon';

export type MenuItem = {
  label: string;
  icon?: IconName;
  danger?: boolean;
  disabled?: boolean;
  run: () => void;
};

export type MenuProps = { label: string; icon?: IconName; items: readonly MenuItem[]; tabIndex?: number };

export function Menu({ label, icon = 'more', items, tabIndex }: MenuProps) {
  const isOpen = useSignal(false);
  const root = useRef<HTMLDivElement>(null);
  const id = useId();

  useEffect(() => {
    if (!isOpen.value) return;
    move(root.current, 0);
    const closeOutside = (event: Event) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) isOpen.value = false;
    };
    document.addEventListener('pointerdown', closeOutside);
    return () => document.removeEventListener('pointerdown', closeOutside);
  }, [isOpen.value]);

  const close = () => {
    isOpen.value = false;
    root.current?.querySelector('button')?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (!isOpen.value) return;
    const steps: Record<string, () => void> = {
      Escape: close,
      Tab: close,
      ArrowDown: () => move(root.current, 1),
      ArrowUp: () => move(root.current, -1),
      Home: () => move(root.current, 'first'),
      End: () => move(root.current, 'last'),
    };
    const step = steps[event.key];
    if (!step) return;
    if (event.key !== 'Tab') event.preventDefault();
    event.stopPropagation();
    step();
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys of the menu's own items
    <div class="menu" ref={root} onKeyDown={onKeyDown}>
      <IconButton
        icon={icon}
        label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen.value}
        aria-controls={isOpen.value ? id : undefined}
        tabIndex={tabIndex}
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      />
      {isOpen.value && (
        <div class="menu-list" role="menu" id={id} aria-label={label}>
          {items.map((item) => (
            <button
              key={item.label}
              type="button"
              role="menuitem"
              class={item.danger ? 'menu-item danger' : 'menu-item'}
              disabled={item.disabled}
              onClick={() => {
                close();
                item.run();
              }}
            >
              {item.icon && <Icon name={item.icon} />}
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/** Moves the focus among the items by a step; from outside of them to the first or last. */
function move(root: HTMLElement | null, step: number | 'first' | 'last'): void {
  const items = [...(root?.querySelectorAll<HTMLElement>('[role=menuitem]:not(:disabled)') ?? [])];
  const current = items.indexOf(document.activeElement as HTMLElement);
  let next = step === 'first' ? 0 : items.length - 1;
  if (typeof step === 'number') next = (current + step + items.length) % items.length;
  if (typeof step === 'number' && current < 0) next = step < 0 ? items.length - 1 : 0;
  items[next]?.focus();
}
