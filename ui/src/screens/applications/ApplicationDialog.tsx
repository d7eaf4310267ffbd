// Makes an application, or changes one.
import { useSignal } from '@preact/signals';
import { createApplication, setRetention, updateApplication } from '../../api/application-changes';
import type { Application } from '../../api/types';
import { Field, TextArea } from '../../components/Field';
import { FormDialog } from '../../components/FormDialog';
import { bound, useSubmit, wholeNumber } from '../../components/form';
import { applicationStates, reloadApplicationStates } from '../../state/applications';
import { overview } from '../../state/session';
import { toast, toastError } from '../../state/toasts';
import { t } from '../../text';
import { keepChanged, keepCreated, type Shown } from './actions';
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
  // Null until it was changed: what is kept may be known only later.
  const keepDays = useSignal<string | null>(null);
  const keepNewest = useSignal<string | null>(null);
  const isChecked = useSignal(false);

  const nameError = isChecked.value && name.value.trim() === '' ? t('entries.nameMissing') : null;
  const defaultPriority = wholeNumber(priority.value, 0, -MAX_PRIORITY, MAX_PRIORITY);
  const days = wholeNumber(keepDays.value ?? textOf(kept?.keepDays), 0, 0, MAX_DAYS);
  const newest = wholeNumber(keepNewest.value ?? textOf(kept?.keepNewest), 0, 0, MAX_NEWEST);

  const check = () => {
    isChecked.value = true;
    return name.value.trim() !== '' && defaultPriority !== null && days !== null && newest !== null;
  };
  const keepRetention = async ({ id }: Application) => {
    const retention = { keepDays: days ?? 0, keepNewest: newest ?? 0 };
    const isChanged =
      retention.keepDays !== (kept?.keepDays ?? 0) || retention.keepNewest !== (kept?.keepNewest ?? 0);
    if (applicationStates.value && isChanged) await setRetention(id, retention);
    if (!application || isChanged) await reloadApplicationStates();
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
    const said = t(application ? 'entries.saved' : 'entries.created', { name: saved.name });
    if (application) {
      keepChanged(saved);
      await keepRetention(saved);
      show(null);
    } else {
      // What goes wrong from now on must not make another one, nor hide the token.
      keepCreated(listed(saved));
      show({ dialog: 'token', id: saved.id, ...(saved.token ? { token: saved.token } : {}) });
      keepRetention(saved).catch(toastError);
    }
    toast(said);
  };
  const submit = useSubmit(send, check);

  return (
    <FormDialog
      title={t(application ? 'applications.edit' : 'applications.create')}
      submit={submit}
      action={t(application ? 'button.save' : 'button.create')}
      onClose={() => show(null)}
    >
      {application && <Picture application={application} />}
      <Field
        label={t('applications.name')}
        hint={t('applications.nameHint')}
        error={nameError}
        {...bound(name)}
        maxLength={255}
        autocomplete="off"
        required
        autofocus
      />
      <TextArea label={t('applications.description')} {...bound(description)} maxLength={16383} rows={2} />
      <Field
        label={t('applications.defaultPriority')}
        hint={t('applications.defaultPriorityHint')}
        error={defaultPriority === null ? t('applications.wholeNumber') : null}
        {...bound(priority)}
        inputMode="numeric"
        autocomplete="off"
      />
      {applicationStates.value && (
        <RetentionFields
          days={keepDays.value ?? textOf(kept?.keepDays)}
          newest={keepNewest.value ?? textOf(kept?.keepNewest)}
          onDays={(value) => {
            keepDays.value = value;
          }}
          onNewest={(value) => {
            keepNewest.value = value;
          }}
        />
      )}
    </FormDialog>
  );
}

/** What a field shows of a bound; nothing for one that is not there. */
function textOf(bound = 0): string {
  return bound === 0 ? '' : String(bound);
}

/** A new application as the server lists it: Gotify 3 lists no tokens. */
function listed(created: Application): Application {
  if (overview.value?.compatibility === 'v2') return created;
  const { token: _, ...rest } = created;
  return rest;
}
