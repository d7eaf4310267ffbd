// Asks for the figures every two seconds, for as long as somebody can see them.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { isAbort } from '../../api/errors';
import { request } from '../../api/request';
import { type Live, remembered, type Sample, sample } from './history';

const PERIOD_MS = 2000;

export function useLive() {
  const live = useSignal<Live | null>(null);
  const history = useSignal<readonly Sample[]>([]);
  const error = useSignal<unknown>(null);

  useEffect(() => {
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      clearTimeout(timer);
      try {
        const answer = await request<Live>('GET', 'shardcast/live', { signal: gone.signal });
        history.value = remembered(history.value, sample(live.value, answer));
        live.value = answer;
        error.value = null;
      } catch (failed) {
        if (isAbort(failed)) return;
        error.value = failed;
      }
      clearTimeout(timer);
      if (document.visibilityState === 'visible' && !gone.signal.aborted) timer = setTimeout(ask, PERIOD_MS);
    };
    const onVisible = () => {
      if (document.visibilityState === 'visible') void ask();
    };
    document.addEventListener('visibilitychange', onVisible);
    void ask();
    return () => {
      gone.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, []);

  return { live, history, error };
}
