// Loads a component when it is shown first.
import { useSignal } from '@preact/signals';
import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { Button } from './components/Button';
import { EmptyState } from './components/EmptyState';
import { t } from './text';

type Loaded = { component: ComponentType } | { failed: true };

export type LazyProps = {
  load: () => Promise<{ default: ComponentType }>;
  waiting?: ComponentChildren;
  /** Called instead of saying in its place that it can't be loaded. */
  onFailed?: () => void;
};

/** Shows `waiting` until the component came. After an update of the server its file may be gone: then it says so. */
export function Lazy({ load, waiting, onFailed }: LazyProps) {
  const state = useSignal<Loaded | null>(null);
  useEffect(() => {
    load().then(
      (module) => {
        state.value = { component: module.default };
      },
      () => {
        if (onFailed) onFailed();
        else state.value = { failed: true };
      },
    );
  }, []);
  const loaded = state.value;
  if (!loaded) return <>{waiting}</>;
  if ('component' in loaded) return <loaded.component />;
  return (
    <EmptyState icon="external" title={t('error.screen')}>
      <Button kind="primary" onClick={() => location.reload()}>
        {t('error.reload')}
      </Button>
    </EmptyState>
  );
}
