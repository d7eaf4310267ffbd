// A password, which can be shown while it is typed.
import { useSignal } from '@preact/signals';
import { t } from '../text';
import { IconButton } from './Button';
import { Field, type FieldProps } from './Field';

export type PasswordFieldProps = Omit<FieldProps, 'type'>;

export function PasswordField({ required = true, ...props }: PasswordFieldProps) {
  const isShown = useSignal(false);
  return (
    <div class="password">
      <Field
        {...props}
        type={isShown.value ? 'text' : 'password'}
        autocapitalize="none"
        spellcheck={false}
        required={required}
      />
      <IconButton
        icon={isShown.value ? 'hide' : 'show'}
        label={isShown.value ? t('login.hidePassword') : t('login.showPassword')}
        onClick={() => {
          isShown.value = !isShown.value;
        }}
      />
    </div>
  );
}
