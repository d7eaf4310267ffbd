// What can be done with a message by its extras: its link, its picture, its buttons.
import { runRequest } from '../../action/run';
import type { Message } from '../../api/types';
import { Button } from '../../components/Button';
import { confirm } from '../../components/Confirm';
import { copyText } from '../../components/copy';
import { Icon } from '../../components/Icon';
import { RemotePicture } from '../../components/RemotePicture';
import { type Action, actionsOf, clickUrl, describeRequest, pictureUrl } from '../../messages/extras';
import { toast } from '../../state/toasts';
import { t } from '../../text';

export function MessageActions({ message, tabIndex }: { message: Message; tabIndex: number }) {
  const link = clickUrl(message);
  const picture = pictureUrl(message);
  const actions = actionsOf(message);
  if (!link && !picture && actions.length === 0) return null;
  return (
    <div class="message-actions">
      {picture && <RemotePicture url={picture} tabIndex={tabIndex} />}
      {link && (
        <OpenLink
          url={link}
          tabIndex={tabIndex}
          label={t('messages.open', { host: new URL(link).host || link })}
        />
      )}
      {actions.map((action) =>
        action.type === 'open' ? (
          <OpenLink key={action.label} url={action.url} tabIndex={tabIndex} label={action.label} />
        ) : (
          <Button key={action.label} tabIndex={tabIndex} onClick={() => void run(action)}>
            {action.label}
          </Button>
        ),
      )}
    </div>
  );
}

function OpenLink({ url, label, tabIndex }: { url: string; label: string; tabIndex: number }) {
  return (
    <a class="button" href={url} target="_blank" rel="noopener noreferrer" title={url} tabIndex={tabIndex}>
      {label}
      <Icon name="external" />
    </a>
  );
}

async function run(action: Action): Promise<void> {
  if (action.type === 'copy') return copyText(action.text);
  if (action.type !== 'request') return;
  const { label } = action;
  const isWanted = await confirm({
    title: t('action.confirm'),
    text: (
      <>
        <p>{t('action.confirmText')}</p>
        <pre class="request">{describeRequest(action)}</pre>
      </>
    ),
    action: t('action.send'),
  });
  if (!isWanted) return;
  const status = await runRequest(action);
  if (status === null) toast(t('action.failed', { label }), { kind: 'error' });
  else if (status >= 400) toast(t('action.refused', { label, status: String(status) }), { kind: 'error' });
  else toast(t('action.done', { label, status: String(status) }));
}
