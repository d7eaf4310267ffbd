// Shows the notices of `state/toasts`, and reads them to screen readers.
import { useLayoutEffect, useRef } from 'preact/hooks';
import { closeToast, runToast, toasts } from '../state/toasts';
import { t } from '../text';
import { Button, IconButton } from './Button';

export function Toasts() {
  const root = useRef<HTMLDivElement>(null);
  const shown = toasts.value;
  // A modal dialog is above everything else but what was shown later than it.
  useLayoutEffect(() => {
    const element = root.current;
    if (element?.matches(':popover-open')) element.hidePopover();
    if (shown.length > 0 && document.querySelector('dialog[open]')) element?.showPopover();
  }, [shown]);
  return (
    <div ref={root} class="toasts" role="status" aria-live="polite" popover="manual">
      {shown.map(({ id, text, kind, action }) => (
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
