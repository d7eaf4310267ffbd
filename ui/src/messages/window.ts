// The messages of a list that are in memory: a gapless part of it, ordered by id.
import type { Message } from '../api/types';

export type Row = {
  readonly message: Message;
  /** In pixels, as measured; 0 before it was shown. */
  height: number;
};

/** Holds rows. Index 0 is the newest. */
export class MessageWindow {
  /** The oldest first, so that a new message is appended. */
  private rows: Row[] = [];
  private characterCount = 0;

  get length(): number {
    return this.rows.length;
  }

  /** How many characters all messages have. */
  get characters(): number {
    return this.characterCount;
  }

  /** The id of the newest message, or 0. */
  get newestId(): number {
    return this.rows.at(-1)?.message.id ?? 0;
  }

  /** The id of the oldest message, or 0. */
  get oldestId(): number {
    return this.rows[0]?.message.id ?? 0;
  }

  at(index: number): Row | undefined {
    return index < 0 ? undefined : this.rows[this.rows.length - 1 - index];
  }

  /** Returns the index of a message, or -1. */
  indexOf(id: number): number {
    const position = this.position(id);
    return this.rows[position]?.message.id === id ? this.rows.length - 1 - position : -1;
  }

  /** Adds messages in any order; those that are there already are left out. Returns how many were added. */
  insert(messages: readonly Message[]): number {
    const before = this.rows.length;
    const ascending = [...messages].sort((a, b) => a.id - b.id);
    const older: Row[] = [];
    const oldest = this.rows[0]?.message.id ?? Number.POSITIVE_INFINITY;
    for (const message of ascending) {
      const row = { message, height: 0 };
      if (message.id < oldest) {
        if (older.at(-1)?.message.id === message.id) continue;
        older.push(row);
      } else if (!this.insertOne(row)) continue;
      this.characterCount += size(message);
    }
    if (older.length > 0) this.rows = older.concat(this.rows);
    return this.rows.length - before;
  }

  private insertOne(row: Row): boolean {
    const { id } = row.message;
    if (id > this.newestId) {
      this.rows.push(row);
      return true;
    }
    const position = this.position(id);
    if (this.rows[position]?.message.id === id) return false;
    this.rows.splice(position, 0, row);
    return true;
  }

  /** Takes out the messages for which `isGone` holds; returns how many. */
  remove(isGone: (message: Message) => boolean): number {
    const before = this.rows.length;
    const kept = this.rows.filter(({ message }) => !isGone(message));
    if (kept.length !== before) this.replace(kept);
    return before - kept.length;
  }

  /** Keeps only so many of the newest messages. */
  keepNewest(count: number): void {
    if (this.rows.length > count) this.replace(this.rows.slice(this.rows.length - count));
  }

  /** Keeps only so many of the oldest messages. */
  keepOldest(count: number): void {
    if (this.rows.length > count) this.replace(this.rows.slice(0, count));
  }

  clear(): void {
    this.replace([]);
  }

  private replace(rows: Row[]): void {
    this.rows = rows;
    this.characterCount = rows.reduce((sum, { message }) => sum + size(message), 0);
  }

  /** Returns where an id is, or would be inserted. */
  private position(id: number): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.rows[middle]?.message.id ?? id) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function size({ message, title }: Message): number {
  return message.length + title.length;
}
