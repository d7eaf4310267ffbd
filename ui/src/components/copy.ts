// Copies a text, and says whether that worked.
import { toast } from '../state/toasts';
import { t } from '../text';

/** `said` is what the notice says if it worked. */
export async function copyText(text: string, said: string = t('copied')): Promise<void> {
  const isCopied = await tryToCopy(text);
  toast(isCopied ? said : t('copyFailed'), { kind: isCopied ? 'info' : 'error' });
}

/** Resolves to whether it worked. Without HTTPS browsers have no `navigator.clipboard`; then an old way is tried. */
export function tryToCopy(text: string): Promise<boolean> {
  return copyByClipboard(text).catch(() => copyBySelection(text));
}

async function copyByClipboard(text: string): Promise<boolean> {
  await navigator.clipboard.writeText(text);
  return true;
}

function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'visually-hidden';
  // A modal dialog makes everything outside of it inert.
  const parent = document.querySelector('dialog[open]') ?? document.body;
  const before = document.activeElement;
  parent.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  return isCopied;
}
