// How this device tells of messages.
import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Button } from '../../components/Button';
import { Select } from '../../components/Field';
import { Switch } from '../../components/Switch';
import { canNotify, enableNotifications } from '../../notifications';
import {
  disablePush,
  enablePush,
  loadPushState,
  type PushState,
  pushMinPriority,
  pushState,
} from '../../push';
import { playTone } from '../../sound';
import { desktopNotifications, minNotificationPriority, minSoundPriority, sound } from '../../state/settings';
import { toastError } from '../../state/toasts';
import { t } from '../../text';

/** The priorities that can be chosen, of those that apps know. */
const PRIORITIES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

export function Notifications() {
  return (
    <section class="card section">
      <h2>{t('account.notifications')}</h2>
      <p class="muted">{t('account.device')}</p>
      <Desktop />
      <Push />
      <Sound />
    </section>
  );
}

function Desktop() {
  const permission = useSignal(canNotify ? Notification.permission : 'denied');
  const isOn = desktopNotifications.value && permission.value === 'granted';
  let hint = t('account.desktopHint');
  if (!canNotify) hint = t('account.desktopUnsupported');
  else if (permission.value === 'denied') hint = t('account.desktopDenied');

  const change = async (checked: boolean) => {
    if (checked) await enableNotifications();
    else desktopNotifications.value = false;
    permission.value = Notification.permission;
  };
  return (
    <div class="setting">
      <Switch
        label={t('account.desktop')}
        hint={hint}
        checked={isOn}
        disabled={permission.value === 'denied'}
        onChecked={change}
      />
      {isOn && <Priority label={t('account.minPriority')} {...settingProps(minNotificationPriority)} />}
    </div>
  );
}

function Push() {
  const isBusy = useSignal(false);
  useEffect(() => {
    loadPushState().catch(toastError);
  }, []);
  const state = pushState.value;
  const hints: Partial<Record<PushState, string>> = {
    unavailable: t('account.pushOff'),
    unsupported: isSecureContext ? t('account.pushUnsupported') : t('account.pushInsecure'),
    denied: t('account.desktopDenied'),
  };
  const change = async (run: () => Promise<void>) => {
    isBusy.value = true;
    await run().catch(toastError);
    isBusy.value = false;
  };
  return (
    <div class="setting">
      <Switch
        label={t('account.push')}
        hint={hints[state] ?? t('account.pushHint')}
        checked={state === 'on'}
        disabled={isBusy.value || (state !== 'on' && state !== 'off')}
        onChecked={(checked) => change(() => (checked ? enablePush() : disablePush()))}
      />
      {state === 'on' && (
        <Priority
          label={t('account.pushPriority')}
          priority={pushMinPriority.value}
          onPriority={(priority) => void change(() => enablePush(priority))}
        />
      )}
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
          <Priority label={t('account.soundPriority')} {...settingProps(minSoundPriority)} />
          <div class="row">
            <Button onClick={() => void playTone()}>{t('account.soundTry')}</Button>
          </div>
        </>
      )}
    </div>
  );
}

type PriorityProps = { label: string; priority: number; onPriority: (priority: number) => void };

/** A setting as what `Priority` takes. */
function settingProps(setting: Signal<number>): Omit<PriorityProps, 'label'> {
  return {
    priority: setting.value,
    onPriority: (priority) => {
      setting.value = priority;
    },
  };
}

/** Chooses the lowest priority from which on something happens. */
function Priority({ label, priority, onPriority }: PriorityProps) {
  return (
    <Select
      label={label}
      value={priority}
      options={[...new Set([...PRIORITIES, priority])].map((value) => ({
        value,
        label: value === 0 ? t('account.anyPriority') : t('account.priorityFrom', { count: value }),
      }))}
      onValue={(value) => onPriority(Number(value))}
    />
  );
}
