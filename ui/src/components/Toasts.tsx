// Shows the notices of `state/toasts`, and reads them to screen readers.
import { closeToast, runToast, toasts } from '../state/toasts';
import { t } from '../text';
import { Button, IconButton } from './Button';

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, kind, action }) => (
        <div key={id} class={`toast ${kind}`}>
          <span class="toast-text">{text}</span>
          {action && (
            <Button kind="quiet" onClick={() => runToast(id)}>
              {action.label}
            </Button>
          )}
          <IconButton icon="close" label={t('button.close')} onClick={() => closeToast(id)} />
        </div>
      ))}
    </div>
  );
}
