// Short notices at the bottom of the page.
import { signal } from '@preact/signals';
import { ApiError, isGivenUp, isUnauthorized, NetworkError, Refusal } from '../api/errors';
import { t } from '../text';

export type Toast = {
  id: number;
  text: string;
  kind: 'info' | 'error';
  action?: { label: string; run: () => void };
  /** Called when the notice goes away without its action. */
  onClose?: () => void;
};

export const toasts = signal<Toast[]>([]);

/** At most so many are shown: the oldest goes. */
const MOST = 3;
const SHOWN_MS = 5000;
/** A notice that has the pointer or the focus when its time is over is looked at again so much later. */
const LINGER_MS = 1000;
let lastId = 0;

/** Notices that have the pointer or the focus: they stay. */
const held = new Set<number>();

export type ToastOptions = Pick<Toast, 'action' | 'onClose'> & { kind?: Toast['kind']; shownMs?: number };

/** Shows a notice; returns its id. An error stays twice as long. */
export function toast(text: string, options: ToastOptions = {}): number {
  const { kind = 'info', shownMs = kind === 'error' ? 2 * SHOWN_MS : SHOWN_MS, ...rest } = options;
  lastId += 1;
  const id = lastId;
  toasts.value = [...toasts.value, { id, text, kind, ...rest }];
  const oldest = toasts.value.find((one) => !held.has(one.id));
  if (toasts.value.length > MOST && oldest) closeToast(oldest.id);
  setTimeout(() => expire(id), shownMs);
  return id;
}

function expire(id: number): void {
  if (held.has(id)) setTimeout(() => expire(id), LINGER_MS);
  else closeToast(id);
}

/** Keeps a notice for as long as it has the pointer or the focus. */
export function holdToast(id: number, isHeld: boolean): void {
  if (isHeld) held.add(id);
  else held.delete(id);
}

/** Presses the button of the newest notice that has one, such as that which takes a deletion back. */
export function runLastToast(): void {
  const last = toasts.peek().findLast(({ action }) => action);
  if (last) runToast(last.id);
}

/** Takes a notice away, as if its time were over. */
export function closeToast(id: number): void {
  const found = remove(id);
  found?.onClose?.();
}

/** Takes a notice away and does what its button says. */
export function runToast(id: number): void {
  const found = remove(id);
  found?.action?.run();
}

function remove(id: number): Toast | undefined {
  const found = toasts.value.find((toast) => toast.id === id);
  held.delete(id);
  if (found) toasts.value = toasts.value.filter((toast) => toast !== found);
  return found;
}

/** Says what went wrong: the server's words, or that it is away. */
export function errorText(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.status === 429 && error.retryAfterSeconds !== null) {
      return t('error.tooMany', { count: error.retryAfterSeconds });
    }
    return t('error.server', { text: error.description });
  }
  if (error instanceof NetworkError) return t('error.network');
  if (error instanceof Refusal) return error.message;
  return t('error.unexpected', { text: error instanceof Error ? error.message : String(error) });
}

/** Shows an error; a request that was given up, and a session that ended, are none. */
export function toastError(error: unknown): void {
  if (isGivenUp(error) || isUnauthorized(error)) return;
  toast(errorText(error), { kind: 'error' });
}
