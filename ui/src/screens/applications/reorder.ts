// Moving a row of a list to another place: by dragging its handle, or by keys after the handle was pressed.
import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { shownOrder } from './order';

/** How far a pointer has to go before a press becomes a drag, in CSS pixels. */
const DRAG_DISTANCE = 4;
/** How near to the edge of the scrolled area a drag scrolls it, and by how much per event. */
const EDGE = 56;
const SCROLL_STEP = 16;

/** Which row is moved, and to which place, counted from 0. The others may come and go meanwhile. */
export type Moving = { id: number; to: number };
export type Step = 'begun' | 'moved' | 'ended' | 'undone';

export type Reorder = {
  /** The ids in the order that is shown now. */
  order: readonly number[];
  moving: Signal<Moving | null>;
  /** For the handle of the row with this id. */
  handle: (id: number) => JSX.IntrinsicElements['button'];
};

/**
 * Keeps the order of a list while one of its rows is moved. Rows have the attribute `data-id`.
 *
 * `onStep` hears what happens, for a live region; `onEnd` gets a row's id and new place.
 */
export function useReorder(
  ids: readonly number[],
  onStep: (step: Step, moving: Moving) => void,
  onEnd: (id: number, to: number) => void,
): Reorder {
  const moving = useSignal<Moving | null>(null);
  const handles = useRef(new Map<number, HTMLButtonElement>());
  // A drag ends with a click on the handle, which must not begin another move.
  const hasDragged = useRef(false);

  // A drag outlives many lists.
  const list = useRef(ids);
  list.current = ids;
  const placeOf = (id: number) => list.current.indexOf(id);

  const begin = (id: number) => {
    moving.value = { id, to: placeOf(id) };
    onStep('begun', moving.value);
  };
  const moveTo = (to: number) => {
    const now = moving.value;
    if (!now || to < 0 || to >= list.current.length || to === now.to) return;
    moving.value = { ...now, to };
    onStep('moved', moving.value);
  };
  const end = (isKept: boolean) => {
    const now = moving.value;
    if (!now) return;
    moving.value = null;
    const from = placeOf(now.id);
    // It may have been deleted elsewhere.
    if (from < 0) return;
    onStep(isKept ? 'ended' : 'undone', isKept ? now : { ...now, to: from });
    if (isKept && from !== now.to) onEnd(now.id, now.to);
  };

  // The browser takes the focus from an element that is moved in the document.
  useLayoutEffect(() => {
    const now = moving.value;
    if (now) handles.current.get(now.id)?.focus();
  }, [moving.value?.to]);

  const drag = (id: number, start: PointerEvent) => {
    hasDragged.current = false;
    const rows = (start.currentTarget as HTMLElement).closest('ul');
    const onMove = (event: PointerEvent) => {
      if (!hasDragged.current) {
        if (Math.abs(event.clientY - start.clientY) < DRAG_DISTANCE) return;
        hasDragged.current = true;
        end(true);
        begin(id);
      }
      event.preventDefault();
      scrollAtEdge(rows, event.clientY);
      moveTo(placeAt(rows, id, event.clientY));
    };
    const stop = (event: PointerEvent) => {
      removeEventListener('pointermove', onMove);
      removeEventListener('pointerup', stop);
      removeEventListener('pointercancel', stop);
      if (hasDragged.current) end(event.type === 'pointerup');
    };
    addEventListener('pointermove', onMove);
    addEventListener('pointerup', stop);
    addEventListener('pointercancel', stop);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const now = moving.value;
    if (!now) return;
    const steps: Record<string, () => void> = {
      ArrowUp: () => moveTo(now.to - 1),
      ArrowDown: () => moveTo(now.to + 1),
      Home: () => moveTo(0),
      End: () => moveTo(list.current.length - 1),
      Escape: () => end(false),
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    step();
  };

  const now = moving.value;
  return {
    order: shownOrder(ids, now),
    moving,
    handle: (id) => ({
      ref: (element: HTMLButtonElement | null) => {
        if (element) handles.current.set(id, element);
        else handles.current.delete(id);
      },
      'aria-pressed': now?.id === id,
      onClick: () => {
        if (hasDragged.current) hasDragged.current = false;
        else if (moving.value?.id === id) end(true);
        else {
          end(true);
          begin(id);
        }
      },
      onPointerDown: (event) => {
        if (event.button === 0) drag(id, event);
      },
      onKeyDown,
      onBlur: (event) => {
        // Without another focused element it is the document that changed.
        if (event.relatedTarget && !hasDragged.current) end(true);
      },
    }),
  };
}

/** The place among the other rows that a height on the screen belongs to. */
function placeAt(list: Element | null, id: number, y: number): number {
  const others = [...(list?.querySelectorAll<HTMLElement>('[data-id]') ?? [])].filter(
    (row) => row.dataset.id !== String(id),
  );
  return others.filter((row) => {
    const { top, height } = row.getBoundingClientRect();
    return y > top + height / 2;
  }).length;
}

function scrollAtEdge(list: Element | null, y: number): void {
  const area = list?.closest('.main');
  if (!area) return;
  const { top, bottom } = area.getBoundingClientRect();
  if (y < top + EDGE) area.scrollBy(0, -SCROLL_STEP);
  else if (y > bottom - EDGE) area.scrollBy(0, SCROLL_STEP);
}
