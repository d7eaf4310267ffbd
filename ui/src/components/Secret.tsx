// A token that can be copied.
import { t } from '../text';
import { CopyButton } from './CopyButton';

export type SecretProps = {
  token: string;
  copyLabel: string;
  /** The server will not show it again. */
  isOnce: boolean;
};

export function Secret({ token, copyLabel, isOnce }: SecretProps) {
  return (
    <div class="stack">
      {isOnce && <p class="notice warning">{t('token.once')}</p>}
      <div class="secret">
        <code>{token}</code>
        <CopyButton text={token} label={copyLabel} primary />
      </div>
    </div>
  );
}
