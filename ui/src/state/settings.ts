// What a person has chosen on this device: signals that are kept by the browser.
import { effect, type Signal, signal } from '@preact/signals';
import { readStored, store } from './storage';

export type Theme = 'system' | 'light' | 'dark';

/** A signal whose value outlives the page. What was stored and is no valid value counts as never set. */
function kept<T>(name: string, initial: T, isValid: (value: unknown) => value is T): Signal<T> {
  const setting = signal(initial);
  try {
    const value: unknown = JSON.parse(readStored(name) ?? 'null');
    if (isValid(value)) setting.value = value;
  } catch {
    // It stays what it is at first.
  }
  let isFirst = true;
  effect(() => {
    const text = JSON.stringify(setting.value);
    if (!isFirst) store(name, text);
    isFirst = false;
  });
  return setting;
}

const isFlag = (value: unknown) => typeof value === 'boolean';
const isNumber = (value: unknown) => typeof value === 'number';
const isTheme = (value: unknown): value is Theme =>
  value === 'system' || value === 'light' || value === 'dark';
const isLanguage = (value: unknown) => typeof value === 'string';

export const theme = kept<Theme>('theme', 'system', isTheme);

/** Empty: as the browser prefers. */
export const language = kept<string>('language', '', isLanguage);

/** Whether messages are shown by the desktop while the page is hidden. */
export const desktopNotifications = kept('notifications', false, isFlag);

/** Below this priority the desktop shows nothing. */
export const minNotificationPriority = kept('notification-priority', 1, isNumber);

/** Whether a message makes a sound. */
export const sound = kept('sound', false, isFlag);

/** Below this priority there is no sound. */
export const minSoundPriority = kept('sound-priority', 4, isNumber);

/** Whether single keys are commands. Who dictates, or hits keys by accident, switches them off. */
export const shortcuts = kept('shortcuts', true, isFlag);

/** Marks the document with the theme that holds now. */
export function applyTheme(): void {
  const prefersDark = matchMedia('(prefers-color-scheme: dark)');
  const systemIsDark = signal(prefersDark.matches);
  prefersDark.addEventListener('change', ({ matches }) => {
    systemIsDark.value = matches;
  });
  effect(() => {
    const isDark = theme.value === 'dark' || (theme.value === 'system' && systemIsDark.value);
    document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
  });
}
