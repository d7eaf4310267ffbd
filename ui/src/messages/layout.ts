// Where the rows of a list are, from the heights of those that were shown and an estimate for the others.
import type { MessageWindow } from './window';

/** The height of a row, in pixels, before any was measured. */
const FIRST_ESTIMATE = 96;

export class Layout {
  /** `offsets[i]` is the top of row i; one more is the bottom of the last. */
  private offsets = new Float64Array(1);
  private count = 0;

  get total(): number {
    return this.offsets[this.count] ?? 0;
  }

  /** Places the rows anew, after any of them or their heights have changed. */
  update(rows: MessageWindow): void {
    this.count = rows.length;
    if (this.offsets.length <= this.count) this.offsets = new Float64Array(2 * this.count + 1);
    const estimate = average(rows);
    let top = 0;
    for (let index = 0; index < this.count; index++) {
      this.offsets[index] = top;
      top += rows.at(index)?.height || estimate;
    }
    this.offsets[this.count] = top;
  }

  /** Returns the top of a row, in pixels. */
  top(index: number): number {
    return this.offsets[Math.max(0, Math.min(index, this.count))] ?? 0;
  }

  /** Returns the row at a place; the first or last one for places outside. */
  rowAt(place: number): number {
    let low = 0;
    let high = Math.max(0, this.count - 1);
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.top(middle) <= place) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Returns the rows that touch a stretch, as the first and the one after the last. */
  range(from: number, to: number): { first: number; end: number } {
    if (this.count === 0) return { first: 0, end: 0 };
    return { first: this.rowAt(from), end: Math.min(this.count, this.rowAt(to) + 1) };
  }
}

/** Returns the average height of the newest rows that were measured. */
function average(rows: MessageWindow): number {
  let sum = 0;
  let measured = 0;
  for (let index = 0; index < rows.length && measured < 100; index++) {
    const height = rows.at(index)?.height ?? 0;
    if (height === 0) continue;
    sum += height;
    measured += 1;
  }
  return measured === 0 ? FIRST_ESTIMATE : sum / measured;
}
