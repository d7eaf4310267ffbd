// Places the rows of a list, keeps what the person sees where it is, and moves the focus. See `ListView`.
import { signal } from '@preact/signals';
import { createRef } from 'preact';
import type { Message } from '../../api/types';
import { listCommands } from '../../messages/commands';
import { deleteWithUndo } from '../../messages/deletion';
import { Layout } from '../../messages/layout';
import type { MessageList } from '../../messages/list';
import { noteSeen, readUpTo } from '../../messages/reading';

/** So many pixels beyond the visible part are drawn. */
const BEYOND = 800;
/** When less than that is left of it, the next part is drawn. */
const BEYOND_AT_LEAST = 300;
/** When fewer rows than that follow, more are loaded. */
const ROWS_AHEAD = 25;
/** So far from the top still counts as the top. */
const TOP = 2;

export class ListController {
  readonly scroller = createRef<HTMLDivElement>();
  readonly space = createRef<HTMLDivElement>();
  readonly rowsElement = createRef<HTMLOListElement>();
  /** Changes when other rows have to be drawn. */
  readonly drawn = signal(0);

  private readonly layout = new Layout();
  private readonly sizes = new ResizeObserver(() => this.settle());
  private range = { first: 0, end: 0 };
  private height = innerHeight;
  /** Where the visible part began when this was looked at or set last: another place was chosen by the person. */
  private knownTop = 0;
  private focusNext = 0;

  constructor(private readonly list: MessageList) {}

  /** Called when the list is in the document; returns what ends it. */
  attach(): () => void {
    const { scroller } = this;
    if (scroller.current) this.sizes.observe(scroller.current);
    // What is visible counts as seen only while the page is.
    const onVisible = () => !document.hidden && this.settle();
    document.addEventListener('visibilitychange', onVisible);
    listCommands.current = {
      move: (step) => this.move(step),
      remove: () => {
        const message = this.focused();
        if (message) this.remove(message);
      },
      read: () => void readUpTo(this.focused()?.id ?? 0, this.list.filter.appid),
    };
    return () => {
      this.sizes.disconnect();
      document.removeEventListener('visibilitychange', onVisible);
      listCommands.current = null;
    };
  }

  /** Places all rows, and returns those to be drawn. */
  place(): { first: number; end: number } {
    this.followScroll();
    this.layout.update(this.list.rows);
    // No browser scrolls beyond the end: rows that are drawn for there only would be drawn again and again.
    const top = Math.min(this.wantedTop(), Math.max(0, this.layout.total - this.height));
    this.range = this.layout.range(top - BEYOND, top + this.height + BEYOND);
    return this.range;
  }

  /** Where the visible part should begin. */
  private wantedTop(): number {
    const { anchor, isAtTop, rows } = this.list;
    if (isAtTop) return 0;
    const index = anchor ? rows.indexOf(anchor.id) : -1;
    if (anchor && index >= 0) return this.layout.top(index) + anchor.delta;
    return this.scroller.current?.scrollTop ?? 0;
  }

  /** After rows were drawn or have changed their size: measures them, and puts everything in its place. */
  settle(): void {
    const { scroller, space, rowsElement, list } = this;
    if (!scroller.current || !space.current || !rowsElement.current) return;
    this.followScroll();
    this.height = scroller.current.clientHeight;
    if (this.measure(rowsElement.current)) this.layout.update(list.rows);
    space.current.style.height = `${this.layout.total}px`;
    rowsElement.current.style.transform = `translateY(${this.layout.top(this.range.first)}px)`;
    const top = this.wantedTop();
    if (Math.abs(scroller.current.scrollTop - top) >= 1) {
      scroller.current.scrollTop = top;
      this.knownTop = scroller.current.scrollTop;
    }
    this.focusIfWanted();
    this.look(scroller.current.scrollTop);
  }

  private measure(element: HTMLOListElement): boolean {
    let isChanged = false;
    for (const child of element.children) {
      const { row: id } = (child as HTMLElement).dataset;
      const row = this.list.rows.at(this.list.rows.indexOf(Number(id)));
      if (!row) continue;
      this.sizes.observe(child);
      const { height } = child.getBoundingClientRect();
      if (height > 0 && Math.abs(row.height - height) > 0.5) {
        row.height = height;
        isChanged = true;
      }
    }
    return isChanged;
  }

  readonly onScroll = (): void => {
    this.followScroll();
    this.look(this.knownTop);
  };

  /** Browsers report scrolling later than they do it: rows that were drawn meanwhile must not take it back. */
  private followScroll(): void {
    const top = this.scroller.current?.scrollTop ?? 0;
    if (Math.abs(top - this.knownTop) < 1) return;
    this.knownTop = top;
    this.keep(top);
  }

  /** Remembers what is at the top of the visible part. */
  private keep(top: number): void {
    const { list } = this;
    const isAtTop = top <= TOP && !list.hasNewer;
    list.isAtTop = isAtTop;
    const index = this.layout.rowAt(top);
    const id = list.rows.at(index)?.message.id;
    list.anchor = isAtTop || id === undefined ? null : { id, delta: top - this.layout.top(index) };
    if (isAtTop) list.unseen.value = 0;
  }

  /** Draws and loads what is needed at a place, and notes what is seen there. */
  private look(top: number): void {
    const { first, end } = this.layout.range(top - BEYOND_AT_LEAST, top + this.height + BEYOND_AT_LEAST);
    const { range, list } = this;
    if (first < range.first || end > range.end) {
      this.keepFocus();
      this.drawn.value += 1;
    }
    if (list.hasOlder && end + ROWS_AHEAD >= list.rows.length && !list.olderFailed.peek()) this.loadMore();
    if (list.hasNewer && first <= ROWS_AHEAD) void list.loadNewer();
    const newest = list.rows.at(this.layout.rowAt(top + 8));
    if (newest) noteSeen(list, newest.message.id);
  }

  loadMore(): void {
    void this.list.loadOlder();
  }

  /** Rows that are taken out of the document would take the focus with them. */
  private keepFocus(): void {
    const id = this.focusedId();
    if (id === 0) return;
    const { first, end } = this.place();
    const index = this.list.rows.indexOf(id);
    if (index < first || index >= end) this.scroller.current?.focus({ preventScroll: true });
  }

  /** The message that the Tab key stops at: the last active one, if it is drawn, or the first visible one. */
  stopId(first: number, end: number): number {
    const { list, layout } = this;
    const active = list.rows.indexOf(list.active.value);
    if (active >= first && active < end) return list.active.peek();
    return list.rows.at(layout.rowAt(this.wantedTop() + 8))?.message.id ?? 0;
  }

  readonly onFocus = (event: FocusEvent): void => {
    if (!(event.target instanceof HTMLElement)) return;
    const id = Number(event.target.closest<HTMLElement>('[data-row]')?.dataset.row);
    this.list.active.value = id;
    // Who reads a message by keyboard must not have it pushed away.
    const isPinned = this.list.isAtTop && this.list.rows.indexOf(id) > 0;
    if (isPinned && event.target.matches(':focus-visible')) {
      const newest = this.list.rows.newestId;
      this.list.isAtTop = false;
      this.list.anchor = { id: newest, delta: 0 };
    }
  };

  readonly onKeyDown = (event: KeyboardEvent): void => {
    const isRow = event.target instanceof Element && event.target.matches('[data-message]');
    if (!isRow || event.ctrlKey || event.altKey || event.metaKey) return;
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      Home: Number.NEGATIVE_INFINITY,
      End: Number.POSITIVE_INFINITY,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    this.move(step);
  };

  /** Moves the focus by so many messages; from outside of the list to the message that Tab would stop at. */
  private move(step: number): void {
    const { list } = this;
    const isInside = this.rowsElement.current?.contains(document.activeElement) ?? false;
    const stop = list.rows.indexOf(this.stopId(this.range.first, this.range.end));
    const target = isInside ? stop + step : stop;
    this.focus(Math.max(0, Math.min(list.rows.length - 1, target)));
  }

  /** Brings a message into view, and the focus to it. */
  private focus(index: number): void {
    const { list, layout } = this;
    const message = list.rows.at(index)?.message;
    if (!message) return;
    list.active.value = message.id;
    this.focusNext = message.id;
    const top = this.scroller.current?.scrollTop ?? 0;
    const [above, below] = [layout.top(index), layout.top(index + 1)];
    let wanted = top;
    if (below > top + this.height) wanted = below - this.height;
    if (above < wanted) wanted = above;
    if (wanted !== top) {
      this.keep(wanted);
      if (index > 0) this.pin(wanted);
    }
    // A row that is drawn gets the focus at once: the next key may come before anything is drawn again.
    const row = this.rowElement(message.id);
    if (row) {
      this.focusNext = 0;
      row.focus({ preventScroll: true });
    }
    this.drawn.value += 1;
  }

  private rowElement(id: number): HTMLElement | null {
    return this.rowsElement.current?.querySelector<HTMLElement>(`[data-message="${id}"]`) ?? null;
  }

  private pin(top: number): void {
    const { list } = this;
    const index = this.layout.rowAt(top);
    const id = list.rows.at(index)?.message.id;
    if (id === undefined) return;
    list.isAtTop = false;
    list.anchor = { id, delta: top - this.layout.top(index) };
  }

  private focusIfWanted(): void {
    if (this.focusNext === 0) return;
    const element = this.rowElement(this.focusNext);
    this.focusNext = 0;
    element?.focus({ preventScroll: true });
  }

  /** The message that has the focus, or is about to get it. */
  private focused(): Message | undefined {
    const { rows } = this.list;
    return rows.at(rows.indexOf(this.focusNext || this.focusedId()))?.message;
  }

  private focusedId(): number {
    const { activeElement } = document;
    if (!this.rowsElement.current?.contains(activeElement)) return 0;
    return Number(activeElement?.closest<HTMLElement>('[data-row]')?.dataset.row);
  }

  /** Deletes a message. A focus inside of it goes on to the next older message. */
  readonly remove = (message: Message): void => {
    const { list } = this;
    const index = list.rows.indexOf(message.id);
    const next = list.rows.at(index + 1) ?? list.rows.at(index - 1);
    if (next && this.focused()?.id === message.id) {
      list.active.value = next.message.id;
      this.focusNext = next.message.id;
    }
    deleteWithUndo(message);
  };

  /** Shows the newest message. */
  toNewest(): void {
    const { list } = this;
    if (list.hasNewer) {
      void list.load();
      return;
    }
    list.isAtTop = true;
    list.anchor = null;
    list.unseen.value = 0;
    this.drawn.value += 1;
  }
}
