// Makes an application, or changes one.
import { useSignal } from '@preact/signals';
import { createApplication, setRetention, updateApplication } from '../../api/application-changes';
import type { Application } from '../../api/types';
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Field, TextArea } from '../../components/Field';
import { FormError, useSubmit, wholeNumber } from '../../components/form';
import { applicationStates, applications, reloadApplicationStates } from '../../state/applications';
import { overview } from '../../state/session';
import { toast } from '../../state/toasts';
import { t } from '../../text';
import { keepChanged, type Shown } from './actions';
import { Picture } from './Picture';
import { MAX_DAYS, MAX_NEWEST, RetentionFields } from './RetentionFields';

/** What numbers in JSON can hold in every browser. */
const MAX_PRIORITY = Number.MAX_SAFE_INTEGER;

export type ApplicationDialogProps = {
  /** None makes a new one. */
  application?: Application;
  show: (next: Shown | null) => void;
};

export function ApplicationDialog({ application, show }: ApplicationDialogProps) {
  const kept = application && applicationStates.value?.get(application.id);
  const name = useSignal(application?.name ?? '');
  const description = useSignal(application?.description ?? '');
  const priority = useSignal(String(application?.defaultPriority ?? 5));
  const keepDays = useSignal(kept?.keepDays ? String(kept.keepDays) : '');
  const keepNewest = useSignal(kept?.keepNewest ? String(kept.keepNewest) : '');
  const isChecked = useSignal(false);

  const nameError = isChecked.value && name.value.trim() === '' ? t('applications.nameMissing') : null;
  const defaultPriority = wholeNumber(priority.value, 0, -MAX_PRIORITY, MAX_PRIORITY);
  const days = wholeNumber(keepDays.value, 0, 0, MAX_DAYS);
  const newest = wholeNumber(keepNewest.value, 0, 0, MAX_NEWEST);

  const check = () => {
    isChecked.value = true;
    return name.value.trim() !== '' && defaultPriority !== null && days !== null && newest !== null;
  };
  const send = async () => {
    const params = {
      name: name.value.trim(),
      description: description.value,
      defaultPriority: defaultPriority ?? 0,
    };
    const saved = application
      ? await updateApplication(application.id, params)
      : await createApplication(params);
    if (application) keepChanged(saved);
    else applications.value = [...(applications.value ?? []), listed(saved)];
    const retention = { keepDays: days ?? 0, keepNewest: newest ?? 0 };
    const isChanged =
      retention.keepDays !== (kept?.keepDays ?? 0) || retention.keepNewest !== (kept?.keepNewest ?? 0);
    if (applicationStates.value && isChanged) await setRetention(saved.id, retention);
    if (!application || isChanged) await reloadApplicationStates();
    toast(t(application ? 'applications.saved' : 'applications.created', { name: saved.name }));
    show(
      application ? null : { dialog: 'token', id: saved.id, ...(saved.token ? { token: saved.token } : {}) },
    );
  };
  const { onSubmit, isBusy, error } = useSubmit(check, send);

  return (
    <Dialog title={t(application ? 'applications.edit' : 'applications.create')} onClose={() => show(null)}>
      <form class="stack" onSubmit={onSubmit} noValidate>
        {application && <Picture application={application} />}
        <Field
          label={t('applications.name')}
          hint={t('applications.nameHint')}
          error={nameError}
          value={name.value}
          maxLength={255}
          autocomplete="off"
          required
          autofocus
          onValue={(value) => {
            name.value = value;
          }}
        />
        <TextArea
          label={t('applications.description')}
          value={description.value}
          maxLength={16384}
          rows={2}
          onValue={(value) => {
            description.value = value;
          }}
        />
        <Field
          label={t('applications.defaultPriority')}
          hint={t('applications.defaultPriorityHint')}
          error={defaultPriority === null ? t('applications.wholeNumber') : null}
          value={priority.value}
          inputMode="numeric"
          autocomplete="off"
          onValue={(value) => {
            priority.value = value;
          }}
        />
        {applicationStates.value && <RetentionFields days={keepDays} newest={keepNewest} />}
        <FormError error={error} />
        <div class="dialog-actions">
          <Button onClick={() => show(null)}>{t('button.cancel')}</Button>
          <Button kind="primary" type="submit" busy={isBusy.value}>
            {t(application ? 'button.save' : 'button.create')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** A new application as the server lists it: Gotify 3 lists no tokens. */
function listed(created: Application): Application {
  const hasTokens = applications.value?.some(({ token }) => token !== undefined);
  if (hasTokens || overview.value?.compatibility === 'v2') return created;
  const { token: _, ...rest } = created;
  return rest;
}
