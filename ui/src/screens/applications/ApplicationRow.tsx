// One application in the list.
import type { JSX } from 'preact';
import type { Application } from '../../api/types';
import { AppImage } from '../../components/AppImage';
import { IconButton } from '../../components/Button';
import { copyText } from '../../components/copy';
import { Menu, type MenuItem } from '../../components/Menu';
import { Time } from '../../components/Time';
import { messagesPath } from '../../router';
import { applicationStates } from '../../state/applications';
import { t } from '../../text';
import { askToDelete, askToReplaceToken, dropPicture, hasPicture, type Shown } from './actions';
import { curl, PLACEHOLDER, serverUrl } from './examples';

export type ApplicationRowProps = {
  application: Application;
  isMoving: boolean;
  /** Null where rows can't be moved. */
  handle: JSX.IntrinsicElements['button'] | null;
  show: (next: Shown) => void;
  pickPicture: () => void;
};

export function ApplicationRow({ application, isMoving, handle, show, pickPicture }: ApplicationRowProps) {
  const { id, name, description, internal } = application;
  const unread = applicationStates.value?.get(id)?.unread ?? 0;
  return (
    <li class={isMoving ? 'item moving' : 'item'} data-id={id}>
      {handle && (
        <IconButton
          {...(handle as object)}
          icon="move"
          label={t('applications.move', { name })}
          aria-description={t('applications.moveHint')}
        />
      )}
      <AppImage application={application} size={40} />
      <div class="item-main">
        <div class="item-title">
          <a href={`#${messagesPath(id)}`} aria-label={t('applications.messages', { name })}>
            {name}
          </a>
          {unread > 0 && <span class="badge">{t('applications.unread', { count: unread })}</span>}
        </div>
        {description && <p class="item-text">{description}</p>}
        <Facts application={application} />
      </div>
      <div class="item-actions">
        <IconButton
          icon="key"
          label={t('applications.tokenName', { name })}
          onClick={() => show({ dialog: 'token', id })}
        />
        <IconButton
          icon="edit"
          label={t('entries.editName', { name })}
          onClick={() => show({ dialog: 'edit', id })}
        />
        <Menu
          label={t('entries.actions', { name })}
          items={actions(application, internal, show, pickPicture)}
        />
      </div>
    </li>
  );
}

function Facts({ application: { id, defaultPriority, lastUsed, internal } }: { application: Application }) {
  const { keepDays = 0, keepNewest = 0 } = applicationStates.value?.get(id) ?? {};
  return (
    <ul class="facts">
      <li>{t('applications.priority', { count: defaultPriority })}</li>
      <li>
        {lastUsed ? (
          <Time time={lastUsed} text={(time) => t('entries.lastUsed', { time })} />
        ) : (
          t('entries.neverUsed')
        )}
      </li>
      {keepDays > 0 && <li>{t('applications.keepsDays', { count: keepDays })}</li>}
      {keepNewest > 0 && <li>{t('applications.keepsNewest', { count: keepNewest })}</li>}
      {internal && <li>{t('applications.internal')}</li>}
    </ul>
  );
}

function actions(
  application: Application,
  isInternal: boolean,
  show: (next: Shown) => void,
  pickPicture: () => void,
): MenuItem[] {
  const { id, token } = application;
  return [
    { label: t('applications.edit'), icon: 'edit', run: () => show({ dialog: 'edit', id }) },
    { label: t('applications.tokenAndExamples'), icon: 'key', run: () => show({ dialog: 'token', id }) },
    {
      label: t('applications.copyCurl'),
      icon: 'copy',
      run: () => {
        const text = token ? t('applications.curlCopied') : t('applications.curlCopiedWithout');
        void copyText(curl(serverUrl(), token ?? PLACEHOLDER), text);
      },
    },
    { label: t('applications.pictureChange'), icon: 'image', run: pickPicture },
    {
      label: t('applications.pictureRemove'),
      icon: 'close',
      disabled: !hasPicture(application),
      run: () => void dropPicture(application),
    },
    {
      label: t('applications.tokenReplace'),
      icon: 'key',
      run: async () => {
        const replaced = await askToReplaceToken(application);
        if (replaced !== null) show({ dialog: 'token', id, token: replaced });
      },
    },
    {
      label: t('applications.delete'),
      icon: 'trash',
      danger: true,
      disabled: isInternal,
      run: () => void askToDelete(application),
    },
  ];
}
