// Makes a client, or changes one; and shows a token.
import { useSignal } from '@preact/signals';
import { createClient, updateClient } from '../../api/clients';
import type { Client } from '../../api/types';
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Field, Select } from '../../components/Field';
import { FormDialog } from '../../components/FormDialog';
import { bound, useSubmit } from '../../components/form';
import { Secret } from '../../components/Secret';
import { overview } from '../../state/session';
import { toast } from '../../state/toasts';
import { t } from '../../text';
import type { Shown } from '../clients';

const HOUR = 3600;
const DAY = 24 * HOUR;
/** The times without use after which a client may expire. */
const EXPIRIES = [0, HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY];

export type ClientDialogProps = {
  /** None makes a new one. */
  client?: Client;
  show: (next: Shown | null) => void;
  onChange: () => Promise<void>;
};

export function ClientDialog({ client, show, onChange }: ClientDialogProps) {
  const name = useSignal(client?.name ?? '');
  const current = client?.expiresAfterInactivitySeconds ?? 0;
  const expiry = useSignal(current);
  const isChecked = useSignal(false);
  const isMissing = name.value.trim() === '';
  const check = () => {
    isChecked.value = true;
    return !isMissing;
  };
  const send = async () => {
    const params = { name: name.value.trim(), expiresAfterInactivitySeconds: expiry.value };
    const saved = client ? await updateClient(client.id, params) : await createClient(params);
    toast(t(client ? 'entries.saved' : 'entries.created', { name: saved.name }));
    show(client ? null : { dialog: 'token', client: saved });
    await onChange();
  };
  const submit = useSubmit(send, check);

  return (
    <FormDialog
      title={t(client ? 'clients.edit' : 'clients.create')}
      submit={submit}
      action={t(client ? 'button.save' : 'button.create')}
      onClose={() => show(null)}
    >
      <Field
        label={t('clients.name')}
        hint={t('clients.nameHint')}
        error={isChecked.value && isMissing ? t('entries.nameMissing') : null}
        {...bound(name)}
        maxLength={255}
        autocomplete="off"
        required
        autofocus
      />
      <Select
        label={t('clients.expiry')}
        value={expiry.value}
        options={[...new Set([...EXPIRIES, current])].map((seconds) => ({
          value: seconds,
          label: spelled(seconds),
        }))}
        onValue={(value) => {
          expiry.value = Number(value);
        }}
      />
    </FormDialog>
  );
}

function spelled(seconds: number): string {
  if (seconds === 0) return t('clients.never');
  if (seconds < DAY) return t('clients.hours', { count: Math.round((10 * seconds) / HOUR) / 10 });
  return t('clients.days', { count: Math.round((10 * seconds) / DAY) / 10 });
}

export function ClientTokenDialog({
  client: { name, token = '' },
  onClose,
}: {
  client: Client;
  onClose: () => void;
}) {
  return (
    <Dialog title={t('entries.tokenOf', { name })} onClose={onClose}>
      <Secret
        token={token}
        copyLabel={t('entries.tokenCopy')}
        isOnce={overview.value?.compatibility === 'v3'}
      />
      <div class="dialog-actions">
        <Button onClick={onClose}>{t('button.close')}</Button>
      </div>
    </Dialog>
  );
}
