// A list of things that can be deleted.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

export type ItemsProps = { label: string; count: number; children: ComponentChildren };

/** If the row that has the focus is deleted, the one in its place gets it; with the last one, the screen does. */
export function Items({ label, count, children }: ItemsProps) {
  const root = useRef<HTMLUListElement>(null);
  const place = useRef(-1);
  useLayoutEffect(() => {
    const { current: list } = root;
    if (!list || place.current < 0 || document.activeElement !== document.body) return;
    const row = list.children[Math.min(place.current, count - 1)];
    row?.querySelector<HTMLElement>('button, a')?.focus();
  }, [count]);
  useLayoutEffect(() => {
    const { current: list } = root;
    return () => {
      if (list?.contains(document.activeElement)) document.getElementById('main')?.focus();
    };
  }, []);
  return (
    <ul
      ref={root}
      class="card items"
      aria-label={label}
      onFocusIn={({ target, currentTarget }) => {
        const row = (target as Element).closest('.items > *');
        place.current = row ? [...currentTarget.children].indexOf(row) : -1;
      }}
    >
      {children}
    </ul>
  );
}
