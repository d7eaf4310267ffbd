// An application's token, as far as the server shows it, and examples that send with it.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Application } from '../../api/types';
import { Button } from '../../components/Button';
import { CopyButton } from '../../components/CopyButton';
import { Dialog } from '../../components/Dialog';
import { Select } from '../../components/Field';
import { Secret } from '../../components/Secret';
import { messagesPath, navigate } from '../../router';
import { openDialog } from '../../state/dialogs';
import { type Key, t } from '../../text';
import { askToReplaceToken, type Shown } from './actions';
import { type Example, examples, PLACEHOLDER, serverUrl } from './examples';

const NAMES: Record<Example['name'], Key> = {
  curl: 'applications.exampleCurl',
  shell: 'applications.exampleShell',
  python: 'applications.examplePython',
  apprise: 'applications.exampleApprise',
};

export type TokenDialogProps = {
  application: Application;
  /** Set if it was made just now: a server may show it this once. */
  token: string | undefined;
  show: (next: Shown | null) => void;
};

export function TokenDialog({ application, token: made, show }: TokenDialogProps) {
  const { name } = application;
  const replaced = useSignal<string | undefined>(made);
  useEffect(() => {
    replaced.value = made;
  }, [made]);
  const token = replaced.value ?? application.token;
  const isOnce = replaced.value !== undefined && application.token === undefined;

  return (
    <Dialog title={t('entries.tokenOf', { name })} large onClose={() => show(null)}>
      {token === undefined && <p class="notice">{t('applications.tokenHidden')}</p>}
      {token !== undefined && <Secret token={token} copyLabel={t('entries.tokenCopy')} isOnce={isOnce} />}
      <Examples token={token ?? PLACEHOLDER} />
      <div class="dialog-actions">
        <Button
          onClick={async () => {
            replaced.value = (await askToReplaceToken(application)) ?? replaced.value;
          }}
        >
          {t('applications.tokenReplace')}
        </Button>
        <Button onClick={() => show(null)}>{t('button.close')}</Button>
        <Button
          icon="send"
          onClick={() => {
            show(null);
            navigate(messagesPath(application.id));
            openDialog.value = 'send';
          }}
        >
          {t('nav.send')}
        </Button>
      </div>
    </Dialog>
  );
}

function Examples({ token }: { token: string }) {
  const name = useSignal<Example['name']>('curl');
  const all = examples(serverUrl(), token);
  const code = all.find((example) => example.name === name.value)?.code ?? '';
  return (
    <div class="stack">
      <Select
        label={t('applications.examples')}
        value={name.value}
        options={all.map((example) => ({ value: example.name, label: t(NAMES[example.name]) }))}
        onValue={(value) => {
          name.value = value as Example['name'];
        }}
      />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reached by keys */}
      <pre class="code" tabIndex={0}>
        <code>{code}</code>
      </pre>
      <div class="row">
        <CopyButton text={code} label={t('applications.exampleCopy')} />
      </div>
    </div>
  );
}
