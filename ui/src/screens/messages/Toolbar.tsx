// What can be done with a list. It comes after the list in the document, so that the Tab key reaches messages first.
import { Button, IconButton } from '../../components/Button';
import { confirm } from '../../components/Confirm';
import { Menu } from '../../components/Menu';
import { deleteAll } from '../../messages/deletion';
import type { MessageList } from '../../messages/list';
import { newestId, readUpTo } from '../../messages/reading';
import { applicationsById } from '../../state/applications';
import { openDialog } from '../../state/dialogs';
import { toast, toastError } from '../../state/toasts';
import { t } from '../../text';

export type ToolbarProps = { list: MessageList; isSearching: boolean; onSearch: () => void };

export function Toolbar({ list, isSearching, onSearch }: ToolbarProps) {
  const { appid } = list.filter;
  const name = appid === undefined ? undefined : nameOf(appid);
  return (
    <div class="toolbar" role="toolbar" aria-label={t('messages.tools')}>
      <IconButton icon="search" label={t('search.open')} aria-pressed={isSearching} onClick={onSearch} />
      <Menu
        label={t('messages.more')}
        items={[
          {
            label: t('messages.readAll'),
            icon: 'check',
            run: () => void readUpTo(newestId(list, appid), appid),
          },
          {
            label: name === undefined ? t('messages.deleteAll') : t('messages.deleteAllOf', { name }),
            icon: 'trash',
            danger: true,
            run: () => void deleteAfterQuestion(appid, name),
          },
        ]}
      />
      <Button
        kind="primary"
        icon="send"
        onClick={() => {
          openDialog.value = 'send';
        }}
      >
        <span class="toolbar-text">{t('nav.send')}</span>
      </Button>
    </div>
  );
}

function nameOf(appid: number): string {
  return applicationsById.value.get(appid)?.name ?? t('messages.unknownApplication');
}

async function deleteAfterQuestion(appid: number | undefined, name: string | undefined): Promise<void> {
  const isOfOne = name !== undefined;
  const isWanted = await confirm({
    title: isOfOne ? t('messages.deleteAllOf', { name }) : t('messages.deleteAll'),
    text: <p>{isOfOne ? t('messages.deleteAllOfText', { name }) : t('messages.deleteAllText')}</p>,
    action: t('button.delete'),
    danger: true,
  });
  if (!isWanted) return;
  try {
    await deleteAll(appid);
    toast(t('messages.deletedAll'));
  } catch (error) {
    toastError(error);
  }
}
