// A list of messages: what of it is in memory, and how more is loaded.
import { signal } from '@preact/signals';
import { type Filter, isSearch, listMessages } from '../api/messages';
import type { Message, PagedMessages } from '../api/types';
import { prepareMarkdown } from '../markdown/loader';
import { Edge } from './edge';
import { isGone } from './gone';
import { MessageWindow } from './window';

/** How many messages are asked for at first, and then at once. */
export const FIRST_PAGE = 50;
const PAGE = 100;

/** More than that is not kept in memory: what is far from the visible part is dropped, and loaded again when needed. */
const MOST_ROWS = 10_000;
const MOST_CHARACTERS = 16_000_000;
/** How much is dropped at once. */
const DROPPED_SHARE = 0.1;
/** A message that is to be seen is so many pixels below the top. */
const SHOWN_BELOW = 48;
/** When a list is refreshed, so many rows above what is seen are kept. */
const ROWS_ABOVE = 30;
/** Messages that came while newer pages are loaded. */
const MOST_HELD = 1000;

export class MessageList {
  readonly rows = new MessageWindow();
  /** Changes with `rows`. */
  readonly version = signal(0);
  readonly status = signal<'loading' | 'ready' | 'failed'>('loading');
  readonly error = signal<unknown>(null);
  /** How many messages have come above what the person sees. */
  readonly unseen = signal(0);

  /** Whether there are older messages than those in memory. */
  hasOlder = false;
  /** Whether there are newer ones: then what comes is not added. */
  hasNewer = false;
  /** Whether the person sees the newest message. */
  isAtTop = true;
  /** What is at the top of the visible part; null keeps the newest there. */
  anchor: { id: number; delta: number } | null = null;
  /** The message that has, or had last, the focus. */
  readonly active = signal(0);
  /** What was read when the list was opened: above it is the line "new". 0 if there is no such line. */
  readonly newAbove = signal(0);

  private readonly older = new Edge();
  private readonly newer = new Edge();
  /** Whether the last attempt to load older messages has failed. */
  readonly olderFailed = this.older.failed;

  /** The oldest id that was loaded; its message may be gone. */
  private bottom = 0;
  private held: Message[] = [];
  private generation = 0;

  constructor(readonly filter: Filter) {}

  /** Loads the newest messages, and forgets the others. */
  async load(loading?: Promise<PagedMessages>): Promise<void> {
    const generation = this.restart();
    try {
      const page = await (loading ?? listMessages(this.filter, { limit: FIRST_PAGE }));
      await prepareMarkdown(page.messages);
      if (generation !== this.generation) return;
      this.hasOlder = page.paging.next !== undefined;
      this.bottom = page.messages.at(-1)?.id ?? 0;
      this.finish(page.messages);
    } catch (error) {
      this.fail(error, generation);
    }
  }

  /** Loads the messages around one, and forgets the others. */
  async loadAround(id: number): Promise<void> {
    const generation = this.restart();
    // What comes meanwhile is far from what is loaded.
    this.hasNewer = true;
    this.anchor = { id, delta: -SHOWN_BELOW };
    this.isAtTop = false;
    this.active.value = id;
    try {
      const [older, newer] = await Promise.all([
        listMessages(this.filter, { limit: FIRST_PAGE, since: id + 1 }),
        listMessages(this.filter, { limit: FIRST_PAGE, after: id }),
      ]);
      if (generation !== this.generation) return;
      this.hasOlder = older.paging.next !== undefined;
      this.bottom = older.messages.at(-1)?.id ?? id;
      this.addNewer(newer);
      this.finish(older.messages);
    } catch (error) {
      this.fail(error, generation);
    }
  }

  private restart(): number {
    this.rows.clear();
    this.held = [];
    this.hasOlder = false;
    this.hasNewer = false;
    this.isAtTop = true;
    this.anchor = null;
    this.unseen.value = 0;
    this.status.value = 'loading';
    this.error.value = null;
    this.resetEdges();
    this.changed();
    this.generation += 1;
    return this.generation;
  }

  private finish(messages: readonly Message[]): void {
    this.add(messages);
    this.status.value = 'ready';
    this.changed();
    this.refill();
  }

  private fail(error: unknown, generation: number): void {
    if (generation !== this.generation) return;
    this.resetEdges();
    this.error.value = error;
    this.status.value = 'failed';
  }

  /** Has the person see a message that is in memory. */
  show(id: number): void {
    this.anchor = { id, delta: -SHOWN_BELOW };
    this.isAtTop = false;
    this.active.value = id;
    this.changed();
  }

  /** Loads older messages, unless that is under way. */
  async loadOlder(): Promise<void> {
    if (this.older.isAsked || !this.hasOlder || this.status.peek() !== 'ready') return;
    const { generation } = this;
    const page = await this.older.ask(() =>
      this.listFrom(this.bottom).catch((error: unknown) => {
        // Nothing else is on the screen.
        if (this.rows.length === 0) this.fail(error, generation);
        throw error;
      }),
    );
    if (!page) return;
    const oldest = page.messages.at(-1)?.id;
    this.hasOlder = page.paging.next !== undefined && oldest !== undefined;
    this.bottom = oldest ?? this.bottom;
    this.add(page.messages);
    this.trim();
    this.changed();
    this.refill();
  }

  /** Loads newer messages, unless that is under way. */
  async loadNewer(): Promise<void> {
    // What was refused for good is asked for again when the list is loaded or refreshed.
    if (this.newer.isAsked || this.newer.failed.peek() || !this.hasNewer || this.rows.length === 0) return;
    const page = await this.newer.ask(() =>
      listMessages(this.filter, { limit: PAGE, after: this.rows.newestId }),
    );
    if (!page) return;
    this.addNewer(page);
    this.trim();
    this.changed();
  }

  /** Adds a page of newer messages, and to the last one what has come while it was loaded. */
  private addNewer(page: PagedMessages): void {
    this.hasNewer = page.paging.next !== undefined || this.held.length >= MOST_HELD;
    this.add(page.messages);
    if (!this.hasNewer) this.add(this.held);
    this.held = [];
  }

  /** What is being loaded at the ends of the list would not fit any more. */
  private resetEdges(): void {
    this.older.reset();
    this.newer.reset();
  }

  /** Adds messages that have just come. */
  receive(messages: readonly Message[]): void {
    // A list that could not be loaded is loaded again, with these.
    if (this.status.peek() === 'failed') return;
    const matching = messages.filter((message) => this.accepts(message));
    if (matching.length === 0) return;
    if (this.hasNewer) {
      this.unseen.value += matching.length;
      if (this.held.length < MOST_HELD) this.held.push(...matching);
      return;
    }
    const added = this.add(matching);
    if (!this.isAtTop) this.unseen.value += added;
    this.trim();
    this.changed();
  }

  /** Whether a message that comes belongs here. What the words of a search match is for the server to say. */
  private accepts({ appid, priority, date }: Message): boolean {
    const { appid: wanted, text, minPriority, from, to } = this.filter;
    if (text || (wanted !== undefined && wanted !== appid)) return false;
    if (minPriority !== undefined && priority < minPriority) return false;
    const time = Date.parse(date);
    return !(from && time < Date.parse(from)) && !(to && time >= Date.parse(to));
  }

  /**
   * Asks again for what the person sees, and forgets the rest: messages may have been deleted, or come, that the stream
   * did not tell of. What is seen stays until the answer is here, and if there is none.
   */
  async refresh(): Promise<void> {
    const { generation, rows } = this;
    if (this.status.peek() !== 'ready') return;
    const seen = this.isAtTop || !this.anchor ? 0 : rows.indexOf(this.anchor.id);
    let above = rows.at(seen - ROWS_ABOVE)?.message.id;
    // What a search has found can't be followed upwards.
    const canFollow = !isSearch(this.filter);
    if (above !== undefined && !canFollow) return;
    const asked = rows.newestId;
    if (this.hasNewer) above ??= asked + 1;
    let page = await this.listFrom(above);
    if (generation !== this.generation) return;
    if (above === undefined && !this.isAtTop && canFollow && (page.messages.at(-1)?.id ?? 0) > asked) {
      // So many have come that what is seen is not among the newest.
      above = asked + 1;
      page = await this.listFrom(above);
      if (generation !== this.generation) return;
    }
    const fresh = new Set(page.messages.map(({ id }) => id));
    const newest = Math.max(asked, page.messages[0]?.id ?? 0);
    rows.remove(({ id }) => !fresh.has(id) && (above !== undefined || id <= newest));
    this.hasOlder = page.paging.next !== undefined;
    this.hasNewer = above !== undefined;
    this.bottom = page.messages.at(-1)?.id ?? 0;
    this.resetEdges();
    this.add(page.messages);
    this.changed();
    this.refill();
  }

  private listFrom(since: number | undefined): Promise<PagedMessages> {
    return listMessages(this.filter, { limit: PAGE, ...(since ? { since } : {}) });
  }

  /** Takes messages out. */
  remove(isRemoved: (message: Message) => boolean): void {
    this.held = this.held.filter((message) => !isRemoved(message));
    if (this.rows.remove(isRemoved) === 0) return;
    this.changed();
    this.refill();
  }

  /** Loads messages if all those in memory are gone, and there may be others. */
  private refill(): void {
    if (!this.isIncomplete) return;
    if (this.hasNewer) {
      void this.load();
      return;
    }
    this.isAtTop = true;
    this.anchor = null;
    this.unseen.value = 0;
    void this.loadOlder();
  }

  /** Whether nothing is in memory, though there may be messages. */
  get isIncomplete(): boolean {
    return this.status.peek() === 'ready' && this.rows.length === 0 && (this.hasNewer || this.hasOlder);
  }

  /** Puts a message back that was taken out. */
  restore(message: Message): void {
    // What is being loaded has it.
    if (this.status.peek() !== 'ready') return;
    const isBelow = this.hasOlder && message.id < this.bottom;
    const isAbove = this.hasNewer && message.id > this.rows.newestId;
    const belongs = this.filter.appid === undefined || this.filter.appid === message.appid;
    if (!belongs || isBelow || isAbove) return;
    this.add([message]);
    this.changed();
  }

  private add(messages: readonly Message[]): number {
    return this.rows.insert(messages.filter((message) => !isGone(message.id)));
  }

  /** Drops what is too much, from the end that is farther from what the person sees. */
  private trim(): void {
    const { rows } = this;
    if (rows.length <= MOST_ROWS && rows.characters <= MOST_CHARACTERS) return;
    this.resetEdges();
    const kept = Math.max(FIRST_PAGE, Math.floor(rows.length * (1 - DROPPED_SHARE)));
    const seen = this.anchor ? rows.indexOf(this.anchor.id) : 0;
    if (seen > rows.length / 2 && !isSearch(this.filter)) {
      rows.keepOldest(kept);
      this.hasNewer = true;
    } else {
      rows.keepNewest(kept);
      this.hasOlder = true;
      this.bottom = rows.oldestId;
    }
  }

  /** Keeps only what comes first, while the list is not shown. */
  shrink(): void {
    if (this.rows.length <= 4 * FIRST_PAGE) return;
    if (this.hasNewer) {
      void this.load();
      return;
    }
    this.rows.keepNewest(2 * FIRST_PAGE);
    this.resetEdges();
    this.hasOlder = true;
    this.bottom = this.rows.oldestId;
    this.anchor = null;
    this.isAtTop = true;
    this.changed();
  }

  /** Ends what is being loaded: the list will not be shown again. */
  close(): void {
    this.resetEdges();
  }

  private changed(): void {
    this.version.value += 1;
  }
}
