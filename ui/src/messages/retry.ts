// Asks again by itself after a failure that may pass.
import { effect } from '@preact/signals';
import { ApiError, isTemporary } from '../api/errors';
import { waitMs } from './backoff';
import type { MessageList } from './list';

/** Returns how long to wait after so many failures in a row: at least as long as the server has asked for. */
export function retryMs(error: unknown, failures: number): number {
  const demanded = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  return Math.max(demanded, waitMs(failures));
}

/** Loads a list again whenever that has failed. Returns what ends this. */
export function keepLoading(list: MessageList): () => void {
  let failures = 0;
  return effect(() => {
    const status = list.status.value;
    if (status === 'ready') failures = 0;
    const error = list.error.peek();
    if (status !== 'failed' || !isTemporary(error)) return;
    failures += 1;
    const timer = setTimeout(() => void list.load(), retryMs(error, failures));
    return () => clearTimeout(timer);
  });
}

/** Ends the waits of those who ask again. */
const waiting = new Set<() => void>();

/** Has everybody who waits ask at once: the server is there again. */
export function retryNow(): void {
  for (const end of [...waiting]) end();
}

/** Asks until there is an answer. Resolves to undefined once it is not wanted any more. Throws what will not pass. */
export async function untilAnswered<T>(
  ask: () => Promise<T>,
  isWanted: () => boolean,
): Promise<T | undefined> {
  for (let failures = 1; isWanted(); failures += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!isTemporary(error)) throw error;
      await pause(retryMs(error, failures));
    }
  }
  return undefined;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      waiting.delete(end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    waiting.add(end);
  });
}
