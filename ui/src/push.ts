// Web Push: messages reach this device without a stream, even when the page is closed.
import { signal } from '@preact/signals';
import { ApiError } from './api/errors';
import { request } from './api/request';
import { overview } from './state/session';
import { runWorker } from './worker/register';

export type PushState =
  /** Not asked for yet. */
  | 'unknown'
  /** This browser can't: old, a private window, or the page is not on HTTPS. */
  | 'unsupported'
  /** The server has it switched off. */
  | 'unavailable'
  /** The person has forbidden notifications. */
  | 'denied'
  | 'off'
  | 'on';

export const pushState = signal<PushState>('unknown');

/** Messages below this priority are not pushed. */
export const pushMinPriority = signal(0);

type Subscription = { endpoint: string; minPriority: number };

/** Finds out whether this device gets pushes. */
export async function loadPushState(): Promise<void> {
  pushState.value = await find();
}

async function find(): Promise<PushState> {
  if (!overview.value?.push) return 'unavailable';
  if (!('PushManager' in globalThis) || !navigator.serviceWorker) return 'unsupported';
  if (Notification.permission === 'denied') return 'denied';
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  if (!subscription) return 'off';
  const known = await request<Subscription>('GET', 'shardcast/push').catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  });
  if (known?.endpoint !== subscription.endpoint) return 'off';
  pushMinPriority.value = known.minPriority;
  return 'on';
}

/** Switches pushes on for this device. Must be called by a press of a button: the browser asks the person. */
export async function enablePush(minPriority: number = pushMinPriority.value): Promise<void> {
  const publicKey = overview.value?.push?.publicKey;
  if (!publicKey || !navigator.serviceWorker) return;
  const permission = await Notification.requestPermission();
  if (permission === 'denied') pushState.value = 'denied';
  // A question that was not answered can be asked again.
  if (permission !== 'granted') return;
  const registration = await runWorker();
  const subscription = await subscribe(registration, publicKey);
  const { endpoint, keys } = subscription.toJSON();
  const saved = await request<Subscription>('PUT', 'shardcast/push', {
    json: { endpoint, keys, minPriority },
  });
  pushMinPriority.value = saved.minPriority;
  pushState.value = 'on';
}

/** A subscription belongs to the key of a server; one that was made with another key is given up. */
async function subscribe(
  registration: ServiceWorkerRegistration,
  publicKey: string,
): Promise<PushSubscription> {
  const options = { userVisibleOnly: true, applicationServerKey: decodeBase64Url(publicKey) };
  try {
    return await registration.pushManager.subscribe(options);
  } catch (error) {
    const old = await registration.pushManager.getSubscription();
    if (!old) throw error;
    await old.unsubscribe();
    return registration.pushManager.subscribe(options);
  }
}

/** Switches pushes off for this device. */
export async function disablePush(): Promise<void> {
  await request('DELETE', 'shardcast/push').catch((error: unknown) => {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  });
  const registration = await navigator.serviceWorker?.getRegistration();
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
  pushState.value = 'off';
}

function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
