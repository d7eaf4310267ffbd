// What a screen asks the server for when it is opened.
import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { errorText, toastError } from '../state/toasts';
import { t } from '../text';
import { Button } from './Button';
import { EmptyState } from './EmptyState';
import { Spinner } from './Spinner';

export type Loaded<T> = {
  /** Null until it came. */
  value: Signal<T | null>;
  /** Why the first request failed. */
  error: Signal<unknown>;
  reload: () => Promise<void>;
};

/** Loads something when the component is shown. When it was loaded once, what goes wrong later is a notice. */
export function useLoaded<T>(load: () => Promise<T>): Loaded<T> {
  const value = useSignal<T | null>(null);
  const error = useSignal<unknown>(null);
  const reload = async () => {
    try {
      value.value = await load();
      error.value = null;
    } catch (refused) {
      if (value.value === null) error.value = refused;
      else toastError(refused);
    }
  };
  useEffect(() => void reload(), []);
  return { value, error, reload };
}

/** Shown as long as there is no value: that it is loaded, or why it is not, with a button that tries again. */
export function Waiting({ error, reload }: Pick<Loaded<unknown>, 'error' | 'reload'>) {
  if (error.value === null) return <Spinner />;
  return (
    <EmptyState icon="live" title={errorText(error.value)}>
      <Button
        onClick={() => {
          error.value = null;
          void reload();
        }}
      >
        {t('button.retry')}
      </Button>
    </EmptyState>
  );
}
