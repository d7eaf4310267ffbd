// Loads what draws Markdown when the first such message is seen.
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';

export type MarkdownProps = {
  text: string;
  /** Of the links and buttons inside. */
  tabIndex: number;
};

/** Null until it came. */
export const markdownComponent = signal<ComponentType<MarkdownProps> | null>(null);

let isLoading = false;

export function loadMarkdown(): void {
  if (isLoading) return;
  isLoading = true;
  import('./Markdown').then(
    (module) => {
      markdownComponent.value = module.Markdown;
    },
    () => {
      // The text is shown as it is; the next message tries again.
      isLoading = false;
    },
  );
}
