// A dialog with a form, and the buttons that send it or leave it.
import type { ComponentChildren } from 'preact';
import { t } from '../text';
import { Button, type ButtonProps } from './Button';
import { Dialog, type DialogProps } from './Dialog';
import { FormError, type Submit } from './form';

export type FormDialogProps = DialogProps & {
  submit: Submit;
  /** What the button that sends says. */
  action: string;
  icon?: ButtonProps['icon'];
  /** The browser says which fields are missing; otherwise `check` of the form does. */
  isChecked?: boolean;
  /** Shown below the buttons. */
  below?: ComponentChildren;
};

export function FormDialog({
  submit: { onSubmit, isBusy, error },
  action,
  icon,
  isChecked,
  below,
  children,
  ...dialog
}: FormDialogProps) {
  return (
    <Dialog {...dialog}>
      <form
        class="stack"
        onSubmit={onSubmit}
        noValidate={!isChecked}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
        }}
      >
        {children}
        <FormError error={error} />
        <div class="dialog-actions">
          <Button onClick={dialog.onClose}>{t('button.cancel')}</Button>
          <Button kind="primary" type="submit" icon={icon} busy={isBusy.value}>
            {action}
          </Button>
        </div>
      </form>
      {below}
    </Dialog>
  );
}
