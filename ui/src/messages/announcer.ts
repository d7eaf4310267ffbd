// Tells screen readers of new messages, several at once.
import { signal } from '@preact/signals';
import type { Message } from '../api/types';
import { t } from '../text';

const BATCH_MS = 3000;

/** What the live region says. */
export const announcement = signal('');

/** Has it said, also if it was the last that was said: only what changes is read. */
export function say(text: string): void {
  announcement.value = text === announcement.peek() ? `${text}\u00a0` : text;
}

let waiting: Message[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

export function announce(messages: readonly Message[]): void {
  if (document.hidden) return;
  waiting = [...waiting, ...messages].slice(-100);
  if (timer !== undefined) return;
  timer = setTimeout(() => {
    timer = undefined;
    const newest = waiting.at(-1);
    if (newest) say(t('messages.announced', { count: waiting.length, title: newest.title }));
    waiting = [];
  }, BATCH_MS);
}

/** Forgets what was said, and what is to be said. */
export function dropAnnouncements(): void {
  clearTimeout(timer);
  timer = undefined;
  waiting = [];
  announcement.value = '';
}
