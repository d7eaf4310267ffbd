// Tells of new messages outside of the page: by the desktop while the page is hidden, and by a sound.
import { effect } from '@preact/signals';
import type { Message } from './api/types';
import { navigate } from './router';
import { playTone } from './sound';
import { applicationsById, unreadTotal } from './state/applications';
import { desktopNotifications, minNotificationPriority, minSoundPriority, sound } from './state/settings';
import { t } from './text';

/** Of messages that come together so many are shown one by one; of more, only their number. */
const MOST_AT_ONCE = 3;
const MOST_CHARACTERS = 300;

/** Whether the browser can show notifications at all. */
export const canNotify = 'Notification' in globalThis;

/** Asks the person for the permission; returns whether notifications are on now. */
export async function enableNotifications(): Promise<boolean> {
  const isGranted = canNotify && (await Notification.requestPermission()) === 'granted';
  desktopNotifications.value = isGranted;
  return isGranted;
}

/** Shows messages that have just come. */
export function notify(messages: readonly Message[]): void {
  if (sound.peek() && messages.some(({ priority }) => priority >= minSoundPriority.peek())) play();
  if (!document.hidden || !desktopNotifications.peek() || !canNotify) return;
  if (Notification.permission !== 'granted') return;
  const important = messages.filter(({ priority }) => priority >= minNotificationPriority.peek());
  if (important.length > MOST_AT_ONCE) {
    const title = t('notification.many', { count: important.length });
    void show(title, { tag: 'many', data: { path: '/messages' } });
    return;
  }
  for (const message of important) void show(message.title, optionsOf(message));
}

/** At most once per second. */
function play(): void {
  const now = performance.now();
  if (now - lastPlayed < 1000) return;
  lastPlayed = now;
  playTone().catch(() => {});
}

let lastPlayed = Number.NEGATIVE_INFINITY;

function optionsOf({ id, appid, message }: Message): NotificationOptions {
  const image = applicationsById.peek().get(appid)?.image;
  return {
    body: message.slice(0, MOST_CHARACTERS),
    // A push of the same message takes the place of this one.
    tag: `message-${id}`,
    data: { path: `/messages/${appid}?m=${id}` },
    ...(image ? { icon: new URL(image, document.baseURI).href } : {}),
  };
}

async function show(title: string, options: NotificationOptions): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
  if (registration?.active) {
    await registration.showNotification(title, options).catch(() => {});
    return;
  }
  try {
    const notification = new Notification(title, options);
    notification.onclick = () => {
      window.focus();
      navigate((options.data as { path: string }).path);
      notification.close();
    };
  } catch {
    // Browsers of phones show notifications by a service worker alone.
  }
}

/** Goes where a notification leads that was pressed: the service worker says so. */
export function followNotifications(): void {
  navigator.serviceWorker?.addEventListener('message', ({ data }) => {
    if (typeof data?.path === 'string') navigate(data.path);
  });
  effect(() => {
    // The number on the icon of a page that is installed.
    if ('setAppBadge' in navigator) navigator.setAppBadge(unreadTotal.value).catch(() => {});
  });
  effect(() => {
    // The permission may have been taken away meanwhile.
    if (desktopNotifications.value && canNotify && Notification.permission === 'denied') {
      desktopNotifications.value = false;
    }
  });
}
