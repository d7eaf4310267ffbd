// The dialog that sends a message, with a preview.
import { useSignal } from '@preact/signals';
import { sendMessage } from '../api/messages';
import type { Message } from '../api/types';
import { Button } from '../components/Button';
import { Dialog } from '../components/Dialog';
import { Field, Select, TextArea } from '../components/Field';
import { Spinner } from '../components/Spinner';
import { Switch } from '../components/Switch';
import { route } from '../router';
import { applications } from '../state/applications';
import { closeDialog } from '../state/dialogs';
import { draft } from '../state/draft';
import { errorText, toast } from '../state/toasts';
import { t } from '../text';
import { MessageItem } from './messages/MessageItem';

const HIGHEST_PRIORITY = 10;

export default function Send() {
  const own = (applications.value ?? []).filter(({ internal }) => !internal);
  const shownId = Number(route.value.parts[1]);
  const { appid, title, message: text, priority, isMarkdown } = draft;
  const isBusy = useSignal(false);
  const error = useSignal<string | null>(null);

  // The one that was chosen may have been deleted.
  const byId = (wanted: number) => own.find(({ id }) => id === wanted);
  const application = byId(appid.value) ?? byId(shownId) ?? own[0];
  const extras = isMarkdown.value ? { 'client::display': { contentType: 'text/markdown' } } : undefined;
  const defaultPriority = application?.defaultPriority ?? 0;

  const close = () => {
    appid.value = 0;
    closeDialog();
  };

  const submit = async (event: Event) => {
    event.preventDefault();
    if (isBusy.value || !application) return;
    isBusy.value = true;
    error.value = null;
    try {
      await sendMessage(
        {
          appid: application.id,
          title: title.value,
          message: text.value,
          ...(priority.value === '' ? {} : { priority: Number(priority.value) }),
          ...(extras ? { extras } : {}),
        },
        application.token,
      );
      title.value = '';
      text.value = '';
      toast(t('send.sent'));
      close();
    } catch (failure) {
      error.value = errorText(failure);
    } finally {
      isBusy.value = false;
    }
  };

  if (applications.value === null) {
    return (
      <Dialog title={t('send.title')} onClose={close}>
        <Spinner />
      </Dialog>
    );
  }
  if (!application) {
    return (
      <Dialog title={t('send.title')} onClose={close}>
        <p>{t('send.noApplication')}</p>
        <a class="button primary" href="#/applications?create" onClick={close}>
          {t('messages.createApplication')}
        </a>
      </Dialog>
    );
  }
  const preview: Message = {
    id: 0,
    appid: application.id,
    title: title.value.trim() || application.name,
    message: text.value,
    priority: priority.value === '' ? defaultPriority : Number(priority.value),
    date: new Date().toISOString(),
    ...(extras ? { extras } : {}),
  };
  return (
    <Dialog title={t('send.title')} onClose={close} large>
      <form
        class="stack"
        onSubmit={submit}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
        }}
      >
        <div class="columns">
          <Select
            label={t('send.application')}
            value={application.id}
            options={own.map(({ id, name }) => ({ value: id, label: name }))}
            onValue={(value) => {
              appid.value = Number(value);
            }}
          />
          <Select
            label={t('send.priority')}
            value={priority.value}
            options={[
              { value: '', label: t('send.defaultPriority', { priority: String(defaultPriority) }) },
              ...Array.from({ length: HIGHEST_PRIORITY + 1 }, (_, value) => ({
                value,
                label: String(value),
              })),
            ]}
            onValue={(value) => {
              priority.value = value;
            }}
          />
        </div>
        <Field
          label={t('send.messageTitle')}
          hint={t('send.titleHint')}
          value={title.value}
          onValue={(value) => {
            title.value = value;
          }}
        />
        <TextArea
          label={t('send.message')}
          value={text.value}
          required
          autoFocus
          rows={5}
          onValue={(value) => {
            text.value = value;
          }}
        />
        <Switch
          label={t('send.markdown')}
          checked={isMarkdown.value}
          onChecked={(checked) => {
            isMarkdown.value = checked;
          }}
        />
        <section class="preview" aria-label={t('send.preview')}>
          <div class="label">{t('send.preview')}</div>
          <MessageItem message={preview} withApplication />
        </section>
        {error.value && (
          <p class="notice error" role="alert">
            {error.value}
          </p>
        )}
        <div class="dialog-actions">
          <Button onClick={close}>{t('button.cancel')}</Button>
          <Button kind="primary" type="submit" icon="send" busy={isBusy.value}>
            {t('send.submit')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
