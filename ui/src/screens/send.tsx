// The dialog that sends a message, with a preview.
import { sendMessage } from '../api/messages';
import type { Message } from '../api/types';
import { Dialog } from '../components/Dialog';
import { Field, Select, TextArea } from '../components/Field';
import { FormDialog } from '../components/FormDialog';
import { bound, useSubmit } from '../components/form';
import { Spinner } from '../components/Spinner';
import { Switch } from '../components/Switch';
import { route } from '../router';
import { applications } from '../state/applications';
import { closeDialog } from '../state/dialogs';
import { draft } from '../state/draft';
import { toast } from '../state/toasts';
import { t } from '../text';
import { MessageItem } from './messages/MessageItem';

const HIGHEST_PRIORITY = 10;

export default function Send() {
  const own = (applications.value ?? []).filter(({ internal }) => !internal);
  const shownId = Number(route.value.parts[1]);
  const { appid, title, message: text, priority, isMarkdown } = draft;

  // The one that was chosen may have been deleted.
  const byId = (wanted: number) => own.find(({ id }) => id === wanted);
  const application = byId(appid.value) ?? byId(shownId) ?? own[0];
  const extras = isMarkdown.value ? { 'client::display': { contentType: 'text/markdown' } } : undefined;
  const defaultPriority = application?.defaultPriority ?? 0;

  const close = () => {
    appid.value = 0;
    closeDialog();
  };

  const submit = useSubmit(async () => {
    if (!application) return;
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
  });

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
    <FormDialog
      title={t('send.title')}
      large
      submit={submit}
      action={t('send.submit')}
      icon="send"
      isChecked
      onClose={close}
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
          {...bound(priority)}
          options={[
            { value: '', label: t('send.defaultPriority', { priority: String(defaultPriority) }) },
            ...Array.from({ length: HIGHEST_PRIORITY + 1 }, (_, value) => ({
              value,
              label: String(value),
            })),
          ]}
        />
      </div>
      <Field label={t('send.messageTitle')} hint={t('send.titleHint')} {...bound(title)} />
      <TextArea label={t('send.message')} {...bound(text)} required autoFocus rows={5} />
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
    </FormDialog>
  );
}
