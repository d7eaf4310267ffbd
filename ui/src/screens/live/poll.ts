// Asks for the figures every two seconds, for as long as somebody can see them.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { isAbort, isTemporary } from '../../api/errors';
import { request } from '../../api/request';
import { retryMs } from '../../messages/retry';
import { type Live, remembered, type Sample, sample } from './history';

const PERIOD_MS = 2000;

export function useLive() {
  const live = useSignal<Live | null>(null);
  const history = useSignal<readonly Sample[]>([]);
  const error = useSignal<unknown>(null);
  const onAnswer = (answer: Live) => {
    history.value = remembered(history.value, sample(live.value, answer));
    live.value = answer;
    error.value = null;
  };
  const onError = (failed: unknown) => {
    error.value = failed;
  };
  useEffect(() => poll(onAnswer, onError), []);
  return { live, history, error };
}

/** Asks again and again while the page is visible, until a refusal that will not pass. Returns what ends it. */
export function poll(onAnswer: (answer: Live) => void, onError: (error: unknown) => void): () => void {
  const gone = new AbortController();
  const { signal } = gone;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;

  /** Returns after which time to ask again. */
  const ask = async (): Promise<number> => {
    try {
      onAnswer(await request<Live>('GET', 'shardcast/live', { signal }));
      failures = 0;
      return PERIOD_MS;
    } catch (error) {
      if (isAbort(error)) return Number.POSITIVE_INFINITY;
      onError(error);
      failures += 1;
      return isTemporary(error) ? Math.max(PERIOD_MS, retryMs(error, failures)) : Number.POSITIVE_INFINITY;
    }
  };
  const go = async () => {
    clearTimeout(timer);
    const wait = await ask();
    clearTimeout(timer);
    if (document.hidden || signal.aborted || wait === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(go, wait);
  };
  document.addEventListener('visibilitychange', () => !document.hidden && void go(), { signal });
  void go();
  return () => {
    gone.abort();
    clearTimeout(timer);
  };
}
