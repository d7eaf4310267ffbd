// Shows the notices of `state/toasts`, and reads them to screen readers.
import { useLayoutEffect, useRef } from 'preact/hooks';
import { closeToast, holdToast, runToast, type Toast, toasts } from '../state/toasts';
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
      {shown.map((one) => (
        <Notice key={one.id} {...one} />
      ))}
    </div>
  );
}

function Notice({ id, text, kind, action }: Toast) {
  const holds = useRef({ pointer: false, focus: false });
  const hold = (changed: { pointer?: boolean; focus?: boolean }) => {
    const { pointer, focus } = Object.assign(holds.current, changed);
    holdToast(id, pointer || focus);
  };
  return (
    <div
      class={`toast ${kind}`}
      // A finger stays nowhere.
      onPointerEnter={({ pointerType }) => hold({ pointer: pointerType === 'mouse' })}
      onPointerLeave={() => hold({ pointer: false })}
      onFocusIn={() => hold({ focus: true })}
      onFocusOut={() => hold({ focus: false })}
    >
      <span class="toast-text">{text}</span>
      {action && (
        <Button kind="quiet" onClick={() => runToast(id)}>
          {action.label}
        </Button>
      )}
      <IconButton icon="close" label={t('button.close')} onClick={() => closeToast(id)} />
    </div>
  );
}
