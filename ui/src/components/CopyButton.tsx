// A button that copies a text, and says so in its own place: notices are behind a dialog.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { t } from '../text';
import { Button } from './Button';
import { tryToCopy } from './copy';

const SAID_MS = 3000;

export type CopyButtonProps = { text: string; label: string; primary?: boolean };

export function CopyButton({ text, label, primary }: CopyButtonProps) {
  const outcome = useSignal<'copied' | 'copyFailed' | null>(null);
  useEffect(() => {
    if (outcome.value !== 'copied') return;
    const timer = setTimeout(() => {
      outcome.value = null;
    }, SAID_MS);
    return () => clearTimeout(timer);
  }, [outcome.value]);
  const isCopied = outcome.value === 'copied';
  return (
    <>
      <Button
        kind={primary ? 'primary' : 'plain'}
        icon={isCopied ? 'check' : 'copy'}
        onClick={async () => {
          outcome.value = (await tryToCopy(text)) ? 'copied' : 'copyFailed';
        }}
      >
        {isCopied ? t('copied') : label}
      </Button>
      <span class={outcome.value === 'copyFailed' ? 'field-error' : 'visually-hidden'} role="status">
        {outcome.value && t(outcome.value)}
      </span>
    </>
  );
}
