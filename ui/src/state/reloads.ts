// What is asked for again whenever it may have changed.

export type Reloads = {
  /** Resolves once the answer to a request came that was made at this call or later. Throws what that throws. */
  reload: () => Promise<void>;
  /** Keeps no answer to what was asked up to now. */
  forget: () => void;
};

/**
 * Makes one request at a time, so that no older answer takes the place of a newer one. Those who ask while an answer is
 * awaited share one more request, which knows what has changed meanwhile.
 *
 * `keep` gets each answer; `onSettled` is called after a refusal, too.
 */
export function reloads<T>(
  ask: () => Promise<T>,
  keep: (answer: T) => void,
  onSettled: () => void = () => {},
): Reloads {
  let generation = 0;
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  const start = async () => {
    const own = generation;
    try {
      const answer = await ask();
      if (own === generation) keep(answer);
    } finally {
      if (own === generation) {
        running = null;
        onSettled();
      }
    }
  };
  const startNext = async () => {
    const own = generation;
    await running?.catch(() => {});
    if (own !== generation) return;
    next = null;
    await reload();
  };
  const reload = (): Promise<void> => {
    if (running) {
      next ??= startNext();
      return next;
    }
    running = start();
    return running;
  };
  const forget = () => {
    generation += 1;
    running = null;
    next = null;
  };
  return { reload, forget };
}
