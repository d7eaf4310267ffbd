// Messages that were deleted a moment ago: an answer that was under way may still have them.

const MOST = 2000;
const gone = new Set<number>();

export function noteGone(id: number): void {
  gone.add(id);
  if (gone.size <= MOST) return;
  const [oldest] = gone;
  if (oldest !== undefined) gone.delete(oldest);
}

/** The deletion was taken back, or has failed. */
export function noteBack(id: number): void {
  gone.delete(id);
}

/** Forgets all of them: no answer is under way any more. */
export function forgetGone(): void {
  gone.clear();
}

export function isGone(id: number): boolean {
  return gone.has(id);
}
