// Loads what draws Markdown when the first such message is seen.
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import type { Message } from '../api/types';
import { isMarkdown } from '../messages/extras';

export type MarkdownProps = {
  text: string;
  /** Of the links and buttons inside. */
  tabIndex: number;
};

/** Null until it came. */
export const markdownComponent = signal<ComponentType<MarkdownProps> | null>(null);

let loading: Promise<void> | null = null;

/** Resolves when it came, or will not come for now. */
export function loadMarkdown(): Promise<void> {
  loading ??= import('./Markdown').then(
    (module) => {
      markdownComponent.value = module.Markdown;
    },
    () => {
      // The text is shown as it is; the next message tries again.
      loading = null;
    },
  );
  return loading;
}

/** So many messages may be seen at first, and so long they wait. */
const SEEN_FIRST = 15;
const WAIT_MS = 800;

/** Waits for Markdown if one of the first messages needs it: drawn afterwards, it would move those below it. */
export async function prepareMarkdown(messages: readonly Message[]): Promise<void> {
  if (markdownComponent.value || !messages.slice(0, SEEN_FIRST).some(isMarkdown)) return;
  await Promise.race([loadMarkdown(), new Promise((resolve) => setTimeout(resolve, WAIT_MS))]);
}
