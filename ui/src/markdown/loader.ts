// Loads what draws Markdown when the first such message is seen.
import { signal } from '@preact/signals';

export type Renderer = (text: string) => DocumentFragment;

/** Null until it came. */
export const renderer = signal<Renderer | null>(null);

let isLoading = false;

export function loadRenderer(): void {
  if (isLoading) return;
  isLoading = true;
  import('./render').then(
    (module) => {
      renderer.value = module.renderMarkdown;
    },
    () => {
      // The text is shown as it is; the next message tries again.
      isLoading = false;
    },
  );
}
