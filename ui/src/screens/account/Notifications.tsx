// How this device tells of messages.
import { type Signal, useSignal } from '@preact/signals';
import { Button } from '../../components/Button';
import { Select } from '../../components/Field';
import { Switch } from '../../components/Switch';
import { playTone } from '../../sound';
import { desktopNotifications, minNotificationPriority, minSoundPriority, sound } from '../../state/settings';
import { t } from '../../text';

/** The priorities that can be chosen, of those that apps know. */
const PRIORITIES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

export function Notifications() {
  return (
    <section class="card section">
      <h2>{t('account.notifications')}</h2>
      <p class="muted">{t('account.device')}</p>
      <Desktop />
      <Sound />
    </section>
  );
}

function Desktop() {
  const isKnown = typeof Notification === 'function';
  const permission = useSignal(isKnown ? Notification.permission : 'denied');
  const isOn = desktopNotifications.value && permission.value === 'granted';
  let hint = t('account.desktopHint');
  if (!isKnown) hint = t('account.desktopUnsupported');
  else if (permission.value === 'denied') hint = t('account.desktopDenied');

  const change = async (checked: boolean) => {
    if (checked) permission.value = await Notification.requestPermission();
    desktopNotifications.value = checked && permission.value === 'granted';
  };
  return (
    <div class="setting">
      <Switch
        label={t('account.desktop')}
        hint={hint}
        checked={isOn}
        disabled={permission.value === 'denied'}
        onChecked={(checked) => void change(checked)}
      />
      {isOn && <Priority label={t('account.minPriority')} priority={minNotificationPriority} />}
    </div>
  );
}

function Sound() {
  return (
    <div class="setting">
      <Switch
        label={t('account.sound')}
        hint={t('account.soundHint')}
        checked={sound.value}
        onChecked={(checked) => {
          sound.value = checked;
        }}
      />
      {sound.value && (
        <>
          <Priority label={t('account.soundPriority')} priority={minSoundPriority} />
          <div class="row">
            <Button onClick={() => void playTone()}>{t('account.soundTry')}</Button>
          </div>
        </>
      )}
    </div>
  );
}

/** Chooses the lowest priority from which on something happens. */
export function Priority({ label, priority }: { label: string; priority: Signal<number> }) {
  return (
    <Select
      label={label}
      value={priority.value}
      options={[...new Set([...PRIORITIES, priority.value])].map((value) => ({
        value,
        label: value === 0 ? t('account.anyPriority') : t('account.priorityFrom', { count: value }),
      }))}
      onValue={(value) => {
        priority.value = Number(value);
      }}
    />
  );
}
